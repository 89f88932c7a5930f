import { inRange, word } from './field-range.ts';
import { addSums, checksumOf, INTACT, sumBytes } from './internet-checksum.ts';
import type { HeaderOption } from './option-list.ts';
import { emitOptions, parseOptions } from './option-list.ts';
import { dstPort, setDstPort, setSrcPort, srcPort } from './ports.ts';
import { viewOf } from './view-of.ts';

/** The TCP header (RFC 9293 §3.1); its ports: `ports.ts`, its options: `optionBytes` and `tcp-options.ts`. */
export const TCP_HEADER_BYTES = 20;
export const TCP_MAX_HEADER_BYTES = 60;
/** Of the field, as `skb.csum` wants it. */
export const TCP_CHECKSUM = 16;

/** Control bits (RFC 9293 §3.1; AE: RFC 9768 §3.1). */
export const TCP_FLAG = Object.freeze({
  FIN: 0x01,
  SYN: 0x02,
  RST: 0x04,
  PSH: 0x08,
  ACK: 0x10,
  URG: 0x20,
  ECE: 0x40,
  CWR: 0x80,
  AE: 0x100,
} as const);
const FLAGS = 0x1ff;

/** What may be wrong with a segment: names of drop reasons, and their text. */
export const TCP_FAULT = Object.freeze({
  'tcp.truncated': 'fewer bytes than its header is long (RFC 9293 §3.1)',
  'tcp.data-offset': 'its data offset is below 5 words (RFC 9293 §3.1)',
  'tcp.checksum': 'its checksum is wrong (RFC 9293 §3.1)',
  'tcp.option': 'the length of an option is below 2, or reaches over the header (RFC 9293 §3.1, MUST-7)',
} as const);
export type TcpFault = keyof typeof TCP_FAULT;

/** int32, wrapping. */
export function tcpSeq(view: DataView, offset: number): number {
  return view.getInt32(offset + 4);
}

export function setTcpSeq(view: DataView, offset: number, seq: number): void {
  view.setInt32(offset + 4, seq);
}

/** int32, wrapping; it counts when the flag ACK is set. */
export function tcpAck(view: DataView, offset: number): number {
  return view.getInt32(offset + 8);
}

export function setTcpAck(view: DataView, offset: number, ack: number): void {
  view.setInt32(offset + 8, ack);
}

/** With options. */
export function tcpHeaderBytes(view: DataView, offset: number): number {
  return (view.getUint8(offset + 12) >>> 4) << 2;
}

/** Bits of {@link TCP_FLAG}. */
export function tcpFlags(view: DataView, offset: number): number {
  return view.getUint16(offset + 12) & FLAGS;
}

/** Header length and flags share 16 bits; the reserved ones between them are sent as zero. */
export function setTcpHeaderBytesAndFlags(view: DataView, offset: number, lenBytes: number, flags: number): void {
  view.setUint16(offset + 12, (lenBytes << 10) | flags);
}

/** As it stands there, not yet scaled (RFC 7323 §2.2). */
export function tcpWindow(view: DataView, offset: number): number {
  return view.getUint16(offset + 14);
}

export function setTcpWindow(view: DataView, offset: number, window: number): void {
  view.setUint16(offset + 14, window);
}

export function tcpChecksum(view: DataView, offset: number): number {
  return view.getUint16(offset + TCP_CHECKSUM);
}

export function setTcpChecksum(view: DataView, offset: number, checksum: number): void {
  view.setUint16(offset + TCP_CHECKSUM, checksum);
}

/** It counts when the flag URG is set. */
export function tcpUrgentPointer(view: DataView, offset: number): number {
  return view.getUint16(offset + 18);
}

export function setTcpUrgentPointer(view: DataView, offset: number, pointer: number): void {
  view.setUint16(offset + 18, pointer);
}

