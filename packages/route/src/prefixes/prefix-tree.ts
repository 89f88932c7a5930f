import { agrees, commonBits, octetAt, wordAt } from './bits.ts';
import { bucketWords, COUNT, dropEntry, ENTRIES, entryAt, giveBucket, insertEntry, MOST, makeBucket, REACH } from './bucket-block.ts';
import { depthOf, fold, giveNode, KEY, makeNode, RUNS, runAt, runsOf, SHAPE, splitRun, unfold } from './node-block.ts';
import { blockAt, bucketSlot, FALLBACK, isBucket, lenOf, NOTHING, nodeSlot } from './slots.ts';
import { TreeBuilder } from './tree-builder.ts';
import { WordPool } from './word-pool.ts';

/** Addresses are told apart by their first 16 bits at once where there are many prefixes. */
const ROOT_BITS = 16;

/**
 * Longest-prefix match: from address to slot. A tree of nodes of eight bits, their slots run-length coded with a bitmap (Degermark and others'
 * "small forwarding tables", poptrie), with buckets for the few prefixes of a sparse part, no node where all prefixes go on alike, and a root of
 * 65,536 slots once it is worth it. A prefix is told to the slots of one node only: what is deeper falls back to it.
 */
export class PrefixTree {
  readonly #wide: boolean;
  readonly #pool: WordPool;
  readonly #rootBits: number;
  /** By which an address's first 16 bits are shifted to the number of its root slot. */
  readonly #rootShift: number;
  /** Of the prefix of length 0. */
  #fallback = NOTHING;
  /** Room for the slots of a node; shared by trees. */
  readonly #slots: Int32Array;

  /** @param big with the large root. @param slots 256 words to work with. */
  constructor(wide: boolean, big: boolean, slots: Int32Array) {
    this.#wide = wide;
    this.#rootBits = big ? ROOT_BITS : 0;
    this.#rootShift = ROOT_BITS - this.#rootBits;
    this.#pool = new WordPool(1 << this.#rootBits);
    this.#slots = slots;
  }

  get bytes(): number {
    return this.#pool.bytes;
  }

  /** Of those, what is not idle. */
  get usedBytes(): number {
    return this.#pool.usedBytes;
  }

  /** Whether as many words lie idle as are in use. */
  get wasteful(): boolean {
    return this.#pool.freeWords * 2 > this.#pool.top && this.#pool.freeWords > 1024;
  }

