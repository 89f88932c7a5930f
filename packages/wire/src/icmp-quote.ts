import { ICMP_HEADER_BYTES } from './icmp.ts';
import { IPV4_HEADER_BYTES, ipv4HeaderBytes, ipv4Protocol, ipv4TotalBytes, ipv4Version } from './ipv4.ts';
import { ipv4FragmentOffsetBytes } from './ipv4-fragment.ts';
import { IPV6_HEADER_BYTES, IPV6_NEXT_HEADER, ipv6NextHeader, ipv6PayloadBytes, ipv6Version } from './ipv6.ts';
import { Ipv6HeaderChain, walkExtensionHeaders } from './ipv6-extension-walk.ts';
import type { Ipv6Limits } from './ipv6-limits.ts';

/** What may be wrong with the packet that an ICMP error quotes: names of drop reasons, and their text. */
export const ICMP_QUOTE_FAULT = Object.freeze({
  'icmp.quote-truncated': 'the packet quoted ends within its IP header (RFC 792, RFC 4443 §3)',
  'icmp.quote-version': 'the packet quoted is of another family, or its header has no such length (RFC 792, RFC 4443 §3)',
  'icmp.quote-extension': 'the packet quoted has extension headers that cannot be followed (RFC 4443 §2.4)',
} as const);
export type IcmpQuoteFault = keyof typeof ICMP_QUOTE_FAULT;

/** The packet that an ICMP error is about: kept and filled anew by its caller; after a fault it says nothing. Offsets are absolute. */
export class IcmpQuote {
  /** Its IP header. */
  network = -1;
  protocol = 0;
  /** Its upper header, of which often only 8 bytes are there; -1: none is, for it is a later fragment. */
  transport = -1;
  /** Behind the last byte of it that is quoted. Compare before you read the upper header. */
  end = -1;
  /** Of an ICMPv6 error's packet. */
  readonly chain: Ipv6HeaderChain = new Ipv6HeaderChain();
}

/** An error may say how long its quote is, for extensions follow then (RFC 4884 §4); units: 4 bytes (v4) or 8 (v6). */
function endOfQuote(offset: number, endOffset: number, lenUnits: number, unitBytes: number): number {
  return lenUnits === 0 ? endOffset : Math.min(endOffset, offset + lenUnits * unitBytes);
}

/**
 * Finds the packet that the ICMPv4 error at `offset` quotes (RFC 792, RFC 1122 §3.2.2). Its total length and checksum are
 * not looked at: only its beginning is there, and routers on the way may have changed it.
 * @param endOffset behind the message.
 */
export function readIcmpv4Quote(view: DataView, offset: number, endOffset: number, quote: IcmpQuote): IcmpQuoteFault | null {
  const network = offset + ICMP_HEADER_BYTES;
  if (network + IPV4_HEADER_BYTES > endOffset) return 'icmp.quote-truncated';
  const headerBytes = ipv4HeaderBytes(view, network);
  if (ipv4Version(view, network) !== 4 || headerBytes < IPV4_HEADER_BYTES) return 'icmp.quote-version';
  const messageEnd = endOfQuote(network, endOffset, lenUnitsOfIcmpv4(view, offset), 4);
  const end = Math.min(messageEnd, network + Math.max(ipv4TotalBytes(view, network), headerBytes));
  if (network + headerBytes > end) return 'icmp.quote-truncated';
  quote.network = network;
  quote.protocol = ipv4Protocol(view, network);
  quote.transport = ipv4FragmentOffsetBytes(view, network) === 0 ? network + headerBytes : -1;
  quote.end = end;
  return null;
}

/** RFC 4884 §4.1 to §4.3: Destination Unreachable, Time Exceeded, Parameter Problem; others have no such field. */
function lenUnitsOfIcmpv4(view: DataView, offset: number): number {
  const type = view.getUint8(offset);
  return type === 3 || type === 11 || type === 12 ? view.getUint8(offset + 5) : 0;
}

/** The same for the ICMPv6 error at `offset` (RFC 4443 §2.4). @param limits of the extension headers in the quote. */
export function readIcmpv6Quote(
  view: DataView,
  offset: number,
  endOffset: number,
  limits: Ipv6Limits,
  quote: IcmpQuote,
): IcmpQuoteFault | null {
  const network = offset + ICMP_HEADER_BYTES;
  if (network + IPV6_HEADER_BYTES > endOffset) return 'icmp.quote-truncated';
  if (ipv6Version(view, network) !== 6) return 'icmp.quote-version';
  const type = view.getUint8(offset);
  const messageEnd = endOfQuote(network, endOffset, type === 1 || type === 3 ? view.getUint8(offset + 4) : 0, 8);
  const payload = network + IPV6_HEADER_BYTES;
  const payloadBytes = ipv6PayloadBytes(view, network);
  const end = payloadBytes === 0 ? messageEnd : Math.min(messageEnd, payload + payloadBytes);
  if (payload > end) return 'icmp.quote-truncated';
  const { chain } = quote;
  const first = ipv6NextHeader(view, network);
  if (walkExtensionHeaders(view, first, network + IPV6_NEXT_HEADER, payload, end, limits, chain) !== null) return 'icmp.quote-extension';
  quote.network = network;
  quote.protocol = chain.protocol;
  quote.transport = chain.transport;
  quote.end = end;
  return null;
}
