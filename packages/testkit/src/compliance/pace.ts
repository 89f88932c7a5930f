import type { World } from '@softnet/kernel';

/** How a trial waits for kernel time. What it asks for is virtual time; see {@link RealPace} for what that means on the host's clock. */
export interface Pace {
  /** A step that takes longer hangs, µs of kernel time. */
  readonly stepUs: number;
  /** The same where a trial is taken down: what hangs there was judged before. */
  readonly endUs: number;
  /** Lets so much time pass. */
  pass(us: number): Promise<void>;
  /** The same, for what may be over sooner: in real time it ends as soon as it is so. */
  settle(us: number, over: () => boolean): Promise<void>;
  /** How long `settle` waits at most, for people. */
  inWords(us: number): string;
  /** A deadline to give to the kernel, ms. */
  deadlineMs(ms: number): number;
}

/** @param hangsAfterMs a step in real time; longer than its kernels give to a hook, whose own sentence says more. */
export function paceOf(world: World, hangsAfterMs: number): Pace {
  return world.virtual ? new VirtualPace(world) : new RealPace(world, hangsAfterMs);
}

/** Time is moved: it costs nothing. */
class VirtualPace implements Pace {
  /** Ten minutes. */
  readonly stepUs = 600_000_000;
  readonly endUs = 600_000_000;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  pass(us: number): Promise<void> {
    return this.#world.advance(us);
  }

  settle(us: number): Promise<void> {
    return this.#world.advance(us);
  }

  inWords(us: number): string {
    return `${us / 1_000_000} s`;
  }

  deadlineMs(ms: number): number {
    return ms;
  }
}

/** A second of virtual time is 50 ms of the host's. */
const SCALE = 20;
/** Less is not scaled: it is meant to fall into the midst of something. */
const SHORT_US = 20_000;
const MOST_PASSED_US = 500_000;
/** A busy host needs some time, however little is to be done. */
const LEAST_SETTLED_US = 1_000_000;
const LOOK_MS = 5;

/** Time passes by itself: waiting is sleeping, scaled down. */
class RealPace implements Pace {
  readonly stepUs: number;
  readonly endUs: number;
  readonly #world: World;

  constructor(world: World, hangsAfterMs: number) {
    this.#world = world;
    this.stepUs = hangsAfterMs * 1000;
    this.endUs = hangsAfterMs * 300;
  }

  async pass(us: number): Promise<void> {
    const untilUs = this.#world.nowUs + (us < SHORT_US ? us : Math.min(us / SCALE, MOST_PASSED_US));
    for (let leftUs = untilUs - this.#world.nowUs; leftUs > 0; leftUs = untilUs - this.#world.nowUs) await sleep(Math.floor(leftUs / 1000));
  }

  async settle(us: number, over: () => boolean): Promise<void> {
    const untilUs = this.#world.nowUs + settledUs(us);
    while (!over() && this.#world.nowUs < untilUs) await sleep(LOOK_MS);
  }

  inWords(us: number): string {
    return `${settledUs(us) / 1_000_000} s of real time`;
  }

  deadlineMs(ms: number): number {
    return Math.ceil(ms / SCALE);
  }
}

function settledUs(us: number): number {
  return Math.max(us / SCALE, LEAST_SETTLED_US);
}

/** Less than 1 ms: until the host looked for I/O. */
function sleep(ms: number): Promise<void> {
  const { setImmediate: soon } = globalThis as { setImmediate?: (then: () => void) => unknown };
  return new Promise((resolve) => void (ms < 1 && soon !== undefined ? soon(resolve) : setTimeout(resolve, ms)));
}