/** Writes the checksum of a segment that lies in one piece. @param pseudoSum from `pseudo-header.ts`. */
export function finishTcp(view: DataView, offset: number, lenBytes: number, pseudoSum: number): void {
  setTcpChecksum(view, offset, 0);
  setTcpChecksum(view, offset, checksumOf(addSums(pseudoSum, sumBytes(view, offset, lenBytes))));
}

/** Looks at the header, neither at options nor at the checksum. @param headBytes that may be read from `offset` on. */
export function tcpFault(view: DataView, offset: number, headBytes: number): TcpFault | null {
  if (headBytes < TCP_HEADER_BYTES) return 'tcp.truncated';
  const headerBytes = tcpHeaderBytes(view, offset);
  if (headerBytes < TCP_HEADER_BYTES) return 'tcp.data-offset';
  return headBytes < headerBytes ? 'tcp.truncated' : null;
}

/** A segment as a plain value; the data offset is computed. */
export interface TcpSegment {
  readonly srcPort: number;
  readonly dstPort: number;
  /** int32 when parsed; `emit` takes unsigned too. */
  readonly seq: number;
  readonly ack: number;
  /** Bits of {@link TCP_FLAG}. */
  readonly flags: number;
  readonly window: number;
  /** As it stands there. */
  readonly checksum: number;
  readonly urgentPointer: number;
  readonly options: readonly HeaderOption[];
  /** Shares the bytes that were parsed. */
  readonly payload: Uint8Array;
}

/** @param pseudoSum given: the checksum is verified. */
export function parseTcp(bytes: Uint8Array, offset: number, length: number, pseudoSum?: number): TcpSegment | TcpFault {
  const view = viewOf(bytes);
  const fault = tcpFault(view, offset, length);
  if (fault !== null) return fault;
  if (pseudoSum !== undefined && addSums(pseudoSum, sumBytes(view, offset, length)) !== INTACT) return 'tcp.checksum';
  const payloadOffset = offset + tcpHeaderBytes(view, offset);
  const options = parseOptions(bytes, view, offset + TCP_HEADER_BYTES, payloadOffset);
  if (options === null) return 'tcp.option';
  return {
    srcPort: srcPort(view, offset),
    dstPort: dstPort(view, offset),
    seq: tcpSeq(view, offset),
    ack: tcpAck(view, offset),
    flags: tcpFlags(view, offset),
    window: tcpWindow(view, offset),
    checksum: tcpChecksum(view, offset),
    urgentPointer: tcpUrgentPointer(view, offset),
    options,
    payload: bytes.subarray(payloadOffset, offset + length),
  };
}

/** @param pseudoSum given: the checksum is computed, whatever the value says. @throws NetError EINVAL */
export function emitTcp(segment: TcpSegment, pseudoSum?: number): Uint8Array {
  const options = emitOptions('tcp.options', segment.options);
  const headerBytes = TCP_HEADER_BYTES + options.length;
  const bytes = new Uint8Array(headerBytes + segment.payload.length);
  const view = viewOf(bytes);
  setSrcPort(view, 0, inRange('tcp.srcPort', segment.srcPort, 0xffff));
  setDstPort(view, 0, inRange('tcp.dstPort', segment.dstPort, 0xffff));
  setTcpSeq(view, 0, word('tcp.seq', segment.seq));
  setTcpAck(view, 0, word('tcp.ack', segment.ack));
  setTcpHeaderBytesAndFlags(view, 0, headerBytes, inRange('tcp.flags', segment.flags, FLAGS));
  setTcpWindow(view, 0, inRange('tcp.window', segment.window, 0xffff));
  setTcpChecksum(view, 0, inRange('tcp.checksum', segment.checksum, 0xffff));
  setTcpUrgentPointer(view, 0, inRange('tcp.urgentPointer', segment.urgentPointer, 0xffff));
  bytes.set(options, TCP_HEADER_BYTES);
  bytes.set(segment.payload, headerBytes);
  if (pseudoSum !== undefined) finishTcp(view, 0, bytes.length, pseudoSum);
  return bytes;
}
