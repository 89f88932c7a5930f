import type { ReceiveLine } from './receive-line.ts';

/** `RxQueue.priority`: 0 to 15. */
const PRIORITIES = 16;
/** While lines of several priorities wait, every so manieth turn goes to one that the others would keep waiting. */
const FAIR_TURN = 8;

/**
 * Receive queues that wait for a poll. Whose priority is higher is first; those of one priority take turns. So that nobody starves, each
 * eighth turn goes to a lower priority, one after the other downwards: a queue waits for 8 · 15 turns at most, and for those of its own
 * priority.
 */
export class WaitingLines {
  readonly #first: (ReceiveLine | null)[] = new Array<ReceiveLine | null>(PRIORITIES).fill(null);
  readonly #last: (ReceiveLine | null)[] = new Array<ReceiveLine | null>(PRIORITIES).fill(null);
  /** A bit for each priority that somebody has who waits. */
  #levels = 0;
  #turns = 0;
  /** Who had the last fair turn. */
  #fair = 0;

  get empty(): boolean {
    return this.#levels === 0;
  }

  /** It is not waiting. */
  add(line: ReceiveLine): void {
    const level = line.queue.priority & (PRIORITIES - 1);
    line.waits = true;
    line.next = null;
    const last = this.#last[level]!;
    if (last === null) this.#first[level] = line;
    else last.next = line;
    this.#last[level] = line;
    this.#levels |= 1 << level;
  }

  /** Whose turn it is; it waits no more. Null: nobody waits. */
  take(): ReceiveLine | null {
    if (this.#levels === 0) return null;
    const level = this.#level();
    const line = this.#first[level]!;
    this.#first[level] = line.next;
    if (line.next === null) {
      this.#last[level] = null;
      this.#levels &= ~(1 << level);
    }
    line.next = null;
    line.waits = false;
    return line;
  }

  #level(): number {
    const levels = this.#levels;
    const highest = highestOf(levels);
    if (levels === 1 << highest) {
      this.#turns = 0;
      return highest;
    }
    this.#turns++;
    if (this.#turns < FAIR_TURN) return highest;
    this.#turns = 0;
    const below = levels & ((1 << this.#fair) - 1);
    this.#fair = highestOf(below === 0 ? levels ^ (1 << highest) : below);
    return this.#fair;
  }
}

function highestOf(levels: number): number {
  return 31 - Math.clz32(levels);
}
