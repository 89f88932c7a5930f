/** Extension headers (RFC 8200 §4): numbers and fields. `at`: where the header begins. All of them: `ipv6-extension-walk.ts`. */
export const IPV6_EXTENSION = Object.freeze({
  HOP_BY_HOP: 0,
  ROUTING: 43,
  FRAGMENT: 44,
  DESTINATION_OPTIONS: 60,
} as const);

/** No next header: nothing follows (RFC 8200 §4.7). */
export const IPV6_NO_NEXT_HEADER = 59;

export const IPV6_FRAGMENT_BYTES = 8;

/**
 * Whether the number names one of the four. ESP and AH do not count: they are protocols, which transform the packet and
 * hand it back (`NetworkLayer.deliver`).
 */
export function isExtensionHeader(protocol: number): boolean {
  return (
    protocol === IPV6_EXTENSION.HOP_BY_HOP ||
    protocol === IPV6_EXTENSION.ROUTING ||
    protocol === IPV6_EXTENSION.FRAGMENT ||
    protocol === IPV6_EXTENSION.DESTINATION_OPTIONS
  );
}

/** Of the header with this number. 0: less than its 8 bytes, or its length, is there before `endOffset`. */
export function extensionHeaderBytes(view: DataView, protocol: number, at: number, endOffset: number): number {
  if (at + 8 > endOffset) return 0;
  const lenBytes = protocol === IPV6_EXTENSION.FRAGMENT ? IPV6_FRAGMENT_BYTES : (view.getUint8(at + 1) + 1) << 3;
  return at + lenBytes > endOffset ? 0 : lenBytes;
}

export function extensionNextHeader(view: DataView, at: number): number {
  return view.getUint8(at);
}

/** Type of a routing header (RFC 8200 §4.4). Type 0 is dead: RFC 5095. */
export function ipv6RoutingType(view: DataView, at: number): number {
  return view.getUint8(at + 2);
}

export function ipv6SegmentsLeft(view: DataView, at: number): number {
  return view.getUint8(at + 3);
}

/** Of a fragment header (RFC 8200 §4.5), a multiple of 8. */
export function ipv6FragmentOffsetBytes(view: DataView, at: number): number {
  return view.getUint16(at + 2) & 0xfff8;
}

export function hasIpv6MoreFragments(view: DataView, at: number): boolean {
  return (view.getUint16(at + 2) & 1) !== 0;
}

/** int32. */
export function ipv6FragmentId(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}

/** A fragment header, all of it. @param offsetBytes a multiple of 8. */
export function writeIpv6Fragment(view: DataView, at: number, nextHeader: number, offsetBytes: number, more: boolean, id: number): void {
  view.setUint16(at, nextHeader << 8);
  view.setUint16(at + 2, offsetBytes | (more ? 1 : 0));
  view.setInt32(at + 4, id);
}
