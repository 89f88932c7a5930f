import type { DropReason, Fragment, Skb, SkbQueue } from '@softnet/contract';
import { CHECKSUM, dequeue } from '@softnet/contract';
import { checkCount, checkGrow, checkPull, checkReserve, ledgerOf } from './checks.ts';
import { DEBUG } from './debug.ts';

/** Bytes before the packet that headers may be put into. */
export function headroom(skb: Skb): number {
  return skb.data - skb.head;
}

/** Bytes behind its last byte in the head. 0 where fragments follow. */
export function tailroom(skb: Skb): number {
  return skb.fragments === null ? skb.end - skb.tail : 0;
}

/** Bytes in the head; the rest is in fragments. Linux's `skb_headlen`. */
export function linearBytes(skb: Skb): number {
  return skb.tail - skb.data;
}

/** Puts a header of `lenBytes` before the packet; there is headroom. Returns its offset. Linux's `skb_push`. */
export function push(skb: Skb, lenBytes: number): number {
  if (DEBUG) checkGrow(skb, 'push', lenBytes, skb.data - skb.head);
  skb.data -= lenBytes;
  skb.len += lenBytes;
  return skb.data;
}

/** Takes a header of `lenBytes` off; it lies in the head: see `gather`. Returns the offset behind it. Linux's `skb_pull`. */
export function pull(skb: Skb, lenBytes: number): number {
  if (DEBUG) checkPull(skb, lenBytes);
  skb.data += lenBytes;
  skb.len -= lenBytes;
  return skb.data;
}

/** Makes the packet longer by `lenBytes` at its end; there is tailroom. Returns the offset of the new bytes, to be written. Linux's `skb_put`. */
export function put(skb: Skb, lenBytes: number): number {
  if (DEBUG) checkGrow(skb, 'put', lenBytes, tailroom(skb));
  const offset = skb.tail;
  skb.tail += lenBytes;
  skb.len += lenBytes;
  return offset;
}

/** Makes tailroom of an empty packet its headroom. Linux's `skb_reserve`. */
export function reserve(skb: Skb, lenBytes: number): void {
  if (DEBUG) checkReserve(skb, lenBytes);
  skb.data += lenBytes;
  skb.tail += lenBytes;
}

/** Cuts the packet to its first `lenBytes`; does nothing where it is not longer. Fragments behind are freed. Linux's `pskb_trim`. */
export function trim(skb: Skb, lenBytes: number): void {
  if (DEBUG) checkCount(skb, 'trim', lenBytes);
  if (lenBytes >= skb.len) return;
  const inHead = skb.tail - skb.data;
  skb.len = lenBytes;
  if (lenBytes <= inHead) {
    skb.tail = skb.data + lenBytes;
    releaseFrom(skb, skb.fragments);
    skb.fragments = null;
    return;
  }
  let left = lenBytes - inHead;
  let last = skb.fragments!;
  while (left > last.lenBytes) {
    left -= last.lenBytes;
    last = last.next!;
  }
  last.lenBytes = left;
  releaseFrom(skb, last.next);
  last.next = null;
}

/** Cuts off the first `lenBytes`, wherever they lie; all, where it has fewer. Copies nothing. Linux's `pskb_pull`, without its copy. */
export function cutFront(skb: Skb, lenBytes: number): void {
  if (DEBUG) checkCount(skb, 'cutFront', lenBytes);
  const inHead = skb.tail - skb.data;
  if (lenBytes <= inHead) {
    skb.data += lenBytes;
    skb.len -= lenBytes;
    return;
  }
  skb.data = skb.tail;
  skb.len -= inHead;
  cutFragments(skb, Math.min(lenBytes - inHead, skb.len));
}

/** Cuts `lenBytes` off the front of the fragments, which have as many. `len` follows. */
export function cutFragments(skb: Skb, lenBytes: number): void {
  skb.len -= lenBytes;
  for (let left = lenBytes; left > 0; ) {
    const first = skb.fragments!;
    if (first.lenBytes > left) {
      first.offset += left;
      first.lenBytes -= left;
      return;
    }
    left -= first.lenBytes;
    skb.fragments = first.next;
    first.next = null;
    releaseFrom(skb, first);
  }
}

/** Hangs a fragment behind the packet, which owns it from here on. */
export function appendFragment(skb: Skb, fragment: Fragment): void {
  if (DEBUG) checkCount(skb, 'appendFragment', fragment.lenBytes);
  let last = skb.fragments;
  if (last === null) skb.fragments = fragment;
  else {
    while (last.next !== null) last = last.next;
    last.next = fragment;
  }
  skb.len += fragment.lenBytes;
  // What a socket was charged must be what it gets back.
  if (skb.sock === null) skb.truesize += fragment.truesize;
}

/** The second packet of two, from byte `at` on; `skb` keeps what is before. Copies nothing. Null: out of memory, and `skb` is as it was. */
export function split(skb: Skb, at: number): Skb | null {
  const rest = skb.memory.pool.clone(skb);
  if (rest === null) return null;
  cutFront(rest, at);
  trim(skb, at);
  return rest;
}

/** The packet leaves its socket: nobody pays for it any more. Linux's `skb_orphan`. */
export function orphan(skb: Skb): void {
  const { sock } = skb;
  if (sock === null) return;
  // First, so that a protocol that throws is not told twice.
  skb.sock = null;
  sock.ops.released(sock, skb);
}

/** What a received packet says of its way here means nothing for the next one. Linux's `skb_scrub_packet`. */
export function scrub(skb: Skb): void {
  if (skb.slots !== null) skb.slots.fill(null);
  skb.ifindex = 0;
  skb.queue = 0;
  skb.mark = 0;
  skb.priority = 0;
  skb.hash = 0;
  skb.vlan = 0;
  skb.checksum = CHECKSUM.NONE;
  skb.csum = 0;
  skb.gsoSize = 0;
  skb.gsoSegs = 0;
  skb.gsoType = 0;
  skb.timeUs = 0;
  skb.flags = 0;
  skb.reentries = 0;
}

/** Drops all that is in a queue. Returns how many that were. */
export function purge(queue: SkbQueue, reason: DropReason): number {
  const count = queue.lenPackets;
  for (let skb = dequeue(queue); skb !== null; skb = dequeue(queue)) skb.memory.pool.drop(skb, reason);
  return count;
}

/** From here on `place` (a static string) owns the packet. A debug build throws, naming both, when somebody else does. */
export function claim(skb: Skb, place: string): void {
  if (DEBUG) ledgerOf(skb)?.claim(skb, place);
}

/** `place` has done with it: whoever claims it next owns it. Freeing needs no `passOn`. */
export function passOn(skb: Skb, place: string): void {
  if (DEBUG) ledgerOf(skb)?.passOn(skb, place);
}

/** All packets of a batch go from one owner to the next. */
export function handOver(batch: SkbQueue, from: string, to: string): void {
  if (!DEBUG) return;
  for (let skb = batch.first; skb !== null; skb = skb.next) {
    passOn(skb, from);
    claim(skb, to);
  }
}

function releaseFrom(skb: Skb, first: Fragment | null): void {
  for (let fragment = first; fragment !== null; ) {
    const { next } = fragment;
    if (skb.sock === null) skb.truesize -= fragment.truesize;
    fragment.source.release(fragment);
    fragment = next;
  }
}
