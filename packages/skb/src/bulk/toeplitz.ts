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
  /** Two addresses: V8 inlines so much and no more, and a loop over them is twice as fast as eight calls. */
  readonly #words: Int32Array = new Int32Array(8);

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
    const table = this.#table;
    return ofWord(table, 0, src) ^ ofWord(table, 4, dst);
  }

  /** Ports in host order. */
  ofIpv4Ports(src: number, dst: number, srcPort: number, dstPort: number): number {
    const table = this.#table;
    return ofWord(table, 0, src) ^ ofWord(table, 4, dst) ^ ofWord(table, 8, (srcPort << 16) | dstPort);
  }

  ofIpv6(src0: number, src1: number, src2: number, src3: number, dst0: number, dst1: number, dst2: number, dst3: number): number {
    const table = this.#table;
    const words = this.#words;
    words[0] = src0;
    words[1] = src1;
    words[2] = src2;
    words[3] = src3;
    words[4] = dst0;
    words[5] = dst1;
    words[6] = dst2;
    words[7] = dst3;
    let hash = 0;
    for (let i = 0; i < 8; i++) hash ^= ofWord(table, i * 4, words[i]!);
    return hash;
  }

  /** What ports, in host order, add to {@link ofIpv6}: exclusive-or the two. */
  ofIpv6Ports(srcPort: number, dstPort: number): number {
    return ofWord(this.#table, 32, (srcPort << 16) | dstPort);
  }

  /** The hash of bytes that lie in a row, {@link TOEPLITZ_MAX_BYTES} at most: addresses and ports where no options stand between them. */
  ofBytes(view: DataView, offset: number, lenBytes: number): number {
    const table = this.#table;
    let hash = 0;
    let done = 0;
    for (const last = lenBytes - 4; done <= last; done += 4) hash ^= ofWord(table, done, view.getInt32(offset + done));
    for (; done < lenBytes; done++) hash ^= table[done * 256 + view.getUint8(offset + done)]!;
    return hash;
  }
}

/** What four bytes of the input contribute, the first of which has place `at`. */
function ofWord(table: Int32Array, at: number, word: number): number {
  const from = at * 256;
  return (
    table[from + (word >>> 24)]! ^
    table[from + 256 + ((word >>> 16) & 0xff)]! ^
    table[from + 512 + ((word >>> 8) & 0xff)]! ^
    table[from + 768 + (word & 0xff)]!
  );
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
