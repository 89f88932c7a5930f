import { inRange, refused } from './field-range.ts';
import { formatMac, MAC_BYTES, parseMac, putMac } from './mac-address.ts';
import { viewOf } from './view-of.ts';
import type { VlanTag } from './vlan-tag.ts';
import { emitVlanTag, isVlanTpid, parseVlanTag, setVlanTag, VLAN_TAG_BYTES, vlanTag } from './vlan-tag.ts';

/**
 * Ethernet II (RFC 894, RFC 2464 §3; IEEE 802.3 §3.2), without preamble and FCS: destination, source, type. Addresses are
 * read and written by `mac-address.ts`, at these offsets. A frame of less than the header's bytes is 'ethernet.truncated'.
 */
export const ETHERNET_HEADER_BYTES = 14;
export const ETHERNET_DST = 0;
export const ETHERNET_SRC = 6;
export const ETHERNET_TYPE = 12;
/** Below it, the type is the length of an IEEE 802.3 frame with LLC (IEEE 802.3 §3.2.6). */
export const ETHERNET_MIN_TYPE = 0x600;

/** What may be wrong with a frame: names of drop reasons, and their text. */
export const ETHERNET_FAULT = Object.freeze({
  'ethernet.truncated': 'shorter than destination, source and type (IEEE 802.3 §3.2)',
  'ethernet.tag-truncated': 'ends within a VLAN tag, or before the type behind it (IEEE 802.1Q §9.3)',
} as const);
export type EthernetFault = keyof typeof ETHERNET_FAULT;

/** The type, in host order; one for which `isVlanTpid` holds is followed by the tag's other half, then the next type. */
export function ethernetType(view: DataView, offset: number): number {
  return view.getUint16(offset + ETHERNET_TYPE);
}

export function setEthernetType(view: DataView, offset: number, type: number): void {
  view.setUint16(offset + ETHERNET_TYPE, type);
}

/** A frame as a plain value. */
export interface EthernetFrame {
  /** `02:00:00:00:00:01`. */
  readonly dst: string;
  readonly src: string;
  /** Outermost first. */
  readonly tags: readonly VlanTag[];
  /** Behind the tags; none of theirs. */
  readonly type: number;
  /** With padding, if there is some: only the next header knows. Shares the bytes that were parsed. */
  readonly payload: Uint8Array;
}

export function parseEthernet(bytes: Uint8Array, offset: number, length: number): EthernetFrame | EthernetFault {
  if (length < ETHERNET_HEADER_BYTES) return 'ethernet.truncated';
  const view = viewOf(bytes);
  const end = offset + length;
  const tags: VlanTag[] = [];
  let at = offset + ETHERNET_TYPE;
  for (; isVlanTpid(view.getUint16(at)); at += VLAN_TAG_BYTES) {
    if (at + VLAN_TAG_BYTES + 2 > end) return 'ethernet.tag-truncated';
    tags.push(parseVlanTag(vlanTag(view, at)));
  }
  const dst = formatMac(bytes, offset + ETHERNET_DST);
  const src = formatMac(bytes, offset + ETHERNET_SRC);
  return { dst, src, tags, type: view.getUint16(at), payload: bytes.subarray(at + 2, end) };
}

/** Neither pads to 60 bytes nor appends the FCS. @throws NetError EINVAL */
export function emitEthernet({ dst, src, tags, type, payload }: EthernetFrame): Uint8Array {
  if (isVlanTpid(type)) throw refused('ethernet.type', `0x${type.toString(16)}`, 'a tag in tags, and the type behind it');
  const headerBytes = ETHERNET_HEADER_BYTES + tags.length * VLAN_TAG_BYTES;
  const bytes = new Uint8Array(headerBytes + payload.length);
  const view = viewOf(bytes);
  putMac(view, ETHERNET_DST, macOf('ethernet.dst', dst));
  putMac(view, ETHERNET_SRC, macOf('ethernet.src', src));
  tags.forEach((tag, index) => {
    setVlanTag(view, 2 * MAC_BYTES + index * VLAN_TAG_BYTES, emitVlanTag(tag));
  });
  view.setUint16(headerBytes - 2, inRange('ethernet.type', type, 0xffff));
  bytes.set(payload, headerBytes);
  return bytes;
}

function macOf(field: string, text: string): Uint8Array {
  const mac = parseMac(text);
  if (mac === null) throw refused(field, `'${text}'`, "a MAC address like '02:00:00:00:00:01'");
  return mac;
}
