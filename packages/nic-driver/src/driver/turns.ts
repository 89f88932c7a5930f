import type { Poll, PollSource } from '@softnet/contract';

/** Something that has work for the softirq loop now and then. */
export interface TurnTaker {
  /** Does up to `budget` packets' work and returns how many it did; `budget`: there may be more. */
  turn(budget: number): number;
  /** {@link Turns}' own: it waits for its turn, and who is behind it. */
  waiting: boolean;
  nextWaiting: TurnTaker | null;
}

/** One poll source for any number of devices: those with work take turns. Allocates nothing. */
export class Turns implements PollSource {
  readonly #poll: Poll;
  #first: TurnTaker | null = null;
  #last: TurnTaker | null = null;

  constructor(poll: (source: PollSource) => Poll) {
    this.#poll = poll(this);
  }

  /** Asks for a turn. Cheap, and idempotent until it comes; also outside of a batch. */
  ask(taker: TurnTaker): void {
    if (taker.waiting) return;
    taker.waiting = true;
    taker.nextWaiting = null;
    if (this.#last === null) this.#first = taker;
    else this.#last.nextWaiting = taker;
    this.#last = taker;
    this.#poll.raise();
  }

  /** It takes no turn any more, until it asks. */
  forget(taker: TurnTaker): void {
    if (!taker.waiting) return;
    let before: TurnTaker | null = null;
    for (let each = this.#first; each !== taker && each !== null; each = each.nextWaiting) before = each;
    if (before === null) this.#first = taker.nextWaiting;
    else before.nextWaiting = taker.nextWaiting;
    if (this.#last === taker) this.#last = before;
    taker.waiting = false;
    taker.nextWaiting = null;
  }

  poll(budget: number): number {
    let left = budget;
    while (left > 0 && this.#first !== null) {
      const taker = this.#first;
      this.forget(taker);
      // Who is thrown out of his turn, mostly by somebody above him, has not done all his work.
      let done = left;
      try {
        done = taker.turn(left);
      } finally {
        if (done >= left) this.ask(taker);
      }
      left -= done;
    }
    return budget - left;
  }
}
