import { NetError } from '@softnet/contract';
import type { Executive } from './executive.ts';
import type { Host } from './host.ts';
import { HostTime, hostOf } from './host.ts';
import type { TimeSource } from './kernel-clock.ts';
import { VirtualTime } from './kernel-clock.ts';
import { SeededRandom } from './random.ts';
import { RealLoop } from './real-loop.ts';
import { VirtualLoop } from './virtual-loop.ts';

/** What {@link World} takes; all of it has defaults. */
export interface WorldOptions {
  /** Default 'virtual': time moves only by `advance` and `run`. 'real': it is the host's, and kernels run by themselves. */
  readonly clock?: 'virtual' | 'real';
  /** Of all chance in this World. An integer, exact in a double; default 1. */
  readonly seed?: number;
  /** Steps (timers fired, sources polled) of one virtual instant, beyond which it counts as endless. Default 10 million. */
  readonly maxStepsPerInstant?: number;
  /** Default: the machine that this program runs on. */
  readonly host?: Host;
}

/**
 * The time and chance that some kernels share. It owns one event queue for all of them: what happens is ordered by time,
 * then kernel (in the order of attaching), then sequence. Before virtual time moves, all microtasks are drained, so that
 * a virtual run is a function of its seed. Two Worlds share nothing.
 */
export class World {
  readonly seed: number;
  readonly virtual: boolean;
  /** For the executives that will be attached. */
  readonly time: TimeSource;
  /** Fork it: `world.random.fork('kernel h1')`. */
  readonly random: SeededRandom;
  readonly #host: Host;
  readonly #loop: VirtualLoop | RealLoop;
  #executives: readonly Executive[] = [];
  #attachedSoFar = 0;
  #driven = false;

  /** @throws NetError EINVAL for a seed that is not an exact integer. */
  constructor(options: WorldOptions = {}) {
    this.seed = options.seed ?? 1;
    this.random = new SeededRandom(this.seed);
    this.virtual = options.clock !== 'real';
    this.#host = options.host ?? hostOf();
    if (this.virtual) {
      const time = new VirtualTime();
      this.time = time;
      this.#loop = new VirtualLoop(time, options.maxStepsPerInstant ?? 10_000_000);
    } else {
      this.time = new HostTime(this.#host);
      this.#loop = new RealLoop(this.#host, this.time);
    }
  }

  /** Time since the boot of this World, µs. */
  get nowUs(): number {
    return this.time.readUs();
  }

  /** The kernels attached now, in the order of attaching. */
  get executives(): readonly Executive[] {
    return this.#executives;
  }

  /** @throws NetError EINVAL when it was made with another World's time, EBUSY when it has a World already. */
  attach(executive: Executive): void {
    if (executive.time !== this.time) {
      throw new NetError('EINVAL', `kernel ${executive.name} was made with the time of another World: hand it \`world.time\``);
    }
    executive.join(this.#loop, this.#attachedSoFar);
    this.#attachedSoFar++;
    this.#executives = [...this.#executives, executive];
    this.#loop.add(executive);
  }

  /** Takes a kernel's timers and work out of the queue, for good. Does nothing when it is not attached here. */
  detach(executive: Executive): void {
    if (!this.#executives.includes(executive)) return;
    this.#executives = this.#executives.filter((each) => each !== executive);
    executive.leave();
    this.#loop.remove(executive);
  }

  /** True when no kernel has a timer armed or work raised. */
  idle(): boolean {
    return this.#executives.every((each) => each.idle);
  }

  /**
   * Virtual time: runs all that is due in the next `us` microseconds, the end included, and stands at now + `us`.
   * @throws NetError EOPNOTSUPP in real time, EINVAL when `us` is not a whole number from 0, EBUSY while another call
   * moves this World, ELOOP when an instant does not end.
   */
  async advance(us: number): Promise<void> {
    const loop = this.#take('advance', us);
    try {
      await this.#drive(loop, this.nowUs + us, () => false);
    } finally {
      this.#driven = false;
    }
  }

  /** The same for programs without promises: microtasks wait until it returns. */
  advanceSync(us: number): void {
    const loop = this.#take('advanceSync', us);
    const targetUs = this.nowUs + us;
    try {
      loop.runInstant();
      while (loop.isDue(targetUs)) {
        loop.moveOn();
        loop.runInstant();
      }
      loop.moveTo(targetUs);
    } finally {
      this.#driven = false;
    }
  }

  /**
   * Waits for a promise: in virtual time by running what is due, up to the instant in which it settles.
   * @param options.limitUs give up after that much time, µs; default: never.
   * @throws NetError ETIMEDOUT when the promise is pending at the limit, or when, in virtual time, nothing is left to
   * happen; EBUSY and ELOOP as `advance`.
   */
  async run<T>(promise: PromiseLike<T>, options: { readonly limitUs?: number } = {}): Promise<T> {
    const limitUs = options.limitUs ?? Number.POSITIVE_INFINITY;
    let settled = false;
    const settle = () => {
      settled = true;
    };
    // Handled here too, so that a promise that we gave up is no unhandled rejection when it fails later.
    promise.then(settle, settle);
    if (!(this.#loop instanceof VirtualLoop)) return this.#raceHost(promise, limitUs);
    const loop = this.#take('run', limitUs);
    try {
      await this.#drive(loop, this.nowUs + limitUs, () => settled);
    } finally {
      this.#driven = false;
    }
    if (!settled) throw this.#pending(limitUs);
    return promise;
  }

  #take(call: string, us: number): VirtualLoop {
    if (!(this.#loop instanceof VirtualLoop)) {
      throw new NetError('EOPNOTSUPP', 'this World runs in real time, which nobody advances: await what you wait for, or use `run`');
    }
    if (!(us >= 0) || (Number.isFinite(us) ? !Number.isSafeInteger(us) : call !== 'run')) {
      throw new NetError('EINVAL', `${call} takes a whole number of microseconds, 0 or more, got ${us}`, { syscall: call });
    }
    if (this.#driven) {
      throw new NetError('EBUSY', `${call}: another advance or run moves this World now; await it first`, { syscall: call });
    }
    this.#driven = true;
    this.#loop.begin();
    return this.#loop;
  }

  /** Runs instant after instant up to the target, and all microtasks of each before the next. Ends early when done. */
  async #drive(loop: VirtualLoop, targetUs: number, done: () => boolean): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => this.#host.soon(resolve));
      if (done()) return;
      if (!loop.isDue(targetUs)) return targetUs === Number.POSITIVE_INFINITY ? undefined : loop.moveTo(targetUs);
      loop.moveOn();
      loop.runInstant();
    }
  }

  #pending(limitUs: number): NetError {
    if (limitUs === Number.POSITIVE_INFINITY || this.idle()) {
      return new NetError(
        'ETIMEDOUT',
        `nothing is left to happen in this World at ${this.nowUs} µs, and the promise is pending: no timer, packet or work will settle it`,
      );
    }
    return new NetError('ETIMEDOUT', `the promise is still pending after ${limitUs} µs of ${this.virtual ? 'virtual' : 'real'} time`);
  }

  async #raceHost<T>(promise: PromiseLike<T>, limitUs: number): Promise<T> {
    const limitMs = Math.ceil(limitUs / 1000);
    if (limitMs >= 2 ** 31) return promise;
    let timer: unknown;
    const late = new Promise<never>((_resolve, reject) => {
      timer = this.#host.setTimer(
        () => reject(new NetError('ETIMEDOUT', `the promise is still pending after ${limitUs} µs of real time`)),
        Math.max(limitMs, 1),
      );
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      this.#host.clearTimer(timer);
    }
  }
}
