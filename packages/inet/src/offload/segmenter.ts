import type { DropReason, Fragment, Port, Skb, SkbPool, SockCommon } from '@softnet/contract';
import { enqueue, SKB_FLAG, SkbQueue, splice } from '@softnet/contract';
import { copyWords, pull, purge, push } from '@softnet/skb';
import { inheritMarks } from './inherit-marks.ts';

/** More are not meant: 65,535 bytes in the smallest segments that TCP sends (RFC 9293 §3.7.1), and some more. */
const MAX_SEGMENTS = 1024;
/** Before the headers of a new segment is as much room as the packet has, but no more than this. */
const MAX_ROOM_BYTES = 256;

/** Why packets are lost that cannot be cut. */
export interface SegmenterReasons {
  /** `gsoSize` says nothing that can be done, or there are no such headers. */
  readonly malformed: DropReason;
  readonly memory: DropReason;
}

/**
 * Cuts a packet that stands for several into them, without a copy of payload: the first is the packet itself, fragments move to
 * the others, and one that a cut goes through is shared. Each has a copy of the headers, to be mended by who calls. Where a fragment is just
 * one segment's and lies in a buffer of its own, as behind GRO, that buffer is the segment's head again. It calls nobody.
 */
export class Segmenter {
  readonly #pool: Port<SkbPool>;
  readonly #reasons: SegmenterReasons;
  readonly #made = new SkbQueue();
  /** Of the packet at hand: what is not cut yet. */
  #rest: Fragment | null = null;
  #left = 0;

  constructor(pool: Port<SkbPool>, reasons: SegmenterReasons) {
    this.#pool = pool;
    this.#reasons = reasons;
  }

