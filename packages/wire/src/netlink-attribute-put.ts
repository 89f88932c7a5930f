import { NLA_HEADER_BYTES, NLA_NESTED, nlaAlign } from './netlink-attribute.ts';

/**
 * Writing netlink attributes (`netlink-attribute.ts`). Each `put` writes one at `at` with its padding, and returns where
 * the next one begins; -1: no room before `endOffset`, and nothing is written. Every `put` takes -1 for `at` and returns
 * it, so that one look at the end is enough. `type`: with flags.
 */
export function putNlaData(view: DataView, at: number, endOffset: number, type: number, data: Uint8Array): number {
  const next = putHeader(view, at, endOffset, type, data.length);
  if (next < 0) return -1;
  for (let index = 0; index < data.length; index++) view.setUint8(at + NLA_HEADER_BYTES + index, data[index]!);
  return next;
}

/** Without a value: it is there or not. */
export function putNlaFlag(view: DataView, at: number, endOffset: number, type: number): number {
  return putHeader(view, at, endOffset, type, 0);
}

export function putNlaU8(view: DataView, at: number, endOffset: number, type: number, value: number): number {
  const next = putHeader(view, at, endOffset, type, 1);
  if (next >= 0) view.setUint8(at + NLA_HEADER_BYTES, value);
  return next;
}

export function putNlaU16(view: DataView, at: number, endOffset: number, type: number, value: number): number {
  const next = putHeader(view, at, endOffset, type, 2);
  if (next >= 0) view.setUint16(at + NLA_HEADER_BYTES, value, true);
  return next;
}

/** Also for signed values. */
export function putNlaU32(view: DataView, at: number, endOffset: number, type: number, value: number): number {
  const next = putHeader(view, at, endOffset, type, 4);
  if (next >= 0) view.setUint32(at + NLA_HEADER_BYTES, value, true);
  return next;
}

/** Network order: ports. */
export function putNlaBe16(view: DataView, at: number, endOffset: number, type: number, value: number): number {
  const next = putHeader(view, at, endOffset, type, 2);
  if (next >= 0) view.setUint16(at + NLA_HEADER_BYTES, value);
  return next;
}

/** Network order: IPv4 addresses. */
export function putNlaBe32(view: DataView, at: number, endOffset: number, type: number, value: number): number {
  const next = putHeader(view, at, endOffset, type, 4);
  if (next >= 0) view.setInt32(at + NLA_HEADER_BYTES, value);
  return next;
}

/**
 * Its value stands at a multiple of 8 behind `messageOffset`: where need be, an empty attribute of `padType` is
 * written before it. Linux's `nla_put_u64_64bit`.
 */
export function putNlaU64(
  view: DataView,
  at: number,
  endOffset: number,
  type: number,
  value: bigint,
  messageOffset: number,
  padType: number,
): number {
  if (at < 0) return -1;
  const isAligned = ((at - messageOffset + NLA_HEADER_BYTES) & 7) === 0;
  const start = isAligned ? at : at + NLA_HEADER_BYTES;
  const next = putHeader(view, start, endOffset, type, 8);
  if (next < 0) return -1;
  if (!isAligned) putHeader(view, at, endOffset, padType, 0);
  view.setBigUint64(start + NLA_HEADER_BYTES, value, true);
  return next;
}

/** UTF-8, ended by a zero byte. Linux's `nla_put_string`. */
export function putNlaString(view: DataView, at: number, endOffset: number, type: number, text: string): number {
  return putNlaData(view, at, endOffset, type, new TextEncoder().encode(`${text}\0`));
}

/** Opens a nest at `at`: returns where its first attribute begins. Then {@link endNlaNest}, with the same `at`. */
export function beginNlaNest(view: DataView, at: number, endOffset: number, type: number): number {
  return putHeader(view, at, endOffset, type | NLA_NESTED, 0);
}

/** Closes the nest that begins at `at`; `next` is where the last attribute in it ended, or -1, which it returns too. */
export function endNlaNest(view: DataView, at: number, next: number): number {
  if (next < 0 || next - at > 0xffff) return -1;
  view.setUint16(at, next - at, true);
  return next;
}

/** Header, and zeros behind the value; returns where the next one begins. */
function putHeader(view: DataView, at: number, endOffset: number, type: number, valueBytes: number): number {
  const lenBytes = NLA_HEADER_BYTES + valueBytes;
  const next = at + nlaAlign(lenBytes);
  if (at < 0 || next > endOffset || lenBytes > 0xffff) return -1;
  view.setUint16(at, lenBytes, true);
  view.setUint16(at + 2, type, true);
  for (let padding = at + lenBytes; padding < next; padding++) view.setUint8(padding, 0);
  return next;
}
