import type { Skb } from '@softnet/contract';
import { CHECKSUM } from '@softnet/contract';
import type { SkbReader } from './reader.ts';

// RFC 1071. A *sum* is folded and not inverted, 0 to 0xffff, as the wire package's are: add pseudo-headers there.

/** Two sums as one. */
export function addSums(a: number, b: number): number {
  const sum = a + b;
  return (sum & 0xffff) + (sum >>> 16);
}

/** The sum of the bytes from `offset` to `end`, at most 256 KiB in a row. */
export function sumRun(view: DataView, offset: number, end: number): number {
  // Little-endian words are summed and the result is turned: the carry goes round either way (RFC 1071 §2 B).
  let low = 0;
  let high = 0;
  let at = offset;
  for (const last = end - 16; at <= last; at += 16) {
    const a = view.getInt32(at, true);
    const b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true);
    const d = view.getInt32(at + 12, true);
    low = (low + (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff)) | 0;
    high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
  }
  for (; at + 1 < end; at += 2) low = (low + view.getUint16(at, true)) | 0;
  if (at < end) low = (low + view.getUint8(at)) | 0;
  return turn(addSums(fold(low), fold(high)));
}

/** The sum of all that a reader has left, over head and fragments, without a copy (row S3). */
export function sumOf(reader: SkbReader): number {
  let sum = 0;
  let odd = false;
  for (let more = reader.remaining > 0; more; more = reader.nextRun()) {
    const part = sumRun(reader.view, reader.offset, reader.end);
    // What begins at an odd byte of the whole is summed shifted by a byte.
    sum = addSums(sum, odd ? turn(part) : part);
    odd = odd !== (((reader.end - reader.offset) & 1) === 1);
  }
  return sum;
}

/**
 * Does what a device does for `CHECKSUM.PARTIAL`: sums from its start to the end of the packet and writes the checksum into its
 * field, which lies in the head. False: there was no memory for a head of its own (counted by the pool), or the field lies
 * outside of the packet. Linux's `skb_checksum_help`.
 */
export function finishChecksum(skb: Skb, reader: SkbReader): boolean {
  if (skb.checksum !== CHECKSUM.PARTIAL) return true;
  if (!skb.memory.pool.makeRoom(skb, 0, 0)) return false;
  const from = skb.head + (skb.csum >>> 16) - skb.data;
  const at = skb.data + from + (skb.csum & 0xffff);
  if (from < 0 || at + 2 > skb.tail || !reader.open(skb, from)) return false;
  const checksum = ~sumOf(reader) & 0xffff;
  // In UDP 0 says that there is none; the other zero of ones' complement stands for it (RFC 768), and no protocol minds.
  skb.memory.view.setUint16(at, checksum === 0 ? 0xffff : checksum);
  skb.checksum = CHECKSUM.NONE;
  skb.csum = 0;
  return true;
}

/** Folds a sum of 32 bits, which may look negative. */
function fold(sum: number): number {
  return addSums(sum & 0xffff, sum >>> 16);
}

function turn(sum: number): number {
  return ((sum & 0xff) << 8) | (sum >>> 8);
}
