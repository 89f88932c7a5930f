import { maskOf } from './bits.ts';
import { SLOTS } from './node-block.ts';
import { PrefixMap } from './prefix-map.ts';
import { PrefixTree } from './prefix-tree.ts';
import { lenOf, NOTHING, packed } from './slots.ts';
import { sortPrefixes } from './sort-prefixes.ts';

/** From so many prefixes on a tree has the large root, of 256 KiB; and with so few it has it no more. */
const BIG = 16_384;
const SMALL = 4096;

/**
 * Values by prefix, 1 to `MAX_VALUE`: those of the prefixes of an address, the longest first, and that of a prefix exactly. Keys are of one word
 * (IPv4) or four. Lookups allocate nothing.
 */
export class PrefixTable {
  /** Length of the prefix whose value {@link first} or {@link next} gave; without an answer 0. */
  prefixLen = 0;
  readonly #wide: boolean;
  readonly #map: PrefixMap;
  #tree: PrefixTree;
  #big = false;
  /** The tree is of what was before {@link begin}. */
  #behind = false;
  readonly #slots = new Int32Array(SLOTS);
  /** What {@link first} was asked for. */
  #word0 = 0;
  #word1 = 0;
  #word2 = 0;
  #word3 = 0;

  /** @param wide keys of four words, else of one. @param seed of the hash of prefixes. int32. */
  constructor(wide: boolean, seed: number) {
    this.#wide = wide;
    this.#map = new PrefixMap(wide, seed);
    this.#tree = new PrefixTree(wide, false, this.#slots);
  }

  /** Prefixes. */
  get count(): number {
    return this.#map.count;
  }

  /** Bytes of what lookups read. */
  get lookupBytes(): number {
    return this.#tree.bytes;
  }

  /** Of those, what is not idle. */
  get usedBytes(): number {
    return this.#tree.usedBytes;
  }

  /** Bytes of what else is kept: the prefixes themselves. */
  get controlBytes(): number {
    return this.#map.bytes + this.#slots.byteLength + this.#map.byLength.byteLength;
  }

  /** The value of an IPv4 address's longest prefix; 0: it has none. */
  first(address: number): number {
    const slot = this.#behind ? this.#shorter(address, 0, 0, 0, 33) : this.#tree.find(address);
    this.#word0 = address;
    this.prefixLen = lenOf(slot);
    return slot >>> 8;
  }

  /** As {@link first}, of an IPv6 address. */
  firstWide(word0: number, word1: number, word2: number, word3: number): number {
    const slot = this.#behind ? this.#shorter(word0, word1, word2, word3, 129) : this.#tree.findWide(word0, word1, word2, word3);
    this.#word0 = word0;
    this.#word1 = word1;
    this.#word2 = word2;
    this.#word3 = word3;
    this.prefixLen = lenOf(slot);
    return slot >>> 8;
  }

  /** The value of the next shorter prefix of the address; 0: there is none. */
  next(): number {
    const slot = this.#shorter(this.#word0, this.#word1, this.#word2, this.#word3, this.prefixLen);
    this.prefixLen = lenOf(slot);
    return slot >>> 8;
  }

  /** The value of this very prefix, whose bits behind it are clear; 0: it is not there. */
  get(key0: number, key1: number, key2: number, key3: number, len: number): number {
    return this.#map.get(key0, key1, key2, key3, len) >>> 8;
  }

  /** Gives a prefix a value, in the place of the one it has. */
  set(key0: number, key1: number, key2: number, key3: number, len: number, value: number): void {
    const slot = packed(value, len);
    this.#map.set(key0, key1, key2, key3, slot);
    if (this.#behind) return;
    this.#tree.set(key0, key1, key2, key3, slot);
    if (!this.#big && this.#map.count > BIG) this.#rebuild(true);
  }

  /** Takes a prefix out. False: it is not there. */
  delete(key0: number, key1: number, key2: number, key3: number, len: number): boolean {
    if (this.#map.delete(key0, key1, key2, key3, len) === NOTHING) return false;
    if (this.#behind) return true;
    this.#tree.delete(key0, key1, key2, key3, len, this.#shorter(key0, key1, key2, key3, len));
    if (this.#big && this.#map.count < SMALL) this.#rebuild(false);
    else if (this.#tree.wasteful) this.#tree = this.#tree.copy();
    return true;
  }

  /**
   * Many changes follow: until {@link publish} the tree is let alone, and lookups, which know of the changes, are slow.
   * @param more how many prefixes there may be more.
   */
  begin(more: number): void {
    this.#behind = true;
    this.#map.reserve(this.count + more);
  }

  /** There is a new tree, made of all prefixes at once, in the place of the old one. */
  publish(): void {
    this.#map.fit();
    this.#rebuild(this.#map.count > (this.#big ? SMALL : BIG));
    this.#behind = false;
  }

  /** The prefixes are what they were before {@link begin}: the old tree is theirs. */
  discard(): void {
    this.#map.fit();
    this.#behind = false;
  }

  /** Every prefix, in order: of each its words, then its length and, from bit 8 on, its value. A prefix comes before those that begin with it. */
  sorted(): Int32Array {
    return sortPrefixes(this.#map.list(), this.#wide ? 5 : 2);
  }

  /** As {@link sorted}, of the prefixes whose values are wanted. */
  chosen(wanted: readonly boolean[]): Int32Array {
    const stride = this.#wide ? 5 : 2;
    const list = this.#map.list();
    let end = 0;
    for (let at = 0; at < list.length; at += stride) {
      if (!wanted[list[at + stride - 1]! >>> 8]) continue;
      list.copyWithin(end, at, at + stride);
      end += stride;
    }
    return sortPrefixes(list.slice(0, end), stride);
  }

  /** The slot of the longest prefix of an address that is shorter than `len`. */
  #shorter(word0: number, word1: number, word2: number, word3: number, len: number): number {
    const map = this.#map;
    for (let bits = len - 1; bits >= 0; bits--) {
      if (map.byLength[bits] === 0) continue;
      const slot = this.#wide
        ? map.get(word0 & maskOf(bits), word1 & maskOf(bits - 32), word2 & maskOf(bits - 64), word3 & maskOf(bits - 96), bits)
        : map.get(word0 & maskOf(bits), 0, 0, 0, bits);
      if (slot !== NOTHING) return slot;
    }
    return NOTHING;
  }

  #rebuild(big: boolean): void {
    this.#tree = PrefixTree.of(this.#wide, big, this.#slots, this.sorted());
    this.#big = big;
  }
}
