import { NetError } from '@softnet/contract';
import type { TraceCounts, TraceOptions } from './traces.ts';

/** So many lines wait for `write` at most, until the turn is over. */
const MAX_WAITING = 4096;
const DEFAULT_KEPT = 1000;
const MAX_KEPT = 1_000_000;

/** The lines of one trace: given to somebody, or the last ones kept. */
export class TraceLog implements TraceCounts {
  lines = 0;
  missed = 0;
  error: unknown = null;
  readonly #write: ((line: string) => void) | null;
  readonly #keepLines: number;
  /** Those that wait for `write`; without it, the last ones in a ring. */
  #texts: string[] = [];
  /** Of the ring: where the oldest line is once it is full. */
  #oldest = 0;

  /** @throws NetError EINVAL, saying which option. */
  constructor({ write, keepLines = DEFAULT_KEPT }: Partial<TraceOptions>) {
    if (write !== undefined && typeof write !== 'function') {
      throw new NetError('EINVAL', `trace: write takes a function of a line, got ${String(write)}`);
    }
    if (!Number.isInteger(keepLines) || keepLines < 1 || keepLines > MAX_KEPT) {
      throw new NetError('EINVAL', `trace: keepLines takes 1 to ${MAX_KEPT}, got ${String(keepLines)}`);
    }
    this.#write = write ?? null;
    this.#keepLines = keepLines;
  }

  /** Is there room for another line? If not, its frame is counted: make none. */
  admits(): boolean {
    if (this.error === null && (this.#write === null || this.#texts.length < MAX_WAITING)) return true;
    this.missed++;
    return false;
  }

  add(line: string): void {
    this.lines++;
    if (this.#write !== null || this.#texts.length < this.#keepLines) {
      this.#texts.push(line);
      return;
    }
    this.#texts[this.#oldest] = line;
    this.#oldest = (this.#oldest + 1) % this.#keepLines;
  }

  /** Those that are kept, oldest first. */
  kept(): string[] {
    return this.#write === null ? [...this.#texts.slice(this.#oldest), ...this.#texts.slice(0, this.#oldest)] : [];
  }

  /** Gives `write` what waits. */
  flush(): void {
    if (this.#write === null || this.#texts.length === 0) return;
    const texts = this.#texts;
    this.#texts = [];
    for (const [at, line] of texts.entries()) {
      try {
        this.#write(line);
      } catch (error) {
        this.error = error;
        this.lines -= texts.length - at;
        this.missed += texts.length - at;
        return;
      }
    }
  }
}
