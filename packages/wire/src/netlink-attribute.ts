/**
 * Netlink attributes: length, type, value, aligned to 4 bytes (Linux's `struct nlattr`; the kernel's
 * Documentation/userspace-api/netlink/intro.rst). Linux writes numbers in the host's order; this is little-endian on
 * every machine that Node runs on, so it is little-endian here, always. `at`: where the attribute begins.
 */
export const NLA_HEADER_BYTES = 4;
/** The value is attributes. Linux's `NLA_F_NESTED`. */
export const NLA_NESTED = 0x8000;
/** The value is in network order. Linux's `NLA_F_NET_BYTEORDER`. */
export const NLA_NET_BYTEORDER = 0x4000;
const TYPE_MASK = 0x3fff;

/** To where the next one begins. */
export function nlaAlign(lenBytes: number): number {
  return (lenBytes + 3) & ~3;
}

/**
 * Length of the attribute at `at`, which is before `endOffset`; the next one begins `nlaAlign` of it further, unless
 * this reaches the end: the last one's padding may be missing. 0: cut off, or its length is below 4. Linux's `nla_ok`.
 */
export function nlaLenBytes(view: DataView, at: number, endOffset: number): number {
  if (at + NLA_HEADER_BYTES > endOffset) return 0;
  const lenBytes = view.getUint16(at, true);
  return lenBytes < NLA_HEADER_BYTES || at + lenBytes > endOffset ? 0 : lenBytes;
}

/** Without flags. */
export function nlaType(view: DataView, at: number): number {
  return view.getUint16(at + 2, true) & TYPE_MASK;
}

/** {@link NLA_NESTED}, {@link NLA_NET_BYTEORDER}. */
export function nlaFlags(view: DataView, at: number): number {
  return view.getUint16(at + 2, true) & ~TYPE_MASK;
}

// Values. The caller has compared the length with what the type wants.

export function nlaU8(view: DataView, at: number): number {
  return view.getUint8(at + NLA_HEADER_BYTES);
}

export function nlaU16(view: DataView, at: number): number {
  return view.getUint16(at + NLA_HEADER_BYTES, true);
}

export function nlaU32(view: DataView, at: number): number {
  return view.getUint32(at + NLA_HEADER_BYTES, true);
}

export function nlaS32(view: DataView, at: number): number {
  return view.getInt32(at + NLA_HEADER_BYTES, true);
}

export function nlaU64(view: DataView, at: number): bigint {
  return view.getBigUint64(at + NLA_HEADER_BYTES, true);
}

/** Network order: ports. */
export function nlaBe16(view: DataView, at: number): number {
  return view.getUint16(at + NLA_HEADER_BYTES);
}

/** Network order: IPv4 addresses. int32. */
export function nlaBe32(view: DataView, at: number): number {
  return view.getInt32(at + NLA_HEADER_BYTES);
}

/** The value's bytes, shared. */
export function nlaData(bytes: Uint8Array, view: DataView, at: number): Uint8Array {
  return bytes.subarray(at + NLA_HEADER_BYTES, at + view.getUint16(at, true));
}

/** UTF-8 up to the first zero byte, or to the end of the value. */
export function nlaString(bytes: Uint8Array, view: DataView, at: number): string {
  const data = nlaData(bytes, view, at);
  const zero = data.indexOf(0);
  return new TextDecoder().decode(zero < 0 ? data : data.subarray(0, zero));
}
