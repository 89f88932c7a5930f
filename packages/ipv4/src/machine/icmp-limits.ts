import type { Clock, Random } from '@softnet/contract';
import { TokenBucket } from '@softnet/inet';
import { isTooBig } from './icmp-errors.ts';
import { PeerLimit } from './peer-limit.ts';
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
  readonly #random: Random;
  readonly #bucket: TokenBucket;
  readonly #peers: PeerLimit;

  constructor(clock: Clock, random: Random, bounds: IcmpBounds) {
    this.#bounds = bounds;
    this.#random = random;
    this.#bucket = new TokenBucket(clock);
    this.#peers = new PeerLimit(clock, random.u32());
  }

  /** May it be sent? Then it counts. */
  take(type: number, code: number, peer: number): boolean {
    const { icmpRatemask, icmpRatelimitMs, icmpPerSecond, icmpBurst } = this.#bounds;
    // Whoever looks for a path's MTU is not kept waiting.
    if (isTooBig(type, code) || type > 31 || (icmpRatemask.value & (1 << type)) === 0) return true;
    if (!this.#bucket.hasOne(icmpPerSecond.value, icmpBurst.value)) return false;
    // A peer that has had its share takes nothing from the others.
    if (!isLoopback(peer) && !this.#peers.take(peer, icmpRatelimitMs.value)) return false;
    // One on average: so nobody can count who else was told, and find out ports by it (Linux's `icmp_global_consume`).
    this.#bucket.spend(this.#random.below(3));
    return true;
  }
}
