import { NetError } from '@softnet/contract';
import type { World } from '@softnet/kernel';
import { ScriptFailure } from '../system/script-failure.ts';

/** How long a script may take. */
export interface ScriptLimits {
  /** Virtual time, µs. Default: an hour. */
  readonly virtualUs: number;
  /** Real time, ms. Default: 30 s. */
  readonly realMs: number;
}

export const SCRIPT_LIMITS: ScriptLimits = Object.freeze({ virtualUs: 3_600_000_000, realMs: 30_000 });

/** Real time is looked at so often, in virtual time. */
const SLICE_US = 5_000_000;

/** A script's time, from its own beginning. */
export interface ScriptClock {
  readonly nowUs: number;
  /** Of a time of the kernel's clock, which packets have. */
  scriptUs(kernelUs: number): number;
  /** Lets time pass up to there, and all happen that is due. @throws ScriptFailure at a limit. */
  advanceTo(us: number): Promise<void>;
  /** Lets time pass until the promise settles, at most up to there. @throws ScriptFailure at a limit. */
  until(promise: Promise<unknown>, us: number): Promise<void>;
  /** When an event was, of which this is known: what the next one's relative time counts from. */
  happened(us: number): number;
}

/** The World's time. */
export class VirtualClock implements ScriptClock {
  readonly #world: World;
  readonly #limits: ScriptLimits;
  readonly #startUs: number;
  readonly #startMs: number = performance.now();

  constructor(world: World, limits: ScriptLimits) {
    this.#world = world;
    this.#limits = limits;
    this.#startUs = world.nowUs;
  }

  get nowUs(): number {
    return this.#world.nowUs - this.#startUs;
  }

  scriptUs(worldUs: number): number {
    return worldUs - this.#startUs;
  }

  async advanceTo(us: number): Promise<void> {
    do {
      this.#check();
      await this.#world.advance(Math.max(Math.min(us - this.nowUs, SLICE_US), 0));
    } while (this.nowUs < us);
  }

  async until(promise: Promise<unknown>, us: number): Promise<void> {
    let settled = false;
    void promise.then(() => {
      settled = true;
    });
    while (!settled && this.nowUs <= us) {
      this.#check();
      const sliceUs = Math.max(Math.min(us - this.nowUs, SLICE_US), 0);
      await this.#world.run(promise, { limitUs: sliceUs }).catch((error: unknown) => {
        if (!(error instanceof NetError && error.code === 'ETIMEDOUT')) throw error;
      });
      if (this.nowUs >= us) return;
    }
  }

  /** Nothing takes time but waiting. */
  happened(): number {
    return this.nowUs;
  }

  #check(): void {
    if (this.nowUs > this.#limits.virtualUs)
      throw new ScriptFailure(`it has not ended after ${this.#limits.virtualUs / 1e6} s of virtual time`);
    if (performance.now() - this.#startMs > this.#limits.realMs) {
      throw new ScriptFailure(`it has not ended after ${this.#limits.realMs / 1000} s of real time`);
    }
  }
}
