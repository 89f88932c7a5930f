/**
 * Options of Neighbor Discovery messages (RFC 4861 §4.6): type, length in units of 8 bytes, these two included, data. Also of RFC 3971
 * (nonce), RFC 4191 (route information) and RFC 8106 (name servers, search list).
 */
export const ND_OPTION = Object.freeze({
  SOURCE_LINK_ADDRESS: 1,
  TARGET_LINK_ADDRESS: 2,
  PREFIX: 3,
  REDIRECTED_HEADER: 4,
  MTU: 5,
  NONCE: 14,
  ROUTE: 24,
  NAME_SERVERS: 25,
  SEARCH_LIST: 31,
} as const);

/** Bytes before an option's data. */
export const ND_OPTION_HEADER_BYTES = 2;

/** Bytes of the option at `at`. 0: its length is 0 or reaches over `endOffset`: the message is to be discarded (RFC 4861 §4.6). */
export function ndOptionBytes(view: DataView, at: number, endOffset: number): number {
  if (at + ND_OPTION_HEADER_BYTES > endOffset) return 0;
  const lenBytes = view.getUint8(at + 1) << 3;
  return at + lenBytes > endOffset ? 0 : lenBytes;
}

/** Bytes of an option with a nonce of so many bytes, padding included (RFC 3971 §5.3.2). */
export function nonceOptionBytes(nonceBytes: number): number {
  return (ND_OPTION_HEADER_BYTES + nonceBytes + 7) & ~7;
}

/** Writes a nonce option. Returns the offset behind it. @param nonce whose length fills the option: 6, 14 ... bytes. */
export function writeNonceOption(view: DataView, at: number, nonce: Uint8Array): number {
  view.setUint8(at, ND_OPTION.NONCE);
  view.setUint8(at + 1, nonceOptionBytes(nonce.length) >>> 3);
  for (let i = 0; i < nonce.length; i++) view.setUint8(at + ND_OPTION_HEADER_BYTES + i, nonce[i]!);
  return at + nonceOptionBytes(nonce.length);
}

/** Bytes of an option with a link address of so many bytes, padding included. */
export function linkAddressOptionBytes(addressLen: number): number {
  return (ND_OPTION_HEADER_BYTES + addressLen + 7) & ~7;
}

/** Writes a link address option, padding included. Returns the offset behind it. */
export function writeLinkAddressOption(view: DataView, at: number, type: number, address: Uint8Array, addressLen: number): number {
  const lenBytes = linkAddressOptionBytes(addressLen);
  view.setUint8(at, type);
  view.setUint8(at + 1, lenBytes >>> 3);
  for (let i = 0; i < lenBytes - ND_OPTION_HEADER_BYTES; i++) {
    view.setUint8(at + ND_OPTION_HEADER_BYTES + i, i < addressLen ? address[i]! : 0);
  }
  return at + lenBytes;
}
