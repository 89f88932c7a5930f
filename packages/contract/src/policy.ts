import type { Dst } from './dst.ts';
import type { Flow } from './flow.ts';
import type { NetworkLayer } from './network-layer.ts';
import type { Skb } from './skb.ts';
import { defineService } from './token.ts';

/** Which way a packet goes that a policy is asked about. Linux's `XFRM_POLICY_*`. */
export const POLICY_DIRECTION = Object.freeze({ IN: 0, OUT: 1, FORWARD: 2 } as const);

/**
 * IPsec policy on the packet's way (RFC 4301 §4.4.1). A **corridor** of xfrm; without it every packet may pass, as it is.
 * Linux's `xfrm_lookup` and `xfrm_policy_check`.
 */
export interface PacketPolicy {
  /**
   * The dst to send this flow by: `dst` itself, transformations stacked on it, an error, or one that queues while the
   * key manager is asked (row X1). Callers: route, at each lookup; layers, when forwarding or re-routed.
   */
  stack(dst: Dst, flow: Flow): Dst;
  /** May the packet, with the transformations in its secpath, go in or be forwarded? False: it was dropped. */
  admit(skb: Skb, direction: number, layer: NetworkLayer): boolean;
}
export const PacketPolicy = defineService<PacketPolicy>({
  name: 'packet-policy',
  version: '1.0.0',
  methods: ['stack', 'admit'],
  absent: () => ({ stack: (dst) => dst, admit: () => true }),
});
