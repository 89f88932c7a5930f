import type { BulkWork, Fragment, SkbPool } from '@softnet/contract';
import { checkKey, keyBits, TOEPLITZ_MAX_BYTES } from './toeplitz.ts';

/**
 * `Toeplitz` by vector instructions, of what lies in packet memory. Its key takes a page of the pool until it is released. It is no
 * faster than the plain one in V8 (README.md), so drivers take that one; it leaves more of the processor's cache alone.
 */
export class VectorToeplitz {
  readonly #page: Fragment;
  readonly #bulk: BulkWork;

  /**
   * Null: there are no vector instructions, or no page (counted by the pool).
   *
   * @param key of `RSS_KEY_BYTES`.
   * @throws NetError EINVAL: it is of another length.
   */
  static make(key: Uint8Array, pool: SkbPool): VectorToeplitz | null {
    checkKey(key);
    const page = pool.page(32 * TOEPLITZ_MAX_BYTES);
    const made = page === null || page.memory.bulk === null ? null : new VectorToeplitz(page, page.memory.bulk, key);
    if (made === null) page?.source.release(page);
    return made;
  }

  private constructor(page: Fragment, bulk: BulkWork, key: Uint8Array) {
    this.#page = page;
    this.#bulk = bulk;
    const { memory, offset } = page;
    for (let bit = 0; bit < 8 * TOEPLITZ_MAX_BYTES; bit++) {
      // By four bytes of the input, then by the bit in a byte, then by the byte: as vectors.wat says.
      const at = 128 * (bit >>> 5) + 16 * (bit & 7) + 4 * ((bit >>> 3) & 3);
      memory.view.setInt32(offset + at, keyBits(key, bit), true);
    }
  }

  /** The hash of bytes that lie in a row in the pool's memory. `lenBytes`: 4 to {@link TOEPLITZ_MAX_BYTES}, a multiple of 4. */
  ofBytes(offset: number, lenBytes: number): number {
    return this.#bulk.toeplitz(this.#page.offset, offset, lenBytes);
  }

  /** Gives the page back. It hashes nothing any more. */
  release(): void {
    this.#page.source.release(this.#page);
  }
}
