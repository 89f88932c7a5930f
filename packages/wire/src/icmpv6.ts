import { inRange, word } from './field-range.ts';
import type { IcmpMessage } from './icmp.ts';
import { ICMP_HEADER_BYTES, icmpCode, icmpRest, icmpType, setIcmpChecksum, setIcmpRest, setIcmpTypeAndCode } from './icmp.ts';
import { addSums, checksumOf, INTACT, sumBytes } from './internet-checksum.ts';
import { viewOf } from './view-of.ts';

/** ICMPv6 (RFC 4443). Fields: `icmp.ts`; the packet that an error is about: `icmp-quote.ts`. */
export const ICMPV6_TYPE = Object.freeze({
  DESTINATION_UNREACHABLE: 1,
  PACKET_TOO_BIG: 2,
  TIME_EXCEEDED: 3,
  PARAMETER_PROBLEM: 4,
  ECHO_REQUEST: 128,
  ECHO_REPLY: 129,
  /** RFC 2710. */
  MLD_QUERY: 130,
  MLD_REPORT: 131,
  MLD_DONE: 132,
  /** RFC 4861 §4. */
  ROUTER_SOLICITATION: 133,
  ROUTER_ADVERTISEMENT: 134,
  NEIGHBOR_SOLICITATION: 135,
  NEIGHBOR_ADVERTISEMENT: 136,
  REDIRECT: 137,
  /** RFC 3810 §5.2. */
  MLD2_REPORT: 143,
} as const);

/** Codes of DESTINATION_UNREACHABLE (RFC 4443 §3.1). */
export const ICMPV6_UNREACHABLE = Object.freeze({
  NO_ROUTE: 0,
  ADMINISTRATIVELY_PROHIBITED: 1,
  BEYOND_SCOPE: 2,
  ADDRESS: 3,
  PORT: 4,
  SOURCE_POLICY: 5,
  REJECT_ROUTE: 6,
} as const);

/** Codes of TIME_EXCEEDED (RFC 4443 §3.3). */
export const ICMPV6_TIME_EXCEEDED = Object.freeze({ HOP_LIMIT: 0, REASSEMBLY: 1 } as const);

/** Codes of PARAMETER_PROBLEM (RFC 4443 §3.4; 3: RFC 7112; from 6: limits, RFC 8883 §3). */
export const ICMPV6_PARAMETER_PROBLEM = Object.freeze({
  FIELD: 0,
  NEXT_HEADER: 1,
  OPTION: 2,
  INCOMPLETE_CHAIN: 3,
  HEADER_TOO_BIG: 6,
  TOO_MANY_HEADERS: 8,
  TOO_MANY_OPTIONS: 9,
  OPTION_TOO_BIG: 10,
} as const);

/** What may be wrong with a message: names of drop reasons, and their text. */
export const ICMPV6_FAULT = Object.freeze({
  'icmpv6.truncated': 'shorter than its 8 bytes (RFC 4443 §2.1)',
  'icmpv6.checksum': 'its checksum is wrong (RFC 4443 §2.3)',
} as const);
export type Icmpv6Fault = keyof typeof ICMPV6_FAULT;

/** Whether messages of this type quote a packet; none is sent about them (RFC 4443 §2.1, §2.4(e)), nor about redirects. */
export function isIcmpv6Error(type: number): boolean {
  return type < 128;
}

/** Writes the checksum of a message that lies in one piece. @param pseudoSum from `pseudo-header.ts`. */
export function finishIcmpv6(view: DataView, offset: number, lenBytes: number, pseudoSum: number): void {
  setIcmpChecksum(view, offset, 0);
  setIcmpChecksum(view, offset, checksumOf(addSums(pseudoSum, sumBytes(view, offset, lenBytes))));
}

/** @param pseudoSum from `pseudo-header.ts`. */
export function parseIcmpv6(bytes: Uint8Array, offset: number, length: number, pseudoSum: number): IcmpMessage | Icmpv6Fault {
  if (length < ICMP_HEADER_BYTES) return 'icmpv6.truncated';
  const view = viewOf(bytes);
  if (addSums(pseudoSum, sumBytes(view, offset, length)) !== INTACT) return 'icmpv6.checksum';
  const payload = bytes.subarray(offset + ICMP_HEADER_BYTES, offset + length);
  return { type: icmpType(view, offset), code: icmpCode(view, offset), rest: icmpRest(view, offset), payload };
}

/** With its checksum. @param pseudoSum from `pseudo-header.ts`. @throws NetError EINVAL */
export function emitIcmpv6({ type, code, rest, payload }: IcmpMessage, pseudoSum: number): Uint8Array {
  const bytes = new Uint8Array(ICMP_HEADER_BYTES + payload.length);
  const view = viewOf(bytes);
  setIcmpTypeAndCode(view, 0, inRange('icmpv6.type', type, 0xff), inRange('icmpv6.code', code, 0xff));
  setIcmpRest(view, 0, word('icmpv6.rest', rest));
  bytes.set(payload, ICMP_HEADER_BYTES);
  finishIcmpv6(view, 0, bytes.length, pseudoSum);
  return bytes;
}
