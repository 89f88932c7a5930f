import type { Clock, Random } from '@softnet/contract';
import { IcmpAllowance } from '@softnet/inet';
import { isTooBig } from './icmp-errors.ts';
import { isLoopback } from './special-address.ts';

/** What settings say: `net.ipv4.icmp_*`. */
interface Bound {
  readonly value: number;
}
export interface IcmpBounds {
  /** Bits by type: which are limited. */
  readonly icmpRatemask: Bound;
  readonly icmpRatelimitMs: Bound;
  readonly icmpPerSecond: Bound;
  readonly icmpBurst: Bound;
}

/** How many ICMP messages leave (RFC 1812 §4.3.2.8): of the types in the mask so many to each peer, and so many in all. */
export class IcmpLimits {
  readonly #bounds: IcmpBounds;
  readonly #allowance: IcmpAllowance;

  constructor(clock: Clock, random: Random, bounds: IcmpBounds) {
    this.#bounds = bounds;
    this.#allowance = new IcmpAllowance(clock, random);
  }

  /** May it be sent? Then it counts. */
  take(type: number, code: number, peer: number): boolean {
    const { icmpRatemask, icmpRatelimitMs, icmpPerSecond, icmpBurst } = this.#bounds;
    // Whoever looks for a path's MTU is not kept waiting.
    if (isTooBig(type, code) || type > 31 || (icmpRatemask.value & (1 << type)) === 0) return true;
    return this.#allowance.take(peer, isLoopback(peer) ? 0 : icmpRatelimitMs.value, icmpPerSecond.value, icmpBurst.value);
  }
}
