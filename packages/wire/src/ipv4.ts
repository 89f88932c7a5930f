import { inRange, refused } from './field-range.ts';
import { addSums, checksumOf, INTACT, sumBytes, sumWord, updateChecksum16 } from './internet-checksum.ts';
import { formatIpv4, parseIpv4 } from './ipv4-address.ts';
import { IPV4_DF, IPV4_MF, IPV4_OFFSET_MASK } from './ipv4-fragment.ts';
import type { HeaderOption } from './option-list.ts';
import { emitOptions, parseOptions } from './option-list.ts';
import { viewOf } from './view-of.ts';

/** The IPv4 header (RFC 791 §3.1). Accessors: `offset` is where it begins; the caller has checked that it is there. */
export const IPV4_HEADER_BYTES = 20;
export const IPV4_MAX_HEADER_BYTES = 60;
export const IPV4_CHECKSUM = 10;
export const IPV4_SRC = 12;
export const IPV4_DST = 16;

/** What may be wrong with a header: names of drop reasons, and their text. */
export const IPV4_FAULT = Object.freeze({
  'ipv4.truncated': 'fewer bytes than its header is long (RFC 791 §3.1)',
  'ipv4.version': 'its version is not 4 (RFC 1122 §3.2.1.1)',
  'ipv4.header-length': 'its header length is below 5 words (RFC 791 §3.1)',
  'ipv4.checksum': 'its header checksum is wrong (RFC 1122 §3.2.1.2)',
  'ipv4.total-length': 'its total length is less than its header, or more than has come (RFC 791 §3.1)',
  'ipv4.option': 'the length of an option is below 2, or reaches over the header (RFC 791 §3.1)',
} as const);
export type Ipv4Fault = keyof typeof IPV4_FAULT;

export function ipv4Version(view: DataView, offset: number): number {
  return view.getUint8(offset) >>> 4;
}

/** With options. */
export function ipv4HeaderBytes(view: DataView, offset: number): number {
  return (view.getUint8(offset) & 0xf) << 2;
}

export function setIpv4HeaderBytes(view: DataView, offset: number, lenBytes: number): void {
  view.setUint8(offset, 0x40 | (lenBytes >>> 2));
}

/** DSCP << 2 | ECN (RFC 2474, RFC 3168). */
export function ipv4Tos(view: DataView, offset: number): number {
  return view.getUint8(offset + 1);
}

export function setIpv4Tos(view: DataView, offset: number, tos: number): void {
  view.setUint8(offset + 1, tos);
}

/** Header and payload. */
export function ipv4TotalBytes(view: DataView, offset: number): number {
  return view.getUint16(offset + 2);
}

export function setIpv4TotalBytes(view: DataView, offset: number, lenBytes: number): void {
  view.setUint16(offset + 2, lenBytes);
}

export function ipv4Id(view: DataView, offset: number): number {
  return view.getUint16(offset + 4);
}

export function setIpv4Id(view: DataView, offset: number, id: number): void {
  view.setUint16(offset + 4, id);
}

export function ipv4Ttl(view: DataView, offset: number): number {
  return view.getUint8(offset + 8);
}

export function setIpv4Ttl(view: DataView, offset: number, ttl: number): void {
  view.setUint8(offset + 8, ttl);
}

export function ipv4Protocol(view: DataView, offset: number): number {
  return view.getUint8(offset + 9);
}

export function setIpv4Protocol(view: DataView, offset: number, protocol: number): void {
  view.setUint8(offset + 9, protocol);
}

/** int32: word 3 of the contract's address. */
export function ipv4Src(view: DataView, offset: number): number {
  return view.getInt32(offset + IPV4_SRC);
}

export function setIpv4Src(view: DataView, offset: number, address: number): void {
  view.setInt32(offset + IPV4_SRC, address);
}

export function ipv4Dst(view: DataView, offset: number): number {
  return view.getInt32(offset + IPV4_DST);
}

export function setIpv4Dst(view: DataView, offset: number, address: number): void {
  view.setInt32(offset + IPV4_DST, address);
}

/** Writes the header's checksum: the last thing, when all fields are set. */
export function finishIpv4(view: DataView, offset: number): void {
  view.setUint16(offset + IPV4_CHECKSUM, 0);
  view.setUint16(offset + IPV4_CHECKSUM, checksumOf(headerSum(view, offset, ipv4HeaderBytes(view, offset))));
}

/** What `sumBytes` says of a header, for which it takes twice as long. */
function headerSum(view: DataView, offset: number, lenBytes: number): number {
  const word0 = view.getInt32(offset);
  const word1 = view.getInt32(offset + 4);
  const word2 = view.getInt32(offset + 8);
  const word3 = view.getInt32(offset + 12);
  const word4 = view.getInt32(offset + 16);
  const high = (word0 >>> 16) + (word1 >>> 16) + (word2 >>> 16) + (word3 >>> 16) + (word4 >>> 16);
  const low = (word0 & 0xffff) + (word1 & 0xffff) + (word2 & 0xffff) + (word3 & 0xffff) + (word4 & 0xffff);
  const sum = sumWord(high + low);
  return lenBytes > IPV4_HEADER_BYTES ? addSums(sum, sumBytes(view, offset + IPV4_HEADER_BYTES, lenBytes - IPV4_HEADER_BYTES)) : sum;
}

