import type { Clock, Random } from '@softnet/contract';
import { PeerLimit } from './peer-limit.ts';
import { TokenBucket } from './token-bucket.ts';

/** How many ICMP messages leave: so many to each peer, and so many in all (RFC 1812 §4.3.2.8, RFC 4443 §2.4 f). */
export class IcmpAllowance {
  readonly #random: Random;
  readonly #bucket: TokenBucket;
  readonly #peers: PeerLimit;

  constructor(clock: Clock, random: Random) {
    this.#random = random;
    this.#bucket = new TokenBucket(clock);
    this.#peers = new PeerLimit(clock, random.u32());
  }

  /**
   * May one be sent? Then it counts.
   * @param peer its address, or a keyed hash of it. @param intervalMs between two to a peer, but for a burst of 6; 0: no limit.
   * @param perSecond to all, @param burst and at once.
   */
  take(peer: number, intervalMs: number, perSecond: number, burst: number): boolean {
    if (!this.#bucket.hasOne(perSecond, burst)) return false;
    // A peer that has had its share takes nothing from the others.
    if (!this.#peers.take(peer, intervalMs)) return false;
    // One on average: so nobody can count who else was told, and find out ports by it (Linux's `icmp_global_consume`).
    this.#bucket.spend(this.#random.below(3));
    return true;
  }
}
