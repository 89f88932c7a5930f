import type { UnloadProgress } from '../api.ts';

/**
 * The steps of an unload for whoever iterates: the newest of each module and state, so that a thousand releases between
 * two reads are one step, and memory stays bounded.
 */
export class ProgressFeed {
  readonly #latest = new Map<string, { seq: number; progress: UnloadProgress }>();
  #seq = 0;
  #ended: { readonly error: unknown } | 'well' | undefined;
  #wake: (() => void)[] = [];

  push(progress: UnloadProgress): void {
    this.#latest.set(`${progress.module} ${progress.state}`, { seq: ++this.#seq, progress });
    this.#wakeAll();
  }

  /** No more steps. With an error, iteration throws it. */
  end(error?: unknown): void {
    this.#ended = error === undefined ? 'well' : { error };
    this.#wakeAll();
  }

  /** From the first step on, for each reader. */
  async *read(): AsyncGenerator<UnloadProgress> {
    let seen = 0;
    for (;;) {
      const next = this.#after(seen);
      if (next !== undefined) {
        seen = next.seq;
        yield next.progress;
      } else if (this.#ended === undefined) {
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      } else if (this.#ended === 'well') {
        return;
      } else {
        throw this.#ended.error;
      }
    }
  }

  #after(seen: number): { seq: number; progress: UnloadProgress } | undefined {
    let next: { seq: number; progress: UnloadProgress } | undefined;
    for (const step of this.#latest.values()) if (step.seq > seen && (next === undefined || step.seq < next.seq)) next = step;
    return next;
  }

  #wakeAll(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}
