import type { Clock, Timer } from '@softnet/contract';

/** What waits in {@link Deadlines}: its own links, so that it leaves at once. */
export interface Deadline<T> {
  /** Kernel ms, wrapping int32. */
  atMs: number;
  /** Null: it waits for nothing. */
  prev: T | null;
  next: T | null;
}

/** Lists beyond which those that are empty are given up. */
const KEPT_LISTS = 32;
/** Ended in one turn; the rest in the next one. */
const BUDGET = 1024;

/**
 * Many that wait, by one timer: what waits equally long stands in one list, which so is in the order of its ends. Few delays are in use: the doublings of a timeout, and what settings say.
 */
export class Deadlines<T extends Deadline<T>> {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #make: () => T;
  readonly #due: (item: T) => void;
  readonly #timer: Timer;
  /** By delay; the item is no item, but where the list begins and ends. */
  readonly #lists = new Map<number, T>();
  #waiting = 0;
  /** The earliest end that the timer is armed for, ms. */
  #armedMs = 0;

  /** @param make an item that is none, as the ends of lists. @param due it has been taken out; it may be added again. */
  constructor(
    host: { readonly clock: Pick<Clock, 'nowMs'>; timer<A>(fire: (arg: A) => void, arg: A, place: string): Timer },
    place: string,
    make: () => T,
    due: (item: T) => void,
  ) {
    this.#clock = host.clock;
    this.#make = make;
    this.#due = due;
    this.#timer = host.timer((self: Deadlines<T>) => self.#fire(), this, place);
  }

  /** Ends so many ms from now. One that waits already waits anew. */
  add(item: T, delayMs: number): void {
    if (item.next !== null) this.remove(item);
    const list = this.#listOf(delayMs);
    const last = list.prev!;
    item.atMs = (this.#clock.nowMs + delayMs) | 0;
    item.prev = last;
    item.next = list;
    last.next = item;
    list.prev = item;
    this.#waiting++;
    this.#arm(item.atMs);
  }

  /** Does nothing where it waits for nothing. */
  remove(item: T): void {
    const { prev, next } = item;
    if (prev === null || next === null) return;
    prev.next = next;
    next.prev = prev;
    item.prev = null;
    item.next = null;
    // Where nobody waits any more, nothing is left to be stopped.
    if (--this.#waiting === 0) this.#timer.cancel();
  }

  /** Lists that are kept, for tests. */
  get lists(): number {
    return this.#lists.size;
  }

  #listOf(delayMs: number): T {
    let list = this.#lists.get(delayMs);
    if (list !== undefined) return list;
    if (this.#lists.size >= KEPT_LISTS) this.#forgetEmpty();
    list = this.#make();
    list.prev = list;
    list.next = list;
    this.#lists.set(delayMs, list);
    return list;
  }

  #forgetEmpty(): void {
    for (const [delayMs, list] of this.#lists) if (list.next === list) this.#lists.delete(delayMs);
  }

  #arm(atMs: number): void {
    if (this.#timer.armed && ((atMs - this.#armedMs) | 0) >= 0) return;
    this.#armedMs = atMs;
    this.#timer.arm(Math.max(0, (atMs - this.#clock.nowMs) | 0) * 1000);
  }

  #fire(): void {
    const { nowMs } = this.#clock;
    let budget = BUDGET;
    for (const list of this.#lists.values()) {
      while (budget > 0 && list.next !== list && ((nowMs - list.next!.atMs) | 0) >= 0) {
        const item = list.next!;
        budget--;
        this.remove(item);
        this.#due(item);
      }
    }
    for (const list of this.#lists.values()) if (list.next !== list) this.#arm(list.next!.atMs);
  }
}
