import type { Clock, Counter, Neighbour, Timer } from '@softnet/contract';
import { NEIGHBOUR_STATE } from '@softnet/contract';
import type { NeighbourHash } from './neighbour-hash.ts';
import type { NeighbourLines } from './neighbour-lines.ts';
import type { NeighbourSettings } from './neighbour-settings.ts';

const { NONE, STALE, FAILED, NOARP } = NEIGHBOUR_STATE;

/** Once so many neighbours, or empty buckets, were looked at, the rest waits for the next step: no pause (row R3). */
const LOOK = 128;
const LOOK_BUCKETS = 1024;
/** A slice follows the other after so long. */
const SLICE_US = 10_000;
/** Whoever wants to come in pushes out at most so many. */
const PUSH_OUT = 16;
/** And, of those who have answered, none who was needed within this time. Linux's. Hurried sweeps are as far apart. */
const SETTLED_MS = 5000;

export interface GarbageParts {
  readonly clock: Clock;
  readonly hash: NeighbourHash;
  readonly lines: NeighbourLines;
  readonly settings: NeighbourSettings;
  readonly remove: (neighbour: Neighbour) => void;
  readonly timer: (fire: () => void) => Timer;
  /** How many were looked at. */
  readonly visited: Counter;
}

/** Collects the neighbours of a family that nobody needs, a few at a time; never gateways, and none that were set by hand. */
export class NeighbourGarbage {
  readonly #parts: GarbageParts;
  readonly #timer: Timer;
  /** Buckets that the sweep has still to see. */
  #left = 0;
  #pushed = 0;
  #hurries = false;
  #sweptMs: number;

  constructor(parts: GarbageParts) {
    this.#parts = parts;
    this.#timer = parts.timer(() => this.#sweep());
    this.#sweptMs = (parts.clock.nowMs - SETTLED_MS) | 0;
  }

  /** There is one more: sweeps begin when there are many. */
  grown(): void {
    const { hash, settings } = this.#parts;
    if (hash.count > settings.collectFrom && !this.#timer.armed) this.#timer.arm(settings.collectIntervalMs * 1000);
  }

  /** Room for one more? In a full table who has never answered goes for a newcomer, the first to come first. */
  admit(): boolean {
    const { hash, settings } = this.#parts;
    if (hash.count >= settings.hurryFrom) this.#hurry();
    if (hash.count < settings.limit) return true;
    for (let i = 0; i < PUSH_OUT && hash.count >= settings.limit && this.#pushOutFirst(); i++);
    if (hash.count >= settings.limit) this.#pushOut();
    return hash.count < settings.limit;
  }

  close(): void {
    this.#timer.cancel();
  }

  /** A sweep soon, but not one after the other. */
  #hurry(): void {
    if (this.#left > 0 || ((this.#parts.clock.nowMs - this.#sweptMs) | 0) < SETTLED_MS) return;
    this.#sweptMs = this.#parts.clock.nowMs;
    this.#hurries = true;
    this.#timer.arm(SLICE_US);
  }

  #pushOutFirst(): boolean {
    const { lines, visited, remove } = this.#parts;
    const { first } = lines;
    if (first === null) return false;
    visited.value++;
    remove(first);
    return true;
  }

  #pushOut(): void {
    this.#pushed = 0;
    for (let looked = 0, buckets = 0; looked < LOOK && buckets < LOOK_BUCKETS && this.#pushed < PUSH_OUT; buckets++) {
      looked += this.#walk(this.#pushOutOne);
    }
  }

  readonly #pushOutOne = (neighbour: Neighbour): void => {
    if (this.#pushed >= PUSH_OUT || !this.#isIdle(neighbour, SETTLED_MS)) return;
    this.#pushed++;
    this.#parts.remove(neighbour);
  };

  #walk(visit: (neighbour: Neighbour) => void): number {
    const looked = this.#parts.hash.walk(visit);
    this.#parts.visited.value += looked;
    return looked;
  }

  #isIdle({ state, gatewayOf, updatedMs, usedMs }: Neighbour, forMs: number): boolean {
    if (gatewayOf > 0) return false;
    if (state !== STALE && state !== NONE && state !== NOARP) return state === FAILED;
    const { nowMs } = this.#parts.clock;
    return ((nowMs - updatedMs) | 0) > forMs && ((nowMs - usedMs) | 0) > forMs;
  }

  #sweep(): void {
    const { hash, clock } = this.#parts;
    if (this.#left === 0) {
      this.#left = hash.buckets;
      this.#sweptMs = clock.nowMs;
    }
    for (let looked = 0, buckets = 0; looked < LOOK && buckets < LOOK_BUCKETS && this.#left > 0; buckets++, this.#left--) {
      looked += this.#walk(this.#sweepOne);
    }
    if (this.#left > 0) this.#timer.arm(SLICE_US);
    else {
      this.#hurries = false;
      this.grown();
    }
  }

  readonly #sweepOne = (neighbour: Neighbour): void => {
    const { hash, settings, remove } = this.#parts;
    if (hash.count <= settings.collectFrom) return;
    const isHurried = this.#hurries && hash.count > settings.hurryFrom;
    const staleMs = isHurried ? SETTLED_MS : settings.value(neighbour.device.ifindex, 'gc_stale_time') * 1000;
    if (this.#isIdle(neighbour, staleMs)) remove(neighbour);
  };
}