  /** The slot of the longest prefix of an IPv4 address; {@link NOTHING}. */
  find(address: number): number {
    const words = this.#pool.words;
    let best = this.#fallback;
    let from = this.#rootBits;
    let slot = words[(address >>> 16) >>> this.#rootShift]!;
    for (;;) {
      if (slot >= 0) return slot === NOTHING ? best : slot;
      const at = blockAt(slot);
      const fallback = words[at]!;
      if (fallback !== NOTHING) best = fallback;
      if (isBucket(slot)) {
        const end = at + ENTRIES + (words[at + COUNT]! << 1);
        const key = address << from;
        for (let entry = at + ENTRIES; entry < end; entry += 2) {
          const own = words[entry + 1]!;
          if ((words[entry]! ^ key) >>> (32 + from - lenOf(own)) === 0) return own;
        }
        return best;
      }
      const depth = depthOf(words[at + SHAPE]!);
      if (depth !== from && (words[at + KEY]! ^ address) >>> (32 - depth) !== 0) return best;
      slot = words[runAt(words, at, (address << depth) >>> 24)]!;
      from = depth + 8;
    }
  }

  /** As {@link find}, of an IPv6 address. */
  findWide(word0: number, word1: number, word2: number, word3: number): number {
    const words = this.#pool.words;
    let best = this.#fallback;
    let from = this.#rootBits;
    let slot = words[(word0 >>> 16) >>> this.#rootShift]!;
    for (;;) {
      if (slot >= 0) return slot === NOTHING ? best : slot;
      const at = blockAt(slot);
      const fallback = words[at]!;
      if (fallback !== NOTHING) best = fallback;
      if (isBucket(slot)) {
        const end = at + ENTRIES + (words[at + COUNT]! << 1);
        const key = wordAt(from, word0, word1, word2, word3);
        for (let entry = at + ENTRIES; entry < end; entry += 2) {
          const own = words[entry + 1]!;
          if ((words[entry]! ^ key) >>> (32 + from - lenOf(own)) === 0) return own;
        }
        return best;
      }
      const depth = depthOf(words[at + SHAPE]!);
      if (depth !== from && !agrees(words, at + KEY, depth, word0, word1, word2, word3)) return best;
      slot = words[runAt(words, at, octetAt(depth, word0, word1, word2, word3))]!;
      from = depth + 8;
    }
  }

  /** Addresses of this prefix have this slot, but those of longer ones. */
  set(key0: number, key1: number, key2: number, key3: number, slot: number): void {
    const len = lenOf(slot);
    if (len === 0) this.#fallback = slot;
    else if (len <= this.#rootBits) {
      const first = key0 >>> (32 - ROOT_BITS);
      this.#paint(this.#pool.words, first, first + (1 << (ROOT_BITS - len)), 0, len, slot);
    } else this.#setBelow(this.#rootOf(key0), this.#rootBits, key0, key1, key2, key3, slot);
  }

  /** Takes a prefix out that is there. @param rest the slot of the next shorter prefix of it that is there; {@link NOTHING}. */
  delete(key0: number, key1: number, key2: number, key3: number, len: number, rest: number): void {
    if (len === 0) this.#fallback = NOTHING;
    else if (len <= this.#rootBits) {
      const first = key0 >>> (32 - ROOT_BITS);
      const slot = lenOf(rest) === 0 ? NOTHING : rest;
      this.#paint(this.#pool.words, first, first + (1 << (ROOT_BITS - len)), len, len, slot);
    } else this.#deleteBelow(this.#rootOf(key0), this.#rootBits, key0, key1, key2, key3, len, rest);
  }

  /** A tree of these prefixes, sorted as by `sortPrefixes`, in the place of {@link set} for each. */
  static of(wide: boolean, big: boolean, slots: Int32Array, list: Int32Array): PrefixTree {
    const tree = new PrefixTree(wide, big, slots);
    const stride = wide ? 5 : 2;
    const hasDefault = list.length > 0 && lenOf(list[stride - 1]!) === 0;
    if (hasDefault) tree.#fallback = list[stride - 1]!;
    const root = new TreeBuilder(tree.#pool, list, wide).root(tree.#rootBits, hasDefault ? stride : 0);
    tree.#pool.words.set(root);
    return tree;
  }

  /** The same without what lies idle. */
  copy(): PrefixTree {
    const copy = new PrefixTree(this.#wide, this.#rootBits !== 0, this.#slots);
    copy.#fallback = this.#fallback;
    for (let root = 0; root < 1 << this.#rootBits; root++) {
      const slot = this.#copySlot(this.#pool.words[root]!, copy.#pool);
      copy.#pool.words[root] = slot;
    }
    return copy;
  }

  #rootOf(key0: number): number {
    return (key0 >>> 16) >>> this.#rootShift;
  }

  /** Tells slots from `first` to before `end`, those whose prefix has `least` to `most` bits: they have another now. */
  #paint(slots: Int32Array, first: number, end: number, least: number, most: number, slot: number): void {
    const words = this.#pool.words;
    for (let i = first; i < end; i++) {
      const own = slots[i]!;
      if (own >= 0) {
        if (lenOf(own) >= least && lenOf(own) <= most) slots[i] = slot;
        continue;
      }
      const at = blockAt(own);
      const len = lenOf(words[at + FALLBACK]!);
      if (len >= least && len <= most) words[at + FALLBACK] = slot;
    }
  }

  /** @param link where the slot is that says what is behind the first `from` bits; the prefix is longer. */
  #setBelow(root: number, rootBits: number, key0: number, key1: number, key2: number, key3: number, slot: number): void {
    const len = lenOf(slot);
    let link = root;
    let from = rootBits;
    for (;;) {
      const words = this.#pool.words;
      const there = words[link]!;
      if (there >= 0) {
        const block = this.#makeBlock(len, from, key0, key1, key2, key3, there);
        this.#pool.words[link] = block;
        continue;
      }
      const at = blockAt(there);
      if (isBucket(there)) {
        if (this.#setInBucket(link, at, from, wordAt(from, key0, key1, key2, key3), slot)) return;
        this.#burst(link, at, from, key0, key1, key2, key3);
        continue;
      }
      const depth = depthOf(words[at + SHAPE]!);
      const common = depth === from ? depth : commonBits(words, at + KEY, this.#wide, key0, key1, key2, key3, Math.min(depth, len - 1));
      if (common < depth) {
        this.#insertAbove(link, at, common & ~7);
        continue;
      }
      const octet = octetAt(depth, key0, key1, key2, key3);
      if (len <= depth + 8) {
        this.#setInNode(link, at, octet, octet + (1 << (depth + 8 - len)), 0, len, slot);
        return;
      }
      const run = runAt(words, at, octet);
      if (words[run]! >= 0) {
        const block = this.#makeBlock(len, depth + 8, key0, key1, key2, key3, words[run]!);
        this.#setInNode(link, at, octet, octet + 1, -1, 255, block);
        continue;
      }
      link = run;
      from = depth + 8;
    }
  }

  /** A block for a prefix of this length where there was none. */
  #makeBlock(len: number, from: number, key0: number, key1: number, key2: number, key3: number, fallback: number): number {
    if (len <= from + REACH) return bucketSlot(makeBucket(this.#pool, fallback));
    return nodeSlot(this.#makeNode((len - 1) & ~7, key0, key1, key2, key3, fallback));
  }

  /** False: it is full, or the prefix is too long for it. */
  #setInBucket(link: number, at: number, from: number, key: number, slot: number): boolean {
    const { words } = this.#pool;
    const len = lenOf(slot);
    if (len > from + REACH) return false;
    const there = entryAt(words, at, key, len);
    if (there >= 0) {
      words[there + 1] = slot;
      return true;
    }
    if (words[at + COUNT] === MOST) return false;
    const to = insertEntry(this.#pool, at, key, slot);
    this.#pool.words[link] = bucketSlot(to);
    return true;
  }

  /** A bucket becomes a node, as deep as all that its prefixes have alike. The key is that of a prefix there: what comes before the bucket is the same. */
  #burst(link: number, bucket: number, from: number, key0: number, key1: number, key2: number, key3: number): void {
    const pool = this.#pool;
    const first = bucket + ENTRIES;
    const end = first + pool.words[bucket + COUNT]! * 2;
    let common = 127;
    for (let entry = first; entry < end; entry += 2) {
      const { [entry]: own, [entry + 1]: slot, [first]: other } = pool.words;
      common = Math.min(common, lenOf(slot!) - 1, from + Math.clz32(own! ^ other!));
    }
    const depth = common & ~7;
    const { [first]: own, [bucket + FALLBACK]: fallback } = pool.words;
    const word = (index: number, before: number): number => joined(before, from - 32 * index, own!);
    const node = this.#makeNode(depth, word(0, key0), word(1, key1), word(2, key2), word(3, key3), fallback!);
    pool.words[link] = nodeSlot(node);
    // The shortest first: so each finds its slots in one run.
    for (let entry = end - 2; entry >= first; entry -= 2) {
      const { [entry]: rest, [entry + 1]: slot } = pool.words;
      this.#setInNew(link, depth, (rest! >>> (24 + from - depth)) & 0xff, rest! << (depth + 8 - from), slot!);
    }
    giveBucket(pool, bucket);
  }

  /** A prefix of a bucket that has become a node. @param key its bits behind the node's slot. */
  #setInNew(link: number, depth: number, octet: number, key: number, slot: number): void {
    const pool = this.#pool;
    const len = lenOf(slot);
    const at = blockAt(pool.words[link]!);
    if (len <= depth + 8) {
      this.#setInNode(link, at, octet, octet + (1 << (depth + 8 - len)), 0, len, slot);
      return;
    }
    const there = pool.words[runAt(pool.words, at, octet)]!;
    if (there >= 0) this.#setInNode(link, at, octet, octet + 1, -1, 255, bucketSlot(makeBucket(pool, there)));
    const run = runAt(pool.words, blockAt(pool.words[link]!), octet);
    this.#setInBucket(run, blockAt(pool.words[run]!), depth + 8, key, slot);
  }

  #makeNode(depth: number, key0: number, key1: number, key2: number, key3: number, fallback: number): number {
    const node = makeNode(this.#pool);
    const { words } = this.#pool;
    words[node + FALLBACK] = fallback;
    words[node + SHAPE]! |= depth;
    words[node + KEY] = key0;
    words[node + KEY + 1] = key1;
    words[node + KEY + 2] = key2;
    words[node + KEY + 3] = key3;
    return node;
  }

  /** A prefix leaves the way to a node: there is one above it now. */
  #insertAbove(link: number, at: number, depth: number): void {
    const old = this.#pool.words;
    const { [at + KEY]: key0, [at + KEY + 1]: key1, [at + KEY + 2]: key2, [at + KEY + 3]: key3 } = old;
    const above = this.#makeNode(depth, key0!, key1!, key2!, key3!, old[at + FALLBACK]!);
    const { words } = this.#pool;
    words[at + FALLBACK] = NOTHING;
    const below = words[link]!;
    words[link] = nodeSlot(above);
    const octet = octetAt(depth, key0!, key1!, key2!, key3!);
    this.#setInNode(link, above, octet, octet + 1, -1, 255, below);
  }

  /** As {@link #paint}; with `least` -1 a slot becomes that very block. */
  #setInNode(link: number, at: number, first: number, end: number, least: number, most: number, slot: number): void {
    const { words } = this.#pool;
    const run = runAt(words, at, first);
    const own = words[run]!;
    if (own >= 0 && end > first && (end === first + 1 || run === runAt(words, at, end - 1))) {
      if (own === slot || (least >= 0 && (lenOf(own) < least || lenOf(own) > most))) return;
      const split = splitRun(this.#pool, at, first, end, slot);
      if (split !== 0) {
        if (split !== at) this.#pool.words[link] = nodeSlot(split);
        return;
      }
    }
    const slots = this.#slots;
    unfold(words, at, slots);
    if (least < 0) slots[first] = slot;
    else this.#paint(slots, first, end, least, most, slot);
    const to = fold(this.#pool, at, slots);
    if (to !== at) this.#pool.words[link] = nodeSlot(to);
  }

  #deleteBelow(link: number, from: number, key0: number, key1: number, key2: number, key3: number, len: number, rest: number): void {
    const { words } = this.#pool;
    const there = words[link]!;
    const at = blockAt(there);
    if (isBucket(there)) {
      const fallback = words[at + FALLBACK]!;
      const entry = entryAt(words, at, wordAt(from, key0, key1, key2, key3), len);
      const to = dropEntry(this.#pool, at, entry);
      this.#pool.words[link] = to === NOTHING ? fallback : bucketSlot(to);
      return;
    }
    const depth = depthOf(words[at + SHAPE]!);
    const octet = octetAt(depth, key0, key1, key2, key3);
    if (len <= depth + 8) {
      // What is no longer than the node is deep, its fallback says.
      const slot = lenOf(rest) > depth ? rest : NOTHING;
      this.#setInNode(link, at, octet, octet + (1 << (depth + 8 - len)), len, len, slot);
    } else {
      const run = runAt(words, at, octet);
      this.#deleteBelow(run, depth + 8, key0, key1, key2, key3, len, rest);
      const left = this.#pool.words[run]!;
      if (left < 0) return;
      // The slot has no block any more, and may be of one run with its neighbours.
      this.#setInNode(link, at, octet, octet, 0, 0, NOTHING);
    }
    this.#prune(link);
  }

  /** A node that has nothing goes. */
  #prune(link: number): void {
    const { words } = this.#pool;
    const at = blockAt(words[link]!);
    if (runsOf(words[at + SHAPE]!) !== 1 || words[at + RUNS] !== NOTHING) return;
    words[link] = words[at + FALLBACK]!;
    giveNode(this.#pool, at);
  }

  #copySlot(slot: number, to: WordPool): number {
    if (slot >= 0) return slot;
    const at = blockAt(slot);
    const { words } = this.#pool;
    const size = isBucket(slot) ? bucketWords(words[at + COUNT]!) : RUNS + runsOf(words[at + SHAPE]!);
    const copy = to.take(size);
    to.words.set(words.subarray(at, at + size), copy);
    if (isBucket(slot)) return bucketSlot(copy);
    for (let i = RUNS; i < size; i++) {
      const below = this.#copySlot(words[at + i]!, to);
      to.words[copy + i] = below;
    }
    return nodeSlot(copy);
  }
}

/** A word of a key: its own bits before `from`, which is of that word's, and those of `rest` from there on. */
function joined(word: number, from: number, rest: number): number {
  if (from >= 32) return word;
  if (from <= 0) return from <= -32 ? 0 : rest << -from;
  return (word & ~(0xffffffff >>> from)) | (rest >>> from);
}
