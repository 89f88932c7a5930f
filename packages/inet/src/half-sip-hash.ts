import type { Random } from '@softnet/contract';

const ROUND_V2 = 0x6c796765;
const ROUND_V3 = 0x74656462;
/** Of a flow: protocol and port, two IPv6 addresses, a port. */
const MAX_WORDS = 12;

/** The two key words of a hash, as plain data. */
export type SipKey = readonly [number, number];

/**
 * HalfSipHash-1-3 (Aumasson, Bernstein) of 32-bit words, to 32 bits: who does not know the key cannot choose inputs that fall into one chain. What Linux's `hsiphash` is on
 * 32-bit machines. Allocates nothing.
 */
export class HalfSipHash {
  readonly key: SipKey;
  /** The input: filled by the caller, then hashed by {@link HalfSipHash.of}. */
  readonly words = new Int32Array(MAX_WORDS);

  constructor(key: SipKey) {
    this.key = key;
  }

  /** The hash of the first `count` of `words`, int32. */
  of(count: number): number {
    const { words, key } = this;
    let v0 = key[0];
    let v1 = key[1];
    let v2 = ROUND_V2 ^ v0;
    let v3 = ROUND_V3 ^ v1;
    // One round for each word, one for the length, and three to end: those for which there is no word any more have 0, and 0xff first.
    const lengthAt = count;
    const last = count + 3;
    for (let i = 0; i <= last; i++) {
      const word = i < count ? words[i]! : i === lengthAt ? (count << 26) | 0 : 0;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
      if (i === lengthAt) v2 ^= 0xff;
    }
    return v1 ^ v3;
  }
}

/** A key from the kernel's chance. */
export function sipKey(random: Random): SipKey {
  return [random.u32() | 0, random.u32() | 0];
}
