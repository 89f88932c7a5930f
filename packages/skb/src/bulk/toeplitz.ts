import { NetError, RSS_KEY_BYTES } from '@softnet/contract';

/** The most bytes that are hashed: two IPv6 addresses and two ports. */
export const TOEPLITZ_MAX_BYTES = 36;

/**
 * The hash that spreads what a device receives over its queues (RSS): for each bit of the input that is set, the 32 bits of the key
 * that begin at its place, all exclusive-ored. The input is what stands in the packet, in network order: source address, destination
 * address, and for flows with ports source port, destination port. Hashes are int32.
 *
 * Made once for a key; to hash allocates nothing.
 */
export class Toeplitz {
  /** What each value of each byte of the input contributes. 36 KiB. */
  readonly #table: Int32Array = new Int32Array(TOEPLITZ_MAX_BYTES * 256);

  /**
   * @param key of `RSS_KEY_BYTES`; it is copied.
   * @throws NetError EINVAL: it is of another length.
   */
  constructor(key: Uint8Array) {
    checkKey(key);
    for (let at = 0; at < TOEPLITZ_MAX_BYTES; at++) {
      for (let value = 1; value < 256; value++) {
        const lowest = Math.clz32(value & -value) - 24;
        // The same without its lowest bit is there already.
        this.#table[at * 256 + value] = this.#table[at * 256 + (value & (value - 1))]! ^ keyBits(key, at * 8 + lowest);
      }
    }
  }

  ofIpv4(src: number, dst: number): number {
    return this.#word(src, 0) ^ this.#word(dst, 4);
  }

  /** Ports in host order. */
  ofIpv4Ports(src: number, dst: number, srcPort: number, dstPort: number): number {
    return this.#word(src, 0) ^ this.#word(dst, 4) ^ this.#word((srcPort << 16) | dstPort, 8);
  }

  ofIpv6(src0: number, src1: number, src2: number, src3: number, dst0: number, dst1: number, dst2: number, dst3: number): number {
    const src = this.#word(src0, 0) ^ this.#word(src1, 4) ^ this.#word(src2, 8) ^ this.#word(src3, 12);
    return src ^ this.#word(dst0, 16) ^ this.#word(dst1, 20) ^ this.#word(dst2, 24) ^ this.#word(dst3, 28);
  }

  /** What ports, in host order, add to {@link ofIpv6}: exclusive-or the two. */
  ofIpv6Ports(srcPort: number, dstPort: number): number {
    return this.#word((srcPort << 16) | dstPort, 32);
  }

  /** The hash of bytes that lie in a row, {@link TOEPLITZ_MAX_BYTES} at most: addresses and ports where no options stand between them. */
  ofBytes(bytes: Uint8Array, offset: number, lenBytes: number): number {
    const table = this.#table;
    let hash = 0;
    for (let i = 0; i < lenBytes; i++) hash ^= table[i * 256 + bytes[offset + i]!]!;
    return hash;
  }

  /** What four bytes of the input contribute, the first of which has place `at`. */
  #word(word: number, at: number): number {
    const table = this.#table;
    const from = at * 256;
    return (
      table[from + (word >>> 24)]! ^
      table[from + 256 + ((word >>> 16) & 0xff)]! ^
      table[from + 512 + ((word >>> 8) & 0xff)]! ^
      table[from + 768 + (word & 0xff)]!
    );
  }
}

/** @throws NetError EINVAL. */
export function checkKey(key: Uint8Array): void {
  if (key.length === RSS_KEY_BYTES) return;
  throw new NetError('EINVAL', `a Toeplitz key has ${RSS_KEY_BYTES} bytes, this one has ${key.length}`);
}

/** 32 bits of the key, from bit `at` on. */
export function keyBits(key: Uint8Array, at: number): number {
  const from = at >>> 3;
  const shift = at & 7;
  const word = (key[from]! << 24) | (key[from + 1]! << 16) | (key[from + 2]! << 8) | key[from + 3]!;
  return (word << shift) | (key[from + 4]! >>> (8 - shift));
}
