/** Blocks are of whole quarters of a cache line. */
const UNIT_SHIFT = 2;
const FIRST_WORDS = 16;

/**
 * Blocks of int32 words in one array, by size: nothing for the collector to visit. A block that is given back is used again for one of its size;
 * {@link freeWords} says when copying what is in use into a new pool is worth it.
 */
export class WordPool {
  words: Int32Array;
  /** In blocks that were given back. */
  freeWords = 0;
  #top: number;
  /** First free block by size in units; a free block's first word is the next one. 0: none. */
  readonly #free: number[] = [];

  /** @param reserved words at the beginning that are no block. */
  constructor(reserved: number) {
    this.#top = roundUp(reserved);
    this.words = new Int32Array(Math.max(FIRST_WORDS, this.#top));
  }

  /** Words that were ever taken, free ones too. */
  get top(): number {
    return this.#top;
  }

  get bytes(): number {
    return this.words.byteLength;
  }

  get usedBytes(): number {
    return (this.#top - this.freeWords) * 4;
  }

  /** Its words are whatever they were. {@link words} may be another array afterwards. */
  take(words: number): number {
    const size = roundUp(words);
    const at = this.#free[size >> UNIT_SHIFT] ?? 0;
    if (at !== 0) {
      this.#free[size >> UNIT_SHIFT] = this.words[at]!;
      this.freeWords -= size;
      return at;
    }
    const begin = this.#top;
    this.#top += size;
    if (this.#top > this.words.length) this.#grow();
    return begin;
  }

  give(at: number, words: number): void {
    const size = roundUp(words);
    const unit = size >> UNIT_SHIFT;
    while (this.#free.length <= unit) this.#free.push(0);
    this.words[at] = this.#free[unit]!;
    this.#free[unit] = at;
    this.freeWords += size;
  }

  /** A block of another size that begins with the same words; the old one is given back. The same one if it has room. */
  resize(at: number, from: number, to: number): number {
    if (roundUp(from) === roundUp(to)) return at;
    const other = this.take(to);
    this.words.copyWithin(other, at, at + Math.min(from, to));
    this.give(at, from);
    return other;
  }

  #grow(): void {
    const grown = new Int32Array(roundUp(Math.max(this.#top, this.words.length + (this.words.length >> 2))));
    grown.set(this.words);
    this.words = grown;
  }
}

function roundUp(words: number): number {
  return (words + 3) & ~3;
}
