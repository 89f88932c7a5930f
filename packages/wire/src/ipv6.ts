/** The IPv6 header (RFC 8200 §3). Accessors: `offset` is where it begins; the caller has checked that it is there. */
export const IPV6_HEADER_BYTES = 40;
export const IPV6_NEXT_HEADER = 6;
export const IPV6_SRC = 8;
export const IPV6_DST = 24;

/** What may be wrong with a header: names of drop reasons, and their text. */
export const IPV6_FAULT = Object.freeze({
  'ipv6.truncated': 'shorter than its header (RFC 8200 §3)',
  'ipv6.version': 'its version is not 6 (RFC 8200 §3)',
  'ipv6.payload-length': 'its payload length is more than has come (RFC 8200 §3)',
} as const);
export type Ipv6Fault = keyof typeof IPV6_FAULT;

export function ipv6Version(view: DataView, offset: number): number {
  return view.getUint8(offset) >>> 4;
}

/** DSCP << 2 | ECN (RFC 2474, RFC 3168). */
export function ipv6TrafficClass(view: DataView, offset: number): number {
  return (view.getUint16(offset) >>> 4) & 0xff;
}

/** 20 bits. */
export function ipv6FlowLabel(view: DataView, offset: number): number {
  return view.getInt32(offset) & 0xfffff;
}

/** They share a word with the version, which is written too. */
export function setIpv6TrafficClassAndFlowLabel(view: DataView, offset: number, trafficClass: number, flowLabel: number): void {
  view.setInt32(offset, (6 << 28) | (trafficClass << 20) | flowLabel);
}

/** Behind the fixed header: extension headers and payload. 0 with a hop-by-hop header: perhaps a jumbogram (RFC 2675 §3). */
export function ipv6PayloadBytes(view: DataView, offset: number): number {
  return view.getUint16(offset + 4);
}

export function setIpv6PayloadBytes(view: DataView, offset: number, lenBytes: number): void {
  view.setUint16(offset + 4, lenBytes);
}

export function ipv6NextHeader(view: DataView, offset: number): number {
  return view.getUint8(offset + IPV6_NEXT_HEADER);
}

export function setIpv6NextHeader(view: DataView, offset: number, protocol: number): void {
  view.setUint8(offset + IPV6_NEXT_HEADER, protocol);
}

export function ipv6HopLimit(view: DataView, offset: number): number {
  return view.getUint8(offset + 7);
}

export function setIpv6HopLimit(view: DataView, offset: number, hopLimit: number): void {
  view.setUint8(offset + 7, hopLimit);
}

/** Word 0 to 3 of the address, int32. */
export function ipv6Src(view: DataView, offset: number, word: 0 | 1 | 2 | 3): number {
  return view.getInt32(offset + IPV6_SRC + (word << 2));
}

/** Word 0 to 3 of the address, int32. To write addresses: `putAddress`. */
export function ipv6Dst(view: DataView, offset: number, word: 0 | 1 | 2 | 3): number {
  return view.getInt32(offset + IPV6_DST + (word << 2));
}

/**
 * Looks at the fixed header; the ones behind it: `walkExtensionHeaders`.
 * @param headBytes that may be read from `offset` on.
 * @param packetBytes that have come from `offset` on, with what lies in fragments of the skb.
 */
export function ipv6Fault(view: DataView, offset: number, headBytes: number, packetBytes: number): Ipv6Fault | null {
  if (headBytes < IPV6_HEADER_BYTES) return 'ipv6.truncated';
  if (ipv6Version(view, offset) !== 6) return 'ipv6.version';
  return ipv6PayloadBytes(view, offset) > packetBytes - IPV6_HEADER_BYTES ? 'ipv6.payload-length' : null;
}
