import { inRange, word } from './field-range.ts';
import type { IcmpMessage } from './icmp.ts';
import { ICMP_HEADER_BYTES, icmpCode, icmpRest, icmpType, setIcmpChecksum, setIcmpRest, setIcmpTypeAndCode } from './icmp.ts';
import { checksumOf, INTACT, sumBytes } from './internet-checksum.ts';
import { viewOf } from './view-of.ts';

/** ICMP for IPv4 (RFC 792). Fields: `icmp.ts`; the packet that an error is about: `icmp-quote.ts`. */
export const ICMPV4_TYPE = Object.freeze({
  ECHO_REPLY: 0,
  DESTINATION_UNREACHABLE: 3,
  /** Deprecated (RFC 6633). */
  SOURCE_QUENCH: 4,
  REDIRECT: 5,
  ECHO: 8,
  /** RFC 1256. */
  ROUTER_ADVERTISEMENT: 9,
  ROUTER_SOLICITATION: 10,
  TIME_EXCEEDED: 11,
  PARAMETER_PROBLEM: 12,
  TIMESTAMP: 13,
  TIMESTAMP_REPLY: 14,
} as const);

/** Types that once meant something, and are not to be answered any more (RFC 6918 §3, and source quench: RFC 6633). */
export function isIcmpv4Obsolete(type: number): boolean {
  return type === 4 || type === 6 || (type >= 15 && type <= 18) || (type >= 30 && type <= 39);
}

/** A timestamp request or reply (RFC 792): echo's header, and when it was sent, received, and sent back. */
export const ICMPV4_TIMESTAMP_BYTES = 20;

/** When the message at `offset` came, and when it is sent back: as words of RFC 792. */
export function setIcmpv4Times(view: DataView, offset: number, receivedAt: number, sentAt: number): void {
  view.setInt32(offset + 12, receivedAt);
  view.setInt32(offset + 16, sentAt);
}

/** Codes of DESTINATION_UNREACHABLE (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1). */
export const ICMPV4_UNREACHABLE = Object.freeze({
  NET: 0,
  HOST: 1,
  PROTOCOL: 2,
  PORT: 3,
  /** RFC 1191: the low half of the rest is the MTU. */
  FRAGMENTATION_NEEDED: 4,
  SOURCE_ROUTE_FAILED: 5,
  NET_UNKNOWN: 6,
  HOST_UNKNOWN: 7,
  SOURCE_ISOLATED: 8,
  NET_PROHIBITED: 9,
  HOST_PROHIBITED: 10,
  NET_UNREACHABLE_FOR_TOS: 11,
  HOST_UNREACHABLE_FOR_TOS: 12,
  ADMINISTRATIVELY_PROHIBITED: 13,
  PRECEDENCE_VIOLATION: 14,
  PRECEDENCE_CUTOFF: 15,
} as const);

/** Codes of TIME_EXCEEDED. */
export const ICMPV4_TIME_EXCEEDED = Object.freeze({ TTL: 0, REASSEMBLY: 1 } as const);

/** Codes of REDIRECT. */
export const ICMPV4_REDIRECT = Object.freeze({ NET: 0, HOST: 1, NET_FOR_TOS: 2, HOST_FOR_TOS: 3 } as const);

/** What may be wrong with a message: names of drop reasons, and their text. */
export const ICMPV4_FAULT = Object.freeze({
  'icmpv4.truncated': 'shorter than its 8 bytes (RFC 792)',
  'icmpv4.checksum': 'its checksum is wrong (RFC 1122 §3.2.2)',
} as const);
export type Icmpv4Fault = keyof typeof ICMPV4_FAULT;

/** Whether messages of this type quote a packet; none is sent about them (RFC 1122 §3.2.2). Source quench (4): RFC 6633. */
export function isIcmpv4Error(type: number): boolean {
  return (type >= 3 && type <= 5) || type === ICMPV4_TYPE.TIME_EXCEEDED || type === ICMPV4_TYPE.PARAMETER_PROBLEM;
}

/** Writes the checksum of a message that lies in one piece. */
export function finishIcmpv4(view: DataView, offset: number, lenBytes: number): void {
  setIcmpChecksum(view, offset, 0);
  setIcmpChecksum(view, offset, checksumOf(sumBytes(view, offset, lenBytes)));
}

export function parseIcmpv4(bytes: Uint8Array, offset: number, length: number): IcmpMessage | Icmpv4Fault {
  if (length < ICMP_HEADER_BYTES) return 'icmpv4.truncated';
  const view = viewOf(bytes);
  if (sumBytes(view, offset, length) !== INTACT) return 'icmpv4.checksum';
  const payload = bytes.subarray(offset + ICMP_HEADER_BYTES, offset + length);
  return { type: icmpType(view, offset), code: icmpCode(view, offset), rest: icmpRest(view, offset), payload };
}

/** With its checksum. @throws NetError EINVAL */
export function emitIcmpv4({ type, code, rest, payload }: IcmpMessage): Uint8Array {
  const bytes = new Uint8Array(ICMP_HEADER_BYTES + payload.length);
  const view = viewOf(bytes);
  setIcmpTypeAndCode(view, 0, inRange('icmpv4.type', type, 0xff), inRange('icmpv4.code', code, 0xff));
  setIcmpRest(view, 0, word('icmpv4.rest', rest));
  bytes.set(payload, ICMP_HEADER_BYTES);
  finishIcmpv4(view, 0, bytes.length);
  return bytes;
}
