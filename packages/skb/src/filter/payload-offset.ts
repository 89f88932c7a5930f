import type { Skb } from '@softnet/contract';
import { ETHERTYPE, IP_PROTOCOL } from '@softnet/contract';
import { load, loadable } from './packet-load.ts';

const { IPV4, IPV6, VLAN, QINQ } = ETHERTYPE;
/** IPv6's extension headers that are stepped over (RFC 8200 §4): hop-by-hop, routing, destination; and the fragment's. */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION = 60;
/** Headers that are looked at: Linux's `FLOW_DISSECT_MAX_HDRS`. */
const MAX_HEADERS = 15;
/** What is found behind the headers has no ethertype. */
const DONE = -1;

/** Where a walk is. Kept, and filled anew. */
class Walk {
  /** Of the header at hand, counted from `skb.data`; its ethertype, or {@link DONE}. */
  place = 0;
  type = 0;
  protocol = 0;
  /** Of a fragment that is not the first there is no header behind IP's. */
  isRest = false;
}

/**
 * Where a packet's payload begins, behind TCP, UDP and the like: Linux's `skb_get_poff`, SKF_AD_PAY_OFFSET. 0: it has no IP header that is whole.
 * DEVIATION: Linux looks into GRE, MPLS and PPPoE too.
 */
export class PayloadOffset {
  readonly #walk = new Walk();

  of(skb: Skb): number {
    const walk = this.#walk;
    if (skb.network < 0) return 0;
    walk.place = skb.network - skb.data;
    walk.type = skb.protocol;
    walk.isRest = false;
    for (let i = 0; i < MAX_HEADERS && walk.type !== DONE; i++) if (!step(skb, walk)) return 0;
    if (walk.type !== DONE) return 0;
    return walk.isRest ? walk.place : walk.place + upperBytes(skb, walk);
  }
}

/** Over one header. False: it is not whole, or none that is known. */
function step(skb: Skb, walk: Walk): boolean {
  if (walk.type === IPV4) return overIpv4(skb, walk);
  if (walk.type === IPV6) return overIpv6(skb, walk);
  if ((walk.type !== VLAN && walk.type !== QINQ) || !loadable(skb, walk.place, 4)) return false;
  walk.type = load(skb, walk.place + 2, 2);
  walk.place += 4;
  return true;
}

function overIpv4(skb: Skb, walk: Walk): boolean {
  const { place } = walk;
  if (!loadable(skb, place, 20)) return false;
  const headerBytes = (load(skb, place, 1) & 0xf) * 4;
  if (headerBytes < 20) return false;
  const fragment = load(skb, place + 6, 2) & 0x3fff;
  walk.protocol = load(skb, place + 9, 1);
  walk.place += headerBytes;
  walk.isRest = (fragment & 0x1fff) !== 0;
  walk.type = fragment === 0 ? innerType(walk.protocol) : DONE;
  return true;
}

function overIpv6(skb: Skb, walk: Walk): boolean {
  if (!loadable(skb, walk.place, 40)) return false;
  walk.protocol = load(skb, walk.place + 6, 1);
  walk.place += 40;
  for (let i = 0; i < MAX_HEADERS; i++) {
    const { protocol, place } = walk;
    if (protocol === FRAGMENT) {
      if (!loadable(skb, place, 8)) return false;
      walk.protocol = load(skb, place, 1);
      walk.isRest = (load(skb, place + 2, 2) & 0xfff8) !== 0;
      walk.place += 8;
      walk.type = DONE;
      return true;
    }
    if (protocol !== HOP_BY_HOP && protocol !== ROUTING && protocol !== DESTINATION) break;
    if (!loadable(skb, place, 8)) return false;
    walk.protocol = load(skb, place, 1);
    walk.place += 8 * (load(skb, place + 1, 1) + 1);
  }
  walk.type = innerType(walk.protocol);
  return true;
}

function innerType(protocol: number): number {
  return protocol === IP_PROTOCOL.IPIP ? IPV4 : protocol === IP_PROTOCOL.IPV6 ? IPV6 : DONE;
}

/** Bytes of the header above IP; 0: of none that is known, or TCP's length is not there. */
function upperBytes(skb: Skb, { place, protocol }: Walk): number {
  switch (protocol) {
    case IP_PROTOCOL.TCP:
      return loadable(skb, place + 12, 1) ? Math.max(20, (load(skb, place + 12, 1) & 0xf0) >>> 2) : 0;
    case IP_PROTOCOL.UDP:
    case IP_PROTOCOL.UDPLITE:
    case IP_PROTOCOL.ICMP:
    case IP_PROTOCOL.ICMPV6:
    case IP_PROTOCOL.IGMP:
      return 8;
    case IP_PROTOCOL.DCCP:
    case IP_PROTOCOL.SCTP:
      return 12;
    default:
      return 0;
  }
}
