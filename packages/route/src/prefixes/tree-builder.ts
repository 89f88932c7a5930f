import { octetAt, wordAt } from './bits.ts';
import { bucketWords, COUNT, ENTRIES, MOST, REACH } from './bucket-block.ts';
import { KEY, makeFolded, SLOTS } from './node-block.ts';
import { bucketSlot, FALLBACK, lenOf, NOTHING, nodeSlot } from './slots.ts';
import type { WordPool } from './word-pool.ts';

/** Makes the blocks of a tree from all its prefixes at once, sorted: each is written once, those below it first. */
export class TreeBuilder {
  readonly #pool: WordPool;
  readonly #list: Int32Array;
  readonly #stride: number;
  readonly #wide: boolean;
  /** Slots of the nodes that are being made, by how deep they hang. */
  readonly #levels: Int32Array[] = [];

  /** @param list sorted prefixes, each its words and then its slot; see `sortPrefixes`. */
  constructor(pool: WordPool, list: Int32Array, wide: boolean) {
    this.#pool = pool;
    this.#list = list;
    this.#wide = wide;
    this.#stride = wide ? 5 : 2;
  }

  /** The slots of a root that tells apart by the first `bits`. @param low where the prefixes that are not of length 0 begin. */
  root(bits: number, low: number): Int32Array {
    const slots = new Int32Array(1 << bits);
    const high = this.#list.length;
    if (bits === 0) slots[0] = this.#block(low, high, 0, NOTHING);
    else {
      const index = (at: number): number => this.#list[at]! >>> (32 - bits);
      this.#fill(slots, low, high, bits, index);
    }
    return slots;
  }

  /** What slots have, of prefixes from `low` to before `high`. @param end the bits that slots tell apart, with those before them. */
  #fill(slots: Int32Array, low: number, high: number, end: number, index: (at: number) => number): void {
    const stride = this.#stride;
    for (let at = low; at < high; ) {
      const own = this.#list[at + stride - 1]!;
      const first = index(at);
      if (lenOf(own) <= end) {
        slots.fill(own, first, first + (1 << (end - lenOf(own))));
        at += stride;
        continue;
      }
      let next = at + stride;
      while (next < high && index(next) === first) next += stride;
      slots[first] = this.#block(at, next, end, slots[first]!);
      at = next;
    }
  }

  /** A block for prefixes that have the first `from` bits alike, and are longer; they are there. */
  #block(low: number, high: number, from: number, fallback: number): number {
    if (low === high) return fallback;
    const stride = this.#stride;
    let shortest = 128;
    let longest = 0;
    for (let at = low + stride - 1; at < high; at += stride) {
      const len = lenOf(this.#list[at]!);
      if (len < shortest) shortest = len;
      if (len > longest) longest = len;
    }
    if (high - low <= MOST * stride && longest <= from + REACH) return this.#bucket(low, high, from, fallback);
    return this.#node(low, high, from, Math.min(shortest - 1, this.#common(low, high - stride)) & ~7, fallback);
  }

  #bucket(low: number, high: number, from: number, fallback: number): number {
    const [list, stride] = [this.#list, this.#stride];
    const count = (high - low) / stride;
    const block = this.#pool.take(bucketWords(count));
    const { words } = this.#pool;
    words[block + FALLBACK] = fallback;
    words[block + COUNT] = count;
    for (let at = low, end = block + ENTRIES; at < high; at += stride, end += 2) {
      const slot = list[at + stride - 1]!;
      let entry = end;
      for (; entry > block + ENTRIES && lenOf(words[entry - 1]!) < lenOf(slot); entry -= 2) {
        words[entry] = words[entry - 2]!;
        words[entry + 1] = words[entry - 1]!;
      }
      words[entry] = this.#wide ? wordAt(from, list[at]!, list[at + 1]!, list[at + 2]!, list[at + 3]!) : list[at]! << from;
      words[entry + 1] = slot;
    }
    return bucketSlot(block);
  }

  #node(low: number, high: number, from: number, depth: number, fallback: number): number {
    const list = this.#list;
    const level = from >>> 3;
    this.#levels[level] ??= new Int32Array(SLOTS);
    const slots = this.#levels[level].fill(NOTHING);
    const octet = this.#wide
      ? (at: number): number => octetAt(depth, list[at]!, list[at + 1]!, list[at + 2]!, list[at + 3]!)
      : (at: number): number => (list[at]! << depth) >>> 24;
    this.#fill(slots, low, high, depth + 8, octet);
    const node = makeFolded(this.#pool, slots, depth);
    const { words } = this.#pool;
    words[node + FALLBACK] = fallback;
    for (let word = 0; word < 4; word++) words[node + KEY + word] = this.#wide || word === 0 ? list[low + word]! : 0;
    return nodeSlot(node);
  }

  /** How many bits all from one prefix to another have alike, which are sorted. */
  #common(first: number, last: number): number {
    const list = this.#list;
    for (let word = 0; word < (this.#wide ? 4 : 1); word++) {
      const differ = list[first + word]! ^ list[last + word]!;
      if (differ !== 0) return 32 * word + Math.clz32(differ);
    }
    return 128;
  }
}
