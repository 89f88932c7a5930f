import type { Skb } from '@softnet/contract';
import { checkCount } from './checks.ts';
import { copyBytes } from './copy-bytes.ts';
import { DEBUG } from './debug.ts';
import { appendFragment, cutFragments, put, tailroom, trim } from './edit.ts';
import { PAGE_BYTES } from './slabs.ts';

/**
 * Sees to it that the first `lenBytes` lie in the head, copying from fragments what does not. False: the packet is shorter, or
 * memory is out (counted by the pool); it is as it was. Before a header is read. Linux's `pskb_may_pull`.
 */
export function gather(skb: Skb, lenBytes: number): boolean {
  if (DEBUG) checkCount(skb, 'gather', lenBytes);
  const inHead = skb.tail - skb.data;
  if (lenBytes <= inHead) return true;
  return lenBytes <= skb.len && moveIntoHead(skb, lenBytes - inHead);
}

/** Puts all of it into the head. False: it does not fit into a page, or memory is out; it is as it was. Linux's `skb_linearize`. */
export function linearize(skb: Skb): boolean {
  return gather(skb, skb.len);
}

function moveIntoHead(skb: Skb, lenBytes: number): boolean {
  // The headroom is kept as far as a page allows.
  const spare = PAGE_BYTES - (skb.tail - skb.data) - lenBytes;
  const headroomBytes = Math.max(0, Math.min(skb.data - skb.head, spare));
  if (!skb.memory.pool.makeRoom(skb, headroomBytes, lenBytes)) return false;
  const { bytes } = skb.memory;
  let left = lenBytes;
  for (let fragment = skb.fragments; left > 0; fragment = fragment!.next) {
    const taken = Math.min(left, fragment!.lenBytes);
    copyBytes(bytes, skb.tail, fragment!.memory.bytes, fragment!.offset, taken);
    skb.tail += taken;
    left -= taken;
  }
  cutFragments(skb, lenBytes);
  skb.len += lenBytes;
  return true;
}

/**
 * Puts bytes behind the packet: the copy in (§5: once). What does not fit behind `tail` goes on pages. The packet's head is not
 * shared. False: memory is out, and the packet is as it was.
 */
export function copyIn(skb: Skb, source: Uint8Array, from = 0, lenBytes: number = source.length - from): boolean {
  if (DEBUG) checkCount(skb, 'copyIn', lenBytes);
  const before = skb.len;
  const end = from + lenBytes;
  const first = Math.min(lenBytes, tailroom(skb));
  if (first > 0) copyBytes(skb.memory.bytes, put(skb, first), source, from, first);
  for (let at = from + first; at < end; at += PAGE_BYTES) {
    const fragment = skb.memory.pool.page(Math.min(PAGE_BYTES, end - at));
    if (fragment === null) {
      trim(skb, before);
      return false;
    }
    copyBytes(fragment.memory.bytes, fragment.offset, source, at, fragment.lenBytes);
    appendFragment(skb, fragment);
  }
  return true;
}
