import type { Skb } from './skb.ts';

/** What a socket has been told to look at its packets with (SO_ATTACH_FILTER): a program, or code of a module's. Allocates nothing, throws never. */
export interface PacketFilter {
  /** Bytes from `skb.data` on that the socket is given of it; 0: it is not given it. More than it has: all. */
  run(skb: Skb): number;
}
