import type { BulkWork, Fragment, PacketMemory, Skb } from '@softnet/contract';
import { copyBytes } from './copy-bytes.ts';
import { copyWords } from './copy-words.ts';
import { DEBUG } from './debug.ts';
import { fault } from './ledger.ts';
import type { Pattern } from './pattern.ts';

/**
 * Reads a packet from front to back, head and fragments alike, without copying (row S3). Made once and opened for each
 * packet. It sees a *run* at a time, bytes that lie in a row: `bytes` from `offset` to `end`.
 *
 * ```ts
 * for (let more = reader.open(skb); more; more = reader.nextRun()) hash.update(reader.bytes, reader.offset, reader.end);
 * ```
 * It must not be used after the packet is changed or freed.
 */
export class SkbReader {
  /** The memory of the run at hand, and where it begins and ends there. */
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Work on this memory by vector instructions; null: there are none. */
  bulk: BulkWork | null = null;
  offset = 0;
  end = 0;
  /** Bytes of the range behind the run at hand. */
  #rest = 0;
  #next: Fragment | null = null;

  /** Bytes that are left to be read. */
  get remaining(): number {
    return this.end - this.offset + this.#rest;
  }

  /**
   * Stands at byte `from` of the packet (0: `data`) and reads `lenBytes`, by default to its end. False: the packet has not
   * that many, or they are none; nothing can be read then.
   */
  open(skb: Skb, from = 0, lenBytes: number = skb.len - from): boolean {
    this.offset = 0;
    this.end = 0;
    this.#rest = 0;
    this.#next = null;
    if (from < 0 || lenBytes <= 0 || from + lenBytes > skb.len) return false;
    this.#next = skb.fragments;
    this.#stand(skb.memory, skb.data, skb.tail - skb.data, from + lenBytes);
    return this.skip(from) && (this.offset < this.end || this.nextRun());
  }

  /** Goes on to the next run. False: the range is read. */
  nextRun(): boolean {
    if (this.#rest === 0) {
      this.offset = this.end;
      return false;
    }
    do {
      const { memory, offset, lenBytes, next } = this.#next!;
      this.#next = next;
      this.#stand(memory, offset, lenBytes, this.#rest);
    } while (this.offset === this.end);
    return true;
  }

  /** The next byte, which stays the next; -1: the range is read. */
  peek(): number {
    return this.offset < this.end || this.nextRun() ? this.bytes[this.offset]! : -1;
  }

  /** The next byte; -1: the range is read. */
  u8(): number {
    return this.offset < this.end || this.nextRun() ? this.bytes[this.offset++]! : -1;
  }

  /** The next two bytes in network order; -1: there are not so many, and none is read. */
  u16(): number {
    if (this.remaining < 2) return -1;
    return (this.u8() << 8) | this.u8();
  }

  /** The next four bytes in network order, as int32. The caller has seen that `remaining` is 4 or more. */
  u32(): number {
    if (DEBUG && this.remaining < 4) throw fault(`u32 of a reader that has ${this.remaining} bytes: look at remaining first`);
    return (this.u16() << 16) | this.u16();
  }

  /** Goes on by `count` bytes. False: there are not so many, and it stands where it stood. */
  skip(count: number): boolean {
    if (count < 0 || count > this.remaining) return false;
    let left = count;
    while (left > this.end - this.offset) {
      left -= this.end - this.offset;
      this.nextRun();
    }
    this.offset += left;
    return true;
  }

  /** Copies the next `count` bytes out. False: there are not so many, and none is copied. */
  copyOut(target: Uint8Array, at = 0, count: number = this.remaining): boolean {
    if (count > this.remaining || at + count > target.length) return false;
    let to = at;
    for (let left = count; left > 0; ) {
      if (this.offset === this.end) this.nextRun();
      const lenBytes = Math.min(left, this.end - this.offset);
      copyBytes(target, to, this.bytes, this.offset, lenBytes);
      this.offset += lenBytes;
      to += lenBytes;
      left -= lenBytes;
    }
    return true;
  }

  /** The same into a view that is at hand, and without garbage. False: there are not so many, and none is copied. */
  copyTo(target: DataView, at = 0, count: number = this.remaining): boolean {
    if (count > this.remaining || at + count > target.byteLength) return false;
    let to = at;
    for (let left = count; left > 0; ) {
      if (this.offset === this.end) this.nextRun();
      const lenBytes = Math.min(left, this.end - this.offset);
      copyWords(target, to, this.view, this.offset, lenBytes);
      this.offset += lenBytes;
      to += lenBytes;
      left -= lenBytes;
    }
    return true;
  }

  /** How many bytes lie before the first place where the pattern is; -1: it is nowhere. Stands behind it then, or at the end. */
  find(pattern: Pattern): number {
    const wanted = pattern.bytes.length;
    let matched = 0;
    let passed = 0;
    for (let byte = this.u8(); byte >= 0; byte = this.u8()) {
      passed++;
      matched = pattern.step(matched, byte);
      if (matched === wanted) return passed - wanted;
    }
    return -1;
  }

  /** Takes a run of a fragment or the head, of which no more than `wanted` bytes belong to the range. */
  #stand(memory: PacketMemory, offset: number, lenBytes: number, wanted: number): void {
    const taken = Math.min(lenBytes, wanted);
    this.bytes = memory.bytes;
    this.view = memory.view;
    this.bulk = memory.bulk;
    this.offset = offset;
    this.end = offset + taken;
    this.#rest = wanted - taken;
  }
}
