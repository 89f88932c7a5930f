import { atMost, inRange } from './field-range.ts';
import { NLA_HEADER_BYTES, NLA_NESTED, NLA_NET_BYTEORDER, nlaAlign, nlaData, nlaFlags, nlaLenBytes, nlaType } from './netlink-attribute.ts';
import { putNlaData } from './netlink-attribute-put.ts';
import { viewOf } from './view-of.ts';

/** Netlink attributes as plain values, for tests and tools. */
export interface NetlinkAttribute {
  /** 0 to 0x3fff. */
  readonly type: number;
  /** `data` is attributes: parse it again. */
  readonly nested: boolean;
  readonly netByteOrder: boolean;
  /** Shares the bytes that were parsed. */
  readonly data: Uint8Array;
}

/** What may be wrong with attributes. */
export const NETLINK_ATTRIBUTE_FAULT = Object.freeze({
  'netlink.attribute': 'the length of an attribute is below 4, or reaches over the end',
} as const);
export type NetlinkAttributeFault = keyof typeof NETLINK_ATTRIBUTE_FAULT;

export function parseNetlinkAttributes(
  bytes: Uint8Array,
  offset: number,
  length: number,
): readonly NetlinkAttribute[] | NetlinkAttributeFault {
  const view = viewOf(bytes);
  const end = offset + length;
  const attributes: NetlinkAttribute[] = [];
  for (let at = offset, lenBytes = 0; at < end; at += nlaAlign(lenBytes)) {
    lenBytes = nlaLenBytes(view, at, end);
    if (lenBytes === 0) return 'netlink.attribute';
    const flags = nlaFlags(view, at);
    const netByteOrder = (flags & NLA_NET_BYTEORDER) !== 0;
    attributes.push({ type: nlaType(view, at), nested: (flags & NLA_NESTED) !== 0, netByteOrder, data: nlaData(bytes, view, at) });
  }
  return attributes;
}

/** @throws NetError EINVAL */
export function emitNetlinkAttributes(attributes: readonly NetlinkAttribute[]): Uint8Array {
  const lenBytes = attributes.reduce((sum, { data }) => sum + nlaAlign(NLA_HEADER_BYTES + data.length), 0);
  const bytes = new Uint8Array(lenBytes);
  const view = viewOf(bytes);
  let at = 0;
  for (const { type, nested, netByteOrder, data } of attributes) {
    atMost('netlink.data', data.length, 0xffff - NLA_HEADER_BYTES);
    const flags = (nested ? NLA_NESTED : 0) | (netByteOrder ? NLA_NET_BYTEORDER : 0);
    at = putNlaData(view, at, lenBytes, inRange('netlink.type', type, 0x3fff) | flags, data);
  }
  return bytes;
}
