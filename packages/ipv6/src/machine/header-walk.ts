import type { Skb } from '@softnet/contract';
import type { ExtensionFault, Ipv6HeaderChain, Ipv6Limits } from '@softnet/wire';
import {
  extensionHeaderBytes,
  extensionNextHeader,
  IPV6_EXTENSION,
  IPV6_HEADER_BYTES,
  IPV6_NEXT_HEADER,
  ipv6FragmentOffsetBytes,
  ipv6NextHeader,
  isExtensionHeader,
  walkExtensionHeaders,
} from '@softnet/wire';

/**
 * Walks the headers of a packet that lies in the head as far as they go, `network` set. On a chain that cannot be followed it says
 * what was reached: `nextHeaderOffset` and `protocol` are those at the fault. Null: all of it was.
 */
export function walkHeaders(skb: Skb, limits: Ipv6Limits, chain: Ipv6HeaderChain): ExtensionFault | null {
  const { network, tail } = skb;
  const { view } = skb.memory;
  const first = ipv6NextHeader(view, network);
  const start = network + IPV6_HEADER_BYTES;
  return walkExtensionHeaders(view, first, network + IPV6_NEXT_HEADER, start, tail, limits, chain);
}

/** The part of a packet that stands before every fragment (RFC 8200 §4.5): kept and filled anew. */
export class Unfragmentable {
  /** From `network` on. */
  lenBytes = 0;
  /** Where the number of what follows it stands, from `network` on; and the number. */
  nextHeaderAt = 0;
  nextHeader = 0;
}

/** Header, hop-by-hop options, and all up to the routing header. */
export function findUnfragmentable(skb: Skb, part: Unfragmentable): void {
  const { network, tail } = skb;
  const { view } = skb.memory;
  part.lenBytes = IPV6_HEADER_BYTES;
  part.nextHeaderAt = IPV6_NEXT_HEADER;
  part.nextHeader = ipv6NextHeader(view, network);
  let protocol = part.nextHeader;
  for (let at = network + IPV6_HEADER_BYTES; isExtensionHeader(protocol); ) {
    const lenBytes = extensionHeaderBytes(view, protocol, at, tail);
    if (lenBytes === 0) return;
    const isBefore = protocol === IPV6_EXTENSION.HOP_BY_HOP || protocol === IPV6_EXTENSION.ROUTING;
    protocol = extensionNextHeader(view, at);
    if (isBefore) {
      part.lenBytes = at + lenBytes - network;
      part.nextHeaderAt = at - network;
      part.nextHeader = protocol;
    }
    at += lenBytes;
  }
}

/** Where a packet's headers end: kept and filled anew. Offsets are absolute. */
export class LastHeader {
  protocol = 0;
  /** Where its number stands. */
  nextHeaderOffset = -1;
  /** -1: it is not in this packet, or its own length cannot be followed. */
  at = -1;
  isFragment = false;
}

/** As far as lengths lead, whatever is wrong with options, and however many headers there are: an error must know what it is about. */
export function findLastHeader(skb: Skb, last: LastHeader): void {
  const { network, tail } = skb;
  const { view } = skb.memory;
  last.protocol = ipv6NextHeader(view, network);
  last.nextHeaderOffset = network + IPV6_NEXT_HEADER;
  last.at = network + IPV6_HEADER_BYTES;
  last.isFragment = false;
  while (last.at >= 0 && isExtensionHeader(last.protocol)) {
    const { protocol, at } = last;
    const lenBytes = extensionHeaderBytes(view, protocol, at, tail);
    if (lenBytes > 0) {
      last.protocol = extensionNextHeader(view, at);
      last.nextHeaderOffset = at;
    }
    last.at = lenBytes === 0 ? -1 : at + lenBytes;
    if (protocol !== IPV6_EXTENSION.FRAGMENT || lenBytes === 0) continue;
    last.isFragment = true;
    if (ipv6FragmentOffsetBytes(view, at) !== 0) last.at = -1;
  }
}
