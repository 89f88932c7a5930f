import type { NetDevice } from './device.ts';
import type { Skb } from './skb.ts';
import { definePoint } from './token.ts';

/**
 * Sees packets for others that say "routers, examine this" (RFC 2113, RFC 2711) before they are passed on: RSVP's daemon, a raw socket
 * with IP_ROUTER_ALERT. Asked in turn. A **corridor**. Linux's `ip_ra_chain`.
 */
export interface RouterAlert {
  /** One of `ADDRESS_FAMILY`. */
  readonly family: number;
  /** IP protocol; -1: any. */
  readonly protocol: number;
  /** True: it took the packet, which goes no further. False: it has not touched it. `data` is at `network`. */
  take(skb: Skb, input: NetDevice): boolean;
}
export const RouterAlert = definePoint<RouterAlert>({ name: 'router-alert', version: '1.0.0' });
