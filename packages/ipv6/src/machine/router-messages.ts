import type { Dst, Skb, SkbStep } from '@softnet/contract';
import type { NdMessage } from '../wire/neighbour-message.ts';
import type { Ipv6Reason } from './reasons.ts';
import type { Link } from './surroundings.ts';

/** What becomes of messages of routers and to them, found sound (RFC 4861 §6, §8). None is taken; each returns why it does not count, or null. */
export interface RouterMessages {
  solicited(skb: Skb, link: Link, message: NdMessage): Ipv6Reason | null;
  advertised(skb: Skb, link: Link, message: NdMessage): Ipv6Reason | null;
  redirected(skb: Skb, link: Link, message: NdMessage): Ipv6Reason | null;
  /** A neighbor solicitation for an address that is not this host's (§7.2.8). */
  askedForOther(skb: Skb, link: Link, message: NdMessage): Ipv6Reason | null;
  /** A router that did not answer has just been asked whether it is back (RFC 4191 §3.2). */
  isAwaited(link: Link, word0: number, word1: number, word2: number, word3: number): boolean;
}

/** What a router does for neighbours beside passing their packets on. */
export interface ForwardAids {
  /** Takes a packet that is for this host after all. */
  readonly accept: SkbStep;
  /** What looks like a packet for another is a question that this host answers. */
  isAsked(skb: Skb): boolean;
  /** A packet, as it came, that leaves by the device that brought it. Does not take it. */
  goesBack(skb: Skb, dst: Dst): void;
}
