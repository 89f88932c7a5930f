import type { Skb, SkbPool } from '@softnet/contract';
import { BUFFER_BYTES, copyAndSum, copyIn, makePool, SkbReader, sumOf } from '@softnet/skb';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Figures } from '../work.ts';

/** Places where the work begins, in turn: words are not always aligned. */
const PLACES = 64;

/** Billions of bytes a second of CPU, of a loop that goes through `lenBytes` each time. */
export async function gigabytesOf(loop: Loop, lenBytes: number): Promise<Figures> {
  const { ns } = await nsOf(loop);
  return { 'GB/s': lenBytes / ns! };
}

function bytesOf(lenBytes: number): Uint8Array {
  return Uint8Array.from({ length: lenBytes }, (_, i) => i * 31 + (i >> 8));
}

/** On one page, or on as many as it takes. */
function packetOf(pool: SkbPool, lenBytes: number): Skb {
  const skb = pool.alloc(BUFFER_BYTES, 0)!;
  copyIn(skb, bytesOf(lenBytes));
  return skb;
}

/** A packet's bytes, by the reader. */
export function sumLoop(lenBytes: number, vectors: boolean): Loop {
  const skb = packetOf(makePool({ buffers: 1, pages: 20 }, 'bench', { vectors }), lenBytes + 2 * PLACES);
  const reader = new SkbReader();
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      reader.open(skb, (i % PLACES) * 2, lenBytes);
      sum += sumOf(reader);
    }
    return sum;
  };
}

/** RFC 1071 as it is usually written in JavaScript, of bytes in a row. */
export function wordsLoop(lenBytes: number): Loop {
  const bytes = bytesOf(lenBytes + 2 * PLACES);
  const byWords = (offset: number, end: number): number => {
    let sum = 0;
    for (let i = offset; i < end; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    return sum;
  };
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += byWords((i % PLACES) * 2, (i % PLACES) * 2 + lenBytes);
    return sum;
  };
}

/** A packet is copied to a page, of its own memory or of another, and summed on the way. */
export function copySumLoop(lenBytes: number, within: boolean, vectors: boolean): Loop {
  const { from, to, at } = copyPlaces(lenBytes, within, vectors);
  const reader = new SkbReader();
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      reader.open(from, (i % PLACES) * 2, lenBytes);
      sum += copyAndSum(reader, to.memory, at);
    }
    return sum;
  };
}

/** The same in two passes. */
export function copyThenSumLoop(lenBytes: number, within: boolean): Loop {
  const { from, to, at } = copyPlaces(lenBytes, within, true);
  const { bytes, view } = to.memory;
  const reader = new SkbReader();
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      reader.open(from, (i % PLACES) * 2, lenBytes);
      if (within) bytes.copyWithin(at, reader.offset, reader.end);
      else reader.copyTo(view, at);
      reader.open(to);
      sum += sumOf(reader);
    }
    return sum;
  };
}

/** A packet that has all its bytes on one page; another with room for as many, and where its page lies. */
function copyPlaces(lenBytes: number, within: boolean, vectors: boolean): { from: Skb; to: Skb; at: number } {
  const pool = makePool({ buffers: 2, pages: 2 }, 'from', { vectors });
  const from = packetOf(pool, lenBytes + 2 * PLACES);
  const to = packetOf(within ? pool : makePool({ buffers: 1, pages: 1 }, 'to', { vectors }), lenBytes);
  return { from, to, at: to.fragments!.offset };
}
