import type { Flow, Skb } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import { ipv6Dst, ipv6FlowLabel, ipv6NextHeader, ipv6Src, ipv6TrafficClass } from '@softnet/wire';
import { needsInterface } from './address-kind.ts';

/** Fills the flow of a received packet, as its sender sees it: for `Route.lookupInput`. */
export function readFlow(skb: Skb, flow: Flow): void {
  const { network } = skb;
  const { view } = skb.memory;
  flow.family = ADDRESS_FAMILY.INET6;
  flow.protocol = ipv6NextHeader(view, network);
  flow.src0 = ipv6Src(view, network, 0);
  flow.src1 = ipv6Src(view, network, 1);
  flow.src2 = ipv6Src(view, network, 2);
  flow.src3 = ipv6Src(view, network, 3);
  flow.dst0 = ipv6Dst(view, network, 0);
  flow.dst1 = ipv6Dst(view, network, 1);
  flow.dst2 = ipv6Dst(view, network, 2);
  flow.dst3 = ipv6Dst(view, network, 3);
  flow.srcPort = 0;
  flow.dstPort = 0;
  flow.mark = skb.mark;
  flow.iif = skb.ifindex;
  // Where an address means nothing without its link, only what is on that one counts.
  flow.oif = needsInterface(flow.dst0) ? skb.ifindex : 0;
  flow.table = 0;
  flow.tos = ipv6TrafficClass(view, network);
  flow.label = ipv6FlowLabel(view, network);
  flow.uid = 0;
  flow.hash = skb.hash;
}

/** An empty flow of ICMPv6, of this type and code, for the caller to fill in both ends. */
export function beginIcmpFlow(flow: Flow, protocol: number, type: number, code: number): void {
  flow.family = ADDRESS_FAMILY.INET6;
  flow.protocol = protocol;
  flow.src0 = 0;
  flow.src1 = 0;
  flow.src2 = 0;
  flow.src3 = 0;
  flow.srcPort = type;
  flow.dstPort = code;
  flow.mark = 0;
  flow.oif = 0;
  flow.iif = 0;
  flow.table = 0;
  flow.tos = 0;
  flow.label = 0;
  flow.uid = 0;
  flow.hash = 0;
}
