import type { Random } from '@softnet/contract';
import { NetError } from '@softnet/contract';

const TWO_32 = 2 ** 32;

/** xoshiro128** 1.1 (Blackman and Vigna, https://prng.di.unimi.it/xoshiro128starstar.c): 32 bits a step, period 2¹²⁸-1. */
export class Xoshiro128 {
  readonly #state: Int32Array;

  /** The four words of the state, not all 0. */
  constructor(a: number, b: number, c: number, d: number) {
    this.#state = Int32Array.of(a, b, c, d);
  }

  /** The next 32 bits, as an int32: a number above 2³¹ may be boxed by V8 when it is returned. */
  next(): number {
    const s = this.#state;
    const s1 = s[1]!;
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9);
    s[2]! ^= s[0]!;
    s[3]! ^= s1;
    s[1] = s1 ^ s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= s1 << 9;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }
}

/**
 * A stream of chance. What it gives depends on the seed and on the labels of the forks that led to it, and on nothing
 * else: neither the order of forking nor what other streams were asked changes it. Not for secrets.
 */
export class SeededRandom implements Random {
  readonly #key: Int32Array;
  readonly #generator: Xoshiro128;

  /**
   * @param seed an integer that a double holds exactly; or, as `fork` does it, the key of the stream.
   * @throws NetError EINVAL otherwise.
   */
  constructor(seed: number | Int32Array) {
    if (typeof seed === 'number' && !Number.isSafeInteger(seed)) {
      throw new NetError('EINVAL', `a seed is an integer from -(2^53-1) to 2^53-1, got ${seed}`);
    }
    this.#key = typeof seed === 'number' ? stir(Int32Array.of(1, 2, 3, 4), `${seed}`) : seed;
    const [a, b, c, d] = this.#key;
    this.#generator = new Xoshiro128(a!, b!, c!, d!);
  }

  /** An independent stream. The same label gives the same stream, from its beginning. */
  fork(label: string): SeededRandom {
    return new SeededRandom(stir(this.#key, label));
  }

  u32(): number {
    return this.#generator.next() >>> 0;
  }

  /** @throws NetError EINVAL when `bound` is not an integer from 1 to 2³². */
  below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > TWO_32) {
      throw new NetError('EINVAL', `random.below takes an integer from 1 to 2^32, got ${bound}`);
    }
    // The last, incomplete run of remainders is thrown back, else small numbers would come more often.
    const limit = TWO_32 - (TWO_32 % bound);
    let bits = this.#generator.next() >>> 0;
    while (bits >= limit) bits = this.#generator.next() >>> 0;
    return bits % bound;
  }

  /** A multiple of 2⁻³². */
  fraction(): number {
    return (this.#generator.next() >>> 0) / TWO_32;
  }

  /** Four bytes a step, the lowest first. */
  fill(bytes: Uint8Array): void {
    let bits = 0;
    for (let i = 0; i < bytes.length; i++) {
      bits = (i & 3) === 0 ? this.#generator.next() : bits >>> 8;
      bytes[i] = bits;
    }
  }
}

function rotateLeft(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

/** A key of 128 bits from a key and a text: each word is a murmur3 hash of all four and of the text, and never are all 0. */
function stir(key: Int32Array, text: string): Int32Array {
  const stirred = new Int32Array(4);
  for (let lane = 0; lane < 4; lane++) {
    let hash = Math.imul(lane + 1, 0x9e3779b1);
    for (const word of key) hash = mix(hash, word);
    for (let i = 0; i < text.length; i++) hash = mix(hash, text.charCodeAt(i));
    stirred[lane] = finish(hash ^ text.length);
  }
  stirred[0]! |= stirred.every((word) => word === 0) ? 1 : 0;
  return stirred;
}

/** One step of murmur3 with 32 bits. */
function mix(hash: number, word: number): number {
  const scrambled = Math.imul(rotateLeft(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
  return (Math.imul(rotateLeft(hash ^ scrambled, 13), 5) + 0xe6546b64) | 0;
}

/** The end of murmur3: every bit of the hash comes to weigh on every other. */
function finish(hash: number): number {
  const first = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return second ^ (second >>> 16);
}
