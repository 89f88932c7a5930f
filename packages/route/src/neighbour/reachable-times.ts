import type { Clock, Random } from '@softnet/contract';

/** A new time is drawn at least so often, as Linux does; RFC 4861 §6.3.4 says every few hours. */
const REDRAW_MS = 300_000;

interface Drawn {
  baseMs: number;
  reachableMs: number;
  sinceMs: number;
}

/** How long neighbours of a device count as reachable: half to one and a half of the base, so that hosts do not ask in step (RFC 4861 §6.3.2). */
export class ReachableTimes {
  readonly #clock: Clock;
  readonly #random: Pick<Random, 'fraction'>;
  /** By ifindex. */
  readonly #drawn = new Map<number, Drawn>();

  constructor(clock: Clock, random: Pick<Random, 'fraction'>) {
    this.#clock = clock;
    this.#random = random;
  }

  /** ms, at least 1. */
  of(ifindex: number, baseMs: number): number {
    const { nowMs } = this.#clock;
    let drawn = this.#drawn.get(ifindex);
    if (drawn === undefined) {
      drawn = { baseMs: 0, reachableMs: 0, sinceMs: nowMs };
      this.#drawn.set(ifindex, drawn);
    }
    if (drawn.baseMs !== baseMs || ((nowMs - drawn.sinceMs) | 0) > REDRAW_MS) {
      drawn.baseMs = baseMs;
      drawn.reachableMs = Math.max(1, Math.round(baseMs * (0.5 + this.#random.fraction())));
      drawn.sinceMs = nowMs;
    }
    return drawn.reachableMs;
  }
  /** The device has gone. */
  forget(ifindex: number): void {
    this.#drawn.delete(ifindex);
  }
}
