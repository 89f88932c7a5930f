import type { Poll, PollSource } from '@softnet/contract';
import type { RunContext } from './run-context.ts';

/** Units (packets) that a source may do in one poll. */
export const POLL_BUDGET = 64;
/** Units that all sources together do in one run, before the event loop has its turn; a poll counts for one at least. */
export const RUN_BUDGET = 300;
/** The same in time, on a clock that runs, µs. */
const RUN_TIME_US = 2000;

/** A registered source. Made by {@link Softirq.register}. */
export class SoftirqPoll implements Poll {
  readonly source: PollSource;
  /** Integer of the module that it belongs to. */
  readonly owner: number;
  readonly place: string;
  /** Waits for its poll. Only the loop writes this and `next`. */
  queued = false;
  next: SoftirqPoll | null = null;
  readonly #softirq: Softirq;
  #enabled = true;
  #removed = false;
  /** Raised while disabled. */
  #missed = false;

  constructor(softirq: Softirq, source: PollSource, owner: number, place: string) {
    this.#softirq = softirq;
    this.source = source;
    this.owner = owner;
    this.place = place;
  }

  /** Asks to be polled soon: idempotent until the poll. Does nothing after `remove`; kept for later while disabled. */
  raise(): void {
    if (this.queued) return;
    if (this.#enabled) this.#softirq.queue(this);
    else this.#missed = !this.#removed;
  }

  /** It is no longer polled, until `enable`; a raise is kept. */
  disable(): void {
    if (!this.#enabled) return;
    this.#enabled = false;
    this.#missed = this.queued;
    this.#softirq.unqueue(this);
  }

  enable(): void {
    if (this.#enabled || this.#removed) return;
    this.#enabled = true;
    if (this.#missed) this.raise();
    this.#missed = false;
  }

  /** It is never polled again; also from within its own poll. */
  remove(): void {
    this.disable();
    this.#removed = true;
    this.#missed = false;
  }
}

/**
 * The loop that does a kernel's work in batches: raised sources in turn, each with a budget, so that nobody starves.
 * It allocates nothing while it runs.
 */
export class Softirq {
  readonly #context: RunContext;
  #first: SoftirqPoll | null = null;
  #last: SoftirqPoll | null = null;

  constructor(context: RunContext) {
    this.#context = context;
  }

  /** `place`: a static name for lists and faults. */
  register(source: PollSource, owner: number, place: string): SoftirqPoll {
    return new SoftirqPoll(this, source, owner, place);
  }

  /** True when a source waits for its poll. */
  get pending(): boolean {
    return this.#first !== null;
  }

  /**
   * Polls until no source is raised or the budget is used up, and returns the number of polls. A source that throws is
   * the context's fault, counts as one that used its whole budget, and is polled again: its other packets are not lost.
   */
  run(): number {
    const { current, clock } = this.#context;
    const before = current.id;
    let left = RUN_BUDGET;
    let polls = 0;
    while (left > 0 && this.#first !== null) {
      const poll = this.#take(this.#first);
      current.id = poll.owner;
      this.#context.place = poll.place;
      left -= Math.max(this.#poll(poll), 1);
      polls++;
      if (clock.readUs() - clock.nowUs >= RUN_TIME_US) break;
    }
    current.id = before;
    return polls;
  }

  /** For {@link SoftirqPoll}. */
  queue(poll: SoftirqPoll): void {
    poll.queued = true;
    if (this.#last === null) this.#first = poll;
    else this.#last.next = poll;
    this.#last = poll;
    if (this.#first === poll) this.#context.sooner();
  }

  /** For {@link SoftirqPoll}: walks the queue. */
  unqueue(poll: SoftirqPoll): void {
    if (!poll.queued) return;
    let before: SoftirqPoll | null = null;
    for (let each = this.#first; each !== poll && each !== null; each = each.next) before = each;
    if (before === null) this.#first = poll.next;
    else before.next = poll.next;
    if (this.#last === poll) this.#last = before;
    poll.next = null;
    poll.queued = false;
  }

  #poll(poll: SoftirqPoll): number {
    let done = POLL_BUDGET;
    try {
      done = poll.source.poll(POLL_BUDGET);
    } catch (error) {
      this.#context.fault(error);
    }
    if (done >= POLL_BUDGET) poll.raise();
    return done;
  }

  #take(poll: SoftirqPoll): SoftirqPoll {
    this.#first = poll.next;
    if (this.#first === null) this.#last = null;
    poll.next = null;
    poll.queued = false;
    return poll;
  }
}
