import type { Skb } from '@softnet/contract';
import type { NdMessage } from '../wire/neighbour-message.ts';
import type { Ipv6Reason } from './reasons.ts';
import type { Link } from './surroundings.ts';

/** What becomes of messages of routers and to them, found sound (RFC 4861 §6, §8). None is taken; each returns why it does not count, or null. */
export interface RouterMessages {
  solicited(skb: Skb, link: Link, message: NdMessage): Ipv6Reason | null;
  advertised(skb: Skb, link: Link, message: NdMessage): Ipv6Reason | null;
  redirected(skb: Skb, link: Link, message: NdMessage): Ipv6Reason | null;
}