/** One hop more: TTL less one, checksum mended (RFC 1812 §5.3.1, RFC 1624). The TTL is 1 or more. */
export function decrementIpv4Ttl(view: DataView, offset: number): void {
  const from = view.getUint16(offset + 8);
  const to = from - 0x100;
  view.setUint16(offset + 8, to);
  view.setUint16(offset + IPV4_CHECKSUM, updateChecksum16(view.getUint16(offset + IPV4_CHECKSUM), from, to));
}

/**
 * Looks at the header, in the order of RFC 1812 §5.2.2. The options are the caller's: see `optionBytes`.
 * @param headBytes that may be read from `offset` on.
 * @param packetBytes that have come from `offset` on, with what lies in fragments of the skb.
 */
export function ipv4Fault(view: DataView, offset: number, headBytes: number, packetBytes: number): Ipv4Fault | null {
  if (headBytes < IPV4_HEADER_BYTES) return 'ipv4.truncated';
  if (ipv4Version(view, offset) !== 4) return 'ipv4.version';
  const headerBytes = ipv4HeaderBytes(view, offset);
  if (headerBytes < IPV4_HEADER_BYTES) return 'ipv4.header-length';
  if (headBytes < headerBytes) return 'ipv4.truncated';
  if (headerSum(view, offset, headerBytes) !== INTACT) return 'ipv4.checksum';
  const totalBytes = ipv4TotalBytes(view, offset);
  if (totalBytes < headerBytes || totalBytes > packetBytes) return 'ipv4.total-length';
  return null;
}

/** A packet as a plain value; lengths and checksum are computed. */
export interface Ipv4Packet {
  readonly tos: number;
  readonly id: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** A multiple of 8. */
  readonly fragmentOffsetBytes: number;
  readonly ttl: number;
  readonly protocol: number;
  /** `192.0.2.1`. */
  readonly src: string;
  readonly dst: string;
  readonly options: readonly HeaderOption[];
  /** As far as the total length goes. Shares the bytes that were parsed. */
  readonly payload: Uint8Array;
}

export function parseIpv4Packet(bytes: Uint8Array, offset: number, length: number): Ipv4Packet | Ipv4Fault {
  const view = viewOf(bytes);
  const fault = ipv4Fault(view, offset, length, length);
  if (fault !== null) return fault;
  const payloadOffset = offset + ipv4HeaderBytes(view, offset);
  const options = parseOptions(bytes, view, offset + IPV4_HEADER_BYTES, payloadOffset);
  if (options === null) return 'ipv4.option';
  const fragment = view.getUint16(offset + 6);
  return {
    tos: ipv4Tos(view, offset),
    id: ipv4Id(view, offset),
    dontFragment: (fragment & IPV4_DF) !== 0,
    moreFragments: (fragment & IPV4_MF) !== 0,
    fragmentOffsetBytes: (fragment & IPV4_OFFSET_MASK) << 3,
    ttl: ipv4Ttl(view, offset),
    protocol: ipv4Protocol(view, offset),
    src: formatIpv4(ipv4Src(view, offset)),
    dst: formatIpv4(ipv4Dst(view, offset)),
    options,
    payload: bytes.subarray(payloadOffset, offset + ipv4TotalBytes(view, offset)),
  };
}

/** @throws NetError EINVAL */
export function emitIpv4Packet(packet: Ipv4Packet): Uint8Array {
  const options = emitOptions('ipv4.options', packet.options);
  const headerBytes = IPV4_HEADER_BYTES + options.length;
  const bytes = new Uint8Array(headerBytes + packet.payload.length);
  const view = viewOf(bytes);
  setIpv4HeaderBytes(view, 0, headerBytes);
  setIpv4Tos(view, 0, inRange('ipv4.tos', packet.tos, 0xff));
  setIpv4TotalBytes(view, 0, inRange('ipv4.total-length', bytes.length, 0xffff));
  setIpv4Id(view, 0, inRange('ipv4.id', packet.id, 0xffff));
  view.setUint16(6, fragmentField(packet));
  setIpv4Ttl(view, 0, inRange('ipv4.ttl', packet.ttl, 0xff));
  setIpv4Protocol(view, 0, inRange('ipv4.protocol', packet.protocol, 0xff));
  setIpv4Src(view, 0, addressOf('ipv4.src', packet.src));
  setIpv4Dst(view, 0, addressOf('ipv4.dst', packet.dst));
  bytes.set(options, IPV4_HEADER_BYTES);
  finishIpv4(view, 0);
  bytes.set(packet.payload, headerBytes);
  return bytes;
}

function fragmentField({ dontFragment, moreFragments, fragmentOffsetBytes }: Ipv4Packet): number {
  const offset = inRange('ipv4.fragmentOffsetBytes', fragmentOffsetBytes, IPV4_OFFSET_MASK << 3);
  if ((offset & 7) !== 0) throw refused('ipv4.fragmentOffsetBytes', String(offset), 'a multiple of 8');
  return (dontFragment ? IPV4_DF : 0) | (moreFragments ? IPV4_MF : 0) | (offset >>> 3);
}

function addressOf(field: string, text: string): number {
  const address = parseIpv4(text);
  if (address === null) throw refused(field, `'${text}'`, "an IPv4 address like '192.0.2.1'");
  return address;
}
