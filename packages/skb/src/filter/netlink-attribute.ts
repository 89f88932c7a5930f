import type { Skb } from '@softnet/contract';
import { load } from './packet-load.ts';

/** `struct nlattr`: length, its header included, and type, both of the host's order, which is little-endian. */
const HEADER_BYTES = 4;
const TYPE_MASK = 0x3fff;

/**
 * Where the first netlink attribute of a type is, among those from `from` on: Linux's SKF_AD_NLATTR. 0: there is none.
 * @param from counted from `skb.data`; uint32. @param type uint32.
 */
export function findAttribute(skb: Skb, from: number, type: number): number {
  return from + HEADER_BYTES > skb.len ? 0 : find(skb, from, skb.len, type);
}

/** The same, inside of the attribute at `from`: SKF_AD_NLATTR_NEST. */
export function findNested(skb: Skb, from: number, type: number): number {
  if (from + HEADER_BYTES > skb.len) return 0;
  const end = from + wordAt(skb, from);
  return end > skb.len ? 0 : find(skb, from + HEADER_BYTES, end, type);
}

function find(skb: Skb, from: number, end: number, type: number): number {
  for (let at = from; at + HEADER_BYTES <= end; ) {
    const lenBytes = wordAt(skb, at);
    if (lenBytes < HEADER_BYTES || at + lenBytes > end) return 0;
    if ((wordAt(skb, at + 2) & TYPE_MASK) === type) return at;
    at += (lenBytes + 3) & ~3;
  }
  return 0;
}

function wordAt(skb: Skb, place: number): number {
  const number = load(skb, place, 2);
  return ((number & 0xff) << 8) | (number >>> 8);
}
