import { makePool, sumBytes } from '@softnet/skb';
import type { Loop } from '../span.ts';

function slab(): { bytes: Uint8Array; view: DataView } {
  const { bytes, view } = makePool().memory;
  for (let i = 0; i < bytes.length; i++) bytes[i] = i * 31;
  return { bytes, view };
}

/** At every second place, so that words are not always aligned. */
export function sumLoop(lenBytes: number): Loop {
  const { view } = slab();
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += sumBytes(view, (i & 63) * 2, (i & 63) * 2 + lenBytes);
    return sum;
  };
}

/** RFC 1071 as it is usually written in JavaScript. */
export function wordsLoop(lenBytes: number): Loop {
  const { bytes } = slab();
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
