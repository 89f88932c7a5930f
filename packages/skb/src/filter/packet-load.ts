import type { Skb } from '@softnet/contract';
import { FROM_LINK, FROM_NETWORK } from './opcodes.ts';

/** Told by {@link loadable}: there are no such bytes. */
export const NOWHERE = -0x40000000;

/** Where an offset of a program lies, counted from `skb.data`: before it, in a header that was pulled, it is negative. */
export function placeOf(skb: Skb, offset: number): number {
  if (offset >= 0) return offset;
  if (offset >= FROM_NETWORK) return skb.network < 0 ? NOWHERE : skb.network - skb.data + offset - FROM_NETWORK;
  // An index may lead below all: there is nothing there, but what packets of before have left.
  if (offset < FROM_LINK || skb.mac < 0) return NOWHERE;
  return skb.mac - skb.data + offset - FROM_LINK;
}

/** Whether so many bytes are there. */
export function loadable(skb: Skb, place: number, lenBytes: number): boolean {
  return place >= skb.head - skb.data && place + lenBytes <= skb.len;
}

/** So many bytes, 1, 2 or 4, as one big-endian number, int32; they are there. */
export function load(skb: Skb, place: number, lenBytes: number): number {
  const at = skb.data + place;
  if (at + lenBytes > skb.tail) return loadBeyond(skb, place, lenBytes);
  const { view } = skb.memory;
  return lenBytes === 1 ? view.getUint8(at) : lenBytes === 2 ? view.getUint16(at) : view.getInt32(at);
}

/** Some of them lie in fragments. */
function loadBeyond(skb: Skb, place: number, lenBytes: number): number {
  let number = 0;
  for (let i = 0; i < lenBytes; i++) number = (number << 8) | byteAt(skb, place + i);
  return number;
}

function byteAt(skb: Skb, place: number): number {
  const at = skb.data + place;
  if (at < skb.tail) return skb.memory.bytes[at]!;
  let left = at - skb.tail;
  let fragment = skb.fragments;
  while (fragment !== null && left >= fragment.lenBytes) {
    left -= fragment.lenBytes;
    fragment = fragment.next;
  }
  return fragment === null ? 0 : fragment.memory.bytes[fragment.offset + left]!;
}
