import { CurrentOwner, NetError } from '@softnet/contract';
import type { HeapItem } from './indexed-heap.ts';
import type { TimeSource } from './kernel-clock.ts';
import { KernelClock } from './kernel-clock.ts';
import type { FaultSink, RunContext } from './run-context.ts';
import { Softirq } from './softirq.ts';
import { TimerWheel } from './timer-wheel.ts';

/** Timers that fire in one turn, before the softirq sources have theirs. */
const TIMER_BUDGET = 300;

/** What a World does when a kernel's next due time changes outside of that kernel's own turn. */
export interface Loop {
  sooner(executive: Executive): void;
  emptied(executive: Executive): void;
}

/** What {@link Executive} takes. */
export interface ExecutiveOptions {
  /** The kernel's name, for errors. */
  readonly name: string;
  /** `world.time`. */
  readonly time: TimeSource;
  /** Default: a new one. */
  readonly current?: CurrentOwner;
  /** Told of throws in timers and polls. It must not throw. */
  readonly onFault: FaultSink;
}

/** One kernel's clock, timers and softirq loop, as a World drives them. */
export class Executive implements RunContext, HeapItem {
  readonly name: string;
  readonly time: TimeSource;
  readonly current: CurrentOwner;
  readonly clock: KernelClock;
  readonly wheel: TimerWheel;
  readonly softirq: Softirq;
  place = '';
  /** Order among the kernels of the World; -1 when not attached. Only the World writes this and the next two. */
  index = -1;
  heapAt = -1;
  /** By when the World has it queued, µs: nothing is due earlier. Infinity: nothing is armed or raised. Written by {@link dueAgain}. */
  queuedUs = Number.POSITIVE_INFINITY;
  readonly #onFault: FaultSink;
  #loop: Loop | null = null;
  #running = false;

  constructor(options: ExecutiveOptions) {
    this.name = options.name;
    this.time = options.time;
    this.current = options.current ?? new CurrentOwner();
    this.#onFault = options.onFault;
    this.clock = new KernelClock(options.time);
    this.wheel = new TimerWheel(this);
    this.softirq = new Softirq(this);
  }

  /** True when there is work now, whatever the time. */
  get pending(): boolean {
    return this.softirq.pending || this.wheel.due;
  }

  /**
   * Finds out when it is due next; a turn at that time may find nothing to do. In place, and not by one expression: a time that is returned, or
   * chosen from two, V8 may box, at each event.
   */
  dueAgain(): void {
    if (this.pending) this.queuedUs = this.time.readUs();
    else this.queuedUs = this.wheel.boundUs;
  }

  /** True when nothing is armed or raised. */
  get idle(): boolean {
    return !this.softirq.pending && this.wheel.count === 0;
  }

  /** Does what is due now, within budgets, and returns the number of steps: timers fired and sources polled. */
  turn(): number {
    const before = this.current.id;
    this.#running = true;
    this.clock.begin();
    try {
      this.wheel.collect();
      return this.wheel.fire(TIMER_BUDGET) + this.softirq.run();
    } finally {
      this.clock.end();
      this.current.id = before;
      this.#running = false;
    }
  }

  /** For the World. @throws NetError EBUSY when it has a World already. */
  join(loop: Loop, index: number): void {
    if (this.#loop !== null) throw new NetError('EBUSY', `kernel ${this.name} is attached to a World already`);
    this.#loop = loop;
    this.index = index;
  }

  /** For the World: timers and raises wake nobody from here on. */
  leave(): void {
    this.#loop = null;
    this.index = -1;
  }

  sooner(): void {
    if (!this.#running && this.#loop !== null) this.#loop.sooner(this);
  }

  emptied(): void {
    if (!this.#running && this.#loop !== null) this.#loop.emptied(this);
  }

  fault(error: unknown): void {
    this.#onFault(this.current.id, error, this.place);
  }
}
