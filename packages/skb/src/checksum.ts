import type { BulkWork, PacketMemory, Skb } from '@softnet/contract';
import { CHECKSUM } from '@softnet/contract';
import { addSums, plainCopyAndSum, plainSum, turn } from './bulk/plain-sums.ts';
import type { SkbReader } from './reader.ts';

// RFC 1071. A *sum* is folded and not inverted, 0 to 0xffff, as the wire package's are: add pseudo-headers there.

/** From so many bytes on, vector instructions are faster in spite of the call. Measured: README.md. */
const VECTOR_SUM_BYTES = 64;
const VECTOR_COPY_BYTES = 32;

/** The sum of all that a reader has left, over head and fragments, without a copy (row S3). */
export function sumOf(reader: SkbReader): number {
  let sum = 0;
  let odd = false;
  for (let more = reader.remaining > 0; more; more = reader.nextRun()) {
    const { bulk, view, offset, end } = reader;
    const part = sumRun(bulk, view, offset, end);
    // What begins at an odd byte of the whole is summed shifted by a byte.
    sum = addSums(sum, odd ? turn(part) : part);
    odd = odd !== (((end - offset) & 1) === 1);
  }
  return sum;
}

/**
 * Copies the next `lenBytes` of a reader into packet memory, the same or another, and returns their sum: one pass over the bytes, and
 * no garbage. They do not overlap. -1: the reader has not so many, and none is copied.
 */
export function copyAndSum(reader: SkbReader, memory: PacketMemory, at: number, lenBytes: number = reader.remaining): number {
  if (lenBytes > reader.remaining) return -1;
  let sum = 0;
  for (let done = 0; done < lenBytes; ) {
    if (reader.offset === reader.end) reader.nextRun();
    const count = Math.min(lenBytes - done, reader.end - reader.offset);
    const part = copyRun(reader, memory, at + done, count);
    sum = addSums(sum, (done & 1) === 1 ? turn(part) : part);
    reader.offset += count;
    done += count;
  }
  return sum;
}

function copyRun({ bulk, view, offset }: SkbReader, memory: PacketMemory, at: number, lenBytes: number): number {
  // Vector instructions see one memory, which pools cut out of it have in common.
  const vectors = bulk !== null && bulk === memory.bulk && lenBytes >= VECTOR_COPY_BYTES;
  return vectors ? bulk.copyAndSum(offset, at, lenBytes) : plainCopyAndSum(view, offset, memory.view, at, lenBytes);
}

function sumRun(bulk: BulkWork | null, view: DataView, offset: number, end: number): number {
  return bulk !== null && end - offset >= VECTOR_SUM_BYTES ? bulk.sum(offset, end) : plainSum(view, offset, end);
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
