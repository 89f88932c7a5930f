import type { Clock, Neighbour, Timer } from '@softnet/contract';
import { NEIGHBOUR_STATE } from '@softnet/contract';
import type { NeighbourHash } from './neighbour-hash.ts';
import type { NeighbourSettings } from './neighbour-settings.ts';

const { NONE, INCOMPLETE, STALE, FAILED, NOARP } = NEIGHBOUR_STATE;

/** At most so many neighbours, and so many empty buckets, are looked at in a row: no pause (row R3). */
const LOOK = 128;
const LOOK_BUCKETS = 1024;
/** A slice follows the other after so long. */
const SLICE_US = 10_000;
/** Whoever wants to come in pushes out at most so many. */
const PUSH_OUT = 16;
/** And none who was needed within this time. Linux's. */
const SETTLED_MS = 5000;
/** Two tries by multicast without an answer: rather him than somebody who answers (RFC 6583 §6.2). */
const UNANSWERED = 2;

export interface GarbageParts {
  readonly clock: Clock;
  readonly hash: NeighbourHash;
  readonly settings: NeighbourSettings;
  readonly remove: (neighbour: Neighbour) => void;
  readonly timer: (fire: () => void) => Timer;
}

/** Collects the neighbours of a family that nobody needs, a few at a time. */
export class NeighbourGarbage {
  readonly #parts: GarbageParts;
  readonly #timer: Timer;
  /** Buckets that the sweep has still to see. */
  #left = 0;
  #pushed = 0;

  constructor(parts: GarbageParts) {
    this.#parts = parts;
    this.#timer = parts.timer(() => this.#sweep());
  }

  /** There is one more: sweeps begin when there are many. */
  grown(): void {
    const { hash, settings } = this.#parts;
    if (hash.count > settings.collectFrom && !this.#timer.armed) this.#timer.arm(settings.collectIntervalMs * 1000);
  }

  /** Room for one more? Pushes some out when there are very many. */
  admit(): boolean {
    const { hash, settings } = this.#parts;
    if (hash.count >= settings.hurryFrom || hash.count >= settings.limit) this.#pushOut();
    return hash.count < settings.limit;
  }

  close(): void {
    this.#timer.cancel();
  }

  #pushOut(): void {
    const { hash } = this.#parts;
    this.#pushed = 0;
    for (let looked = 0, buckets = 0; looked < LOOK && buckets < LOOK_BUCKETS && this.#pushed < PUSH_OUT; buckets++) {
      looked += hash.walk(this.#pushOutOne);
    }
  }

  readonly #pushOutOne = (neighbour: Neighbour): void => {
    if (this.#pushed >= PUSH_OUT || !this.#isIdle(neighbour)) return;
    this.#pushed++;
    this.#parts.remove(neighbour);
  };

  #isIdle({ state, probes, updatedMs, usedMs }: Neighbour): boolean {
    if (state === NONE || state === FAILED) return true;
    if (state === INCOMPLETE) return probes >= UNANSWERED;
    const { nowMs } = this.#parts.clock;
    const settled = ((nowMs - updatedMs) | 0) > SETTLED_MS && ((nowMs - usedMs) | 0) > SETTLED_MS;
    return (state === STALE || state === NOARP) && settled;
  }

  #sweep(): void {
    const { hash } = this.#parts;
    if (this.#left === 0) this.#left = hash.buckets;
    for (let looked = 0, buckets = 0; looked < LOOK && buckets < LOOK_BUCKETS && this.#left > 0; buckets++, this.#left--) {
      looked += hash.walk(this.#sweepOne);
    }
    if (this.#left > 0) this.#timer.arm(SLICE_US);
    else this.grown();
  }

  readonly #sweepOne = (neighbour: Neighbour): void => {
    const { clock, hash, settings, remove } = this.#parts;
    if (hash.count <= settings.collectFrom) return;
    const { state, usedMs, updatedMs } = neighbour;
    const { nowMs } = clock;
    const old = ((nowMs - usedMs) | 0) > settings.staleMs && ((nowMs - updatedMs) | 0) > settings.staleMs;
    if (state === FAILED || ((state === STALE || state === NONE || state === NOARP) && old)) remove(neighbour);
  };
}
