/** What ICMPv4 (RFC 792) and ICMPv6 (RFC 4443 §2.1) headers have in common: type, code, checksum, and 32 bits that depend on the type. */
export const ICMP_HEADER_BYTES = 8;
/** Of the field, as `skb.csum` wants it. */
export const ICMP_CHECKSUM = 2;

export function icmpType(view: DataView, offset: number): number {
  return view.getUint8(offset);
}

export function icmpCode(view: DataView, offset: number): number {
  return view.getUint8(offset + 1);
}

export function setIcmpTypeAndCode(view: DataView, offset: number, type: number, code: number): void {
  view.setUint16(offset, (type << 8) | code);
}

export function icmpChecksum(view: DataView, offset: number): number {
  return view.getUint16(offset + ICMP_CHECKSUM);
}

export function setIcmpChecksum(view: DataView, offset: number, checksum: number): void {
  view.setUint16(offset + ICMP_CHECKSUM, checksum);
}

/** int32. Packet too big: the MTU (v6: all of it; v4: the low half). Redirect: the gateway (v4). Parameter problem: the pointer (v4: the high byte). */
export function icmpRest(view: DataView, offset: number): number {
  return view.getInt32(offset + 4);
}

export function setIcmpRest(view: DataView, offset: number, rest: number): void {
  view.setInt32(offset + 4, rest);
}

/** Of an echo (RFC 792, RFC 4443 §4). */
export function icmpEchoId(view: DataView, offset: number): number {
  return view.getUint16(offset + 4);
}

export function setIcmpEchoId(view: DataView, offset: number, id: number): void {
  view.setUint16(offset + 4, id);
}

export function icmpEchoSequence(view: DataView, offset: number): number {
  return view.getUint16(offset + 6);
}

export function setIcmpEchoSequence(view: DataView, offset: number, sequence: number): void {
  view.setUint16(offset + 6, sequence);
}

/** A message of either ICMP as a plain value. */
export interface IcmpMessage {
  readonly type: number;
  readonly code: number;
  /** The second word: see {@link icmpRest}. int32 when parsed; `emit` takes unsigned too. */
  readonly rest: number;
  /** Echo: the data. Error: the packet that it is about. Shares the bytes that were parsed. */
  readonly payload: Uint8Array;
}

/** {@link IcmpMessage.rest} of an echo. */
export function echoRest(id: number, sequence: number): number {
  return (id << 16) | (sequence & 0xffff);
}
