import type { Skb } from './skb.ts';

/** What became of a packet that is offered for merging. */
export const GRO = Object.freeze({
  /** Of another flow: try the next one held. */
  DIFFERENT: 0,
  /** It is part of the held packet now, and taken. */
  MERGED: 1,
  /** The same, and the held packet is complete: hand it up. */
  MERGED_LAST: 2,
  /** Of the same flow, but it must not be merged (flags, ECN, a gap, another size): hand up the held packet, then this one. */
  FLUSH: 3,
} as const);

/**
 * Merging of received packets, brought by ethertypes and protocols, called by netdev's engine between poll and taps: a
 * **corridor**. An ethertype's compares its own header, then asks its protocol's. What is merged must be cut into the
 * same packets again by `segment`, bit for bit; ECN marks and differing headers never merge (row S7).
 */
export interface Gro {
  /**
   * May this packet be held for others? Checks the header at `skb.data + offset`, and the checksum, without taking it; `skb.network` is at the IP header.
   * False: hand it up at once.
   */
  begin(skb: Skb, offset: number): boolean;
  /**
   * Are both of one flow? Asked of what must not be merged (other link headers, `begin` said no), so that it does not overtake what is held. When in
   * doubt, as of a packet whose headers are not understood: true.
   */
  sameFlow(held: Skb, skb: Skb, offset: number): boolean;
  /** Offers `skb` to a packet that is held; both have their header at this offset from `data`. Returns one of {@link GRO}. */
  merge(held: Skb, skb: Skb, offset: number): number;
  /** The held packet goes up: mend lengths and checksum state, set `gsoSize` and `gsoType`. `gsoSegs`, which `merge` counts, is 2 or more. */
  finish(held: Skb, offset: number): void;
}
