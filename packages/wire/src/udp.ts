import { atMost, inRange } from './field-range.ts';
import { addSums, checksumOf, INTACT, sumBytes } from './internet-checksum.ts';
import { dstPort, setDstPort, setSrcPort, srcPort } from './ports.ts';
import { viewOf } from './view-of.ts';

/** The UDP header (RFC 768): ports (`ports.ts`), length, checksum. */
export const UDP_HEADER_BYTES = 8;
/** Of the field, as `skb.csum` wants it. */
export const UDP_CHECKSUM = 6;

/** What may be wrong with a datagram: names of drop reasons, and their text. */
export const UDP_FAULT = Object.freeze({
  'udp.truncated': 'shorter than its header (RFC 768)',
  'udp.length': 'its length is less than its header, or more than has come (RFC 768)',
  'udp.checksum': 'its checksum is wrong (RFC 1122 §4.1.3.4)',
} as const);
export type UdpFault = keyof typeof UDP_FAULT;

/** Header and data. */
export function udpLenBytes(view: DataView, offset: number): number {
  return view.getUint16(offset + 4);
}

export function setUdpLenBytes(view: DataView, offset: number, lenBytes: number): void {
  view.setUint16(offset + 4, lenBytes);
}

/** 0: none was computed (RFC 768); over IPv6 that is an error, but for some tunnels (RFC 8200 §8.1, RFC 6935). */
export function udpChecksum(view: DataView, offset: number): number {
  return view.getUint16(offset + UDP_CHECKSUM);
}

export function setUdpChecksum(view: DataView, offset: number, checksum: number): void {
  view.setUint16(offset + UDP_CHECKSUM, checksum);
}

/** What stands in the field for this sum: 0 is sent as 0xffff (RFC 768). */
export function udpChecksumOf(sum: number): number {
  return checksumOf(sum) || 0xffff;
}

/**
 * Writes the checksum of a datagram that lies in one piece.
 * @param pseudoSum from `pseudo-header.ts`.
 */
export function finishUdp(view: DataView, offset: number, lenBytes: number, pseudoSum: number): void {
  setUdpChecksum(view, offset, 0);
  setUdpChecksum(view, offset, udpChecksumOf(addSums(pseudoSum, sumBytes(view, offset, lenBytes))));
}

/**
 * Looks at the header, not at the checksum.
 * @param headBytes that may be read from `offset` on.
 * @param packetBytes that have come from `offset` on, with what lies in fragments of the skb.
 */
export function udpFault(view: DataView, offset: number, headBytes: number, packetBytes: number): UdpFault | null {
  if (headBytes < UDP_HEADER_BYTES) return 'udp.truncated';
  const lenBytes = udpLenBytes(view, offset);
  return lenBytes < UDP_HEADER_BYTES || lenBytes > packetBytes ? 'udp.length' : null;
}

/** A datagram as a plain value; the length is computed. */
export interface UdpDatagram {
  readonly srcPort: number;
  readonly dstPort: number;
  /** As it stands there; 0: none. */
  readonly checksum: number;
  /** As far as the length goes. Shares the bytes that were parsed. */
  readonly payload: Uint8Array;
}

/** @param pseudoSum given: the checksum is verified, unless it is 0. */
export function parseUdp(bytes: Uint8Array, offset: number, length: number, pseudoSum?: number): UdpDatagram | UdpFault {
  const view = viewOf(bytes);
  const fault = udpFault(view, offset, length, length);
  if (fault !== null) return fault;
  const lenBytes = udpLenBytes(view, offset);
  const checksum = udpChecksum(view, offset);
  if (pseudoSum !== undefined && checksum !== 0 && addSums(pseudoSum, sumBytes(view, offset, lenBytes)) !== INTACT) return 'udp.checksum';
  return {
    srcPort: srcPort(view, offset),
    dstPort: dstPort(view, offset),
    checksum,
    payload: bytes.subarray(offset + UDP_HEADER_BYTES, offset + lenBytes),
  };
}

/** @param pseudoSum given: the checksum is computed, whatever the value says. @throws NetError EINVAL */
export function emitUdp(datagram: UdpDatagram, pseudoSum?: number): Uint8Array {
  const { payload } = datagram;
  const bytes = new Uint8Array(UDP_HEADER_BYTES + atMost('udp.payload', payload.length, 0xffff - UDP_HEADER_BYTES));
  const view = viewOf(bytes);
  setSrcPort(view, 0, inRange('udp.srcPort', datagram.srcPort, 0xffff));
  setDstPort(view, 0, inRange('udp.dstPort', datagram.dstPort, 0xffff));
  setUdpLenBytes(view, 0, bytes.length);
  setUdpChecksum(view, 0, inRange('udp.checksum', datagram.checksum, 0xffff));
  bytes.set(payload, UDP_HEADER_BYTES);
  if (pseudoSum !== undefined) finishUdp(view, 0, bytes.length, pseudoSum);
  return bytes;
}