  /**
   * Takes the packet and puts the segments behind `out`, in order; each has `data` where the packet had it, and no `gsoSize`. False: it was dropped.
   * @param headerBytes from `data` on.
   */
  cut(skb: Skb, headerBytes: number, out: SkbQueue): boolean {
    const { gsoSize, sock, truesize } = skb;
    const payloadBytes = skb.len - headerBytes;
    const isWhole = headerBytes > 0 && skb.tail - skb.data >= headerBytes;
    if (!isWhole || gsoSize <= 0 || payloadBytes <= 0 || payloadBytes > gsoSize * MAX_SEGMENTS) return lose(skb, this.#reasons.malformed);
    if (!skb.memory.pool.makeRoom(skb, 0, 0)) return lose(skb, this.#reasons.memory);
    const first = skb.tail - skb.data - headerBytes > gsoSize ? this.#behead(skb, headerBytes) : this.#uncover(skb);
    if (first === null) return lose(skb, this.#reasons.memory);
    // Of each of them alone it says nothing.
    first.flags &= ~SKB_FLAG.FIXED_ID;
    this.#left = payloadBytes - (first.len - headerBytes);
    const isCut = this.#fill(first, Math.min(gsoSize, payloadBytes) + headerBytes - first.len) && this.#others(first, headerBytes, gsoSize);
    // The last one pays for all: when it is freed its socket has the memory back. Linux's `skb_segment`.
    if (sock !== null) charge(isCut ? (this.#made.last ?? first) : first, sock, truesize);
    this.#releaseRest();
    if (!isCut) return this.#giveUp(first);
    first.gsoSize = 0;
    first.gsoSegs = 0;
    first.gsoType = 0;
    enqueue(out, first);
    splice(out, this.#made);
    return true;
  }

  /** Headers, and at most the first segment's payload, lie in the head: what is behind is taken off. */
  #uncover(skb: Skb): Skb {
    this.#rest = skb.fragments;
    skb.fragments = null;
    skb.len = skb.tail - skb.data;
    skb.sock = null;
    for (let fragment = this.#rest; fragment !== null; fragment = fragment.next) skb.truesize -= fragment.truesize;
    return skb;
  }

  /** The head has more: the headers get one of their own, all the rest becomes fragments. Null: memory is out, and nothing has changed. */
  #behead(skb: Skb, headerBytes: number): Skb | null {
    const first = this.#pool.current.alloc(roomOf(skb) + headerBytes, 0);
    if (first === null) return null;
    copyHeaders(first, skb, headerBytes);
    const { sock } = skb;
    skb.sock = null;
    pull(skb, headerBytes);
    this.#rest = skb.memory.pool.dissolve(skb);
    if (this.#rest !== null) return first;
    push(skb, headerBytes);
    skb.sock = sock;
    first.memory.pool.release(first);
    return null;
  }

  /** False: memory is out. */
  #others(first: Skb, headerBytes: number, gsoSize: number): boolean {
    const roomBytes = roomOf(first) + headerBytes;
    while (this.#left > 0) {
      const segment = this.#next(Math.min(gsoSize, this.#left), roomBytes);
      if (segment === null) return false;
      copyHeaders(segment, first, headerBytes);
      enqueue(this.#made, segment);
    }
    return true;
  }

  /** A packet of the next `lenBytes`. Null: memory is out. */
  #next(lenBytes: number, roomBytes: number): Skb | null {
    const fragment = this.#rest!;
    if (fragment.lenBytes === lenBytes) {
      const { next } = fragment;
      const revived = fragment.memory.pool.revive(fragment, roomBytes);
      if (revived !== null) {
        this.#rest = next;
        this.#left -= lenBytes;
        return revived;
      }
    }
    const segment = this.#pool.current.alloc(roomBytes, 0);
    if (segment === null || this.#fill(segment, lenBytes)) return segment;
    segment.memory.pool.release(segment);
    return null;
  }

  /** Hangs the next `lenBytes` behind a packet that has no fragments. False: no record is left to share one that is cut through. */
  #fill(segment: Skb, lenBytes: number): boolean {
    let last: Fragment | null = null;
    for (let left = lenBytes; left > 0; ) {
      const fragment = this.#take(left);
      if (fragment === null) return false;
      if (last === null) segment.fragments = fragment;
      else last.next = fragment;
      last = fragment;
      segment.len += fragment.lenBytes;
      segment.truesize += fragment.truesize;
      left -= fragment.lenBytes;
      this.#left -= fragment.lenBytes;
    }
    return true;
  }

  /** The first fragment that is left, or its first `lenBytes`. */
  #take(lenBytes: number): Fragment | null {
    const fragment = this.#rest!;
    if (fragment.lenBytes <= lenBytes) {
      this.#rest = fragment.next;
      fragment.next = null;
      return fragment;
    }
    const part = fragment.source.share(fragment);
    if (part === null) return null;
    part.lenBytes = lenBytes;
    part.next = null;
    fragment.offset += lenBytes;
    fragment.lenBytes -= lenBytes;
    return part;
  }

  /** Memory is out: nothing of the packet is left. */
  #giveUp(first: Skb): false {
    const { memory } = this.#reasons;
    purge(this.#made, memory);
    return lose(first, memory);
  }

  /** Where memory was out, what is not cut; else fragments without a byte. */
  #releaseRest(): void {
    for (let fragment = this.#rest; fragment !== null; ) {
      const { next } = fragment;
      fragment.source.release(fragment);
      fragment = next;
    }
    this.#rest = null;
  }
}

function roomOf({ data, head }: Skb): number {
  return Math.min(data - head, MAX_ROOM_BYTES);
}

/** Puts a copy of the headers before the packet, with all that is said of where they lie, and its marks. */
function copyHeaders(to: Skb, from: Skb, headerBytes: number): void {
  const at = push(to, headerBytes);
  copyWords(to.memory.view, at, from.memory.view, from.data, headerBytes);
  const distance = at - from.data;
  if (from.mac >= from.data) to.mac = from.mac + distance;
  if (from.network >= from.data) to.network = from.network + distance;
  if (from.transport >= from.data) to.transport = from.transport + distance;
  inheritMarks(to, from);
  to.type = from.type;
}

function charge(skb: Skb, sock: SockCommon, truesize: number): void {
  skb.sock = sock;
  skb.truesize = truesize;
}

function lose(skb: Skb, reason: DropReason): false {
  skb.memory.pool.drop(skb, reason);
  return false;
}
