import type { Skb } from '@softnet/contract';
import { makePool, PAGE_BYTES, put, SkbReader, sumOf } from '@softnet/skb';
import type { Loop } from '../span.ts';

function page(): Skb {
  const skb = makePool().alloc(0, PAGE_BYTES)!;
  const at = put(skb, PAGE_BYTES);
  for (let i = 0; i < PAGE_BYTES; i++) skb.memory.bytes[at + i] = i * 31;
  return skb;
}

/** A packet's bytes, by the reader; at every second place, so that words are not always aligned. */
export function sumLoop(lenBytes: number): Loop {
  const skb = page();
  const reader = new SkbReader();
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      reader.open(skb, (i & 63) * 2, lenBytes);
      sum += sumOf(reader);
    }
    return sum;
  };
}

/** RFC 1071 as it is usually written in JavaScript. */
export function wordsLoop(lenBytes: number): Loop {
  const { bytes } = page().memory;
  const sumOf = (offset: number, end: number): number => {
    let sum = 0;
    for (let i = offset; i < end; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    return sum;
  };
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += sumOf((i & 63) * 2, (i & 63) * 2 + lenBytes);
    return sum;
  };
}
