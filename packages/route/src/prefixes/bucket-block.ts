import { FALLBACK, lenOf, NOTHING } from './slots.ts';
import type { WordPool } from './word-pool.ts';

/**
 * A bucket has a few prefixes that no slot can say, the longest first: to compare them one by one is as quick as a node, and takes less room.
 * Its words: fallback, how many, and for each prefix the 32 bits that come where the bucket hangs, and its slot. Longer ones are a node's.
 */
export const COUNT = 1;
export const ENTRIES = 2;
/** With one more it becomes a node. */
export const MOST = 8;
/** Bits of a prefix that an entry tells apart. */
export const REACH = 32;

/** An empty bucket. */
export function makeBucket(pool: WordPool, fallback: number): number {
  const at = pool.take(ENTRIES);
  pool.words[at + FALLBACK] = fallback;
  pool.words[at + COUNT] = 0;
  return at;
}

export function giveBucket(pool: WordPool, at: number): void {
  pool.give(at, bucketWords(pool.words[at + COUNT]!));
}

export function bucketWords(count: number): number {
  return ENTRIES + count * 2;
}

/** Where the entry of this prefix is; -1: nowhere. */
export function entryAt(words: Int32Array, at: number, key: number, len: number): number {
  const end = at + ENTRIES + words[at + COUNT]! * 2;
  for (let entry = at + ENTRIES; entry < end; entry += 2) if (words[entry] === key && lenOf(words[entry + 1]!) === len) return entry;
  return -1;
}

/** Puts a prefix in that is not there. Returns where the bucket is now. */
export function insertEntry(pool: WordPool, at: number, key: number, slot: number): number {
  const count = pool.words[at + COUNT]!;
  const to = pool.resize(at, bucketWords(count), bucketWords(count + 1));
  const { words } = pool;
  let entry = to + bucketWords(count);
  for (; entry > to + ENTRIES && lenOf(words[entry - 1]!) < lenOf(slot); entry -= 2) {
    words[entry] = words[entry - 2]!;
    words[entry + 1] = words[entry - 1]!;
  }
  words[entry] = key;
  words[entry + 1] = slot;
  words[to + COUNT] = count + 1;
  return to;
}

/** Takes an entry out. Returns where the bucket is now, {@link NOTHING} for nowhere: it was the last one. */
export function dropEntry(pool: WordPool, at: number, entry: number): number {
  const { words } = pool;
  const count = words[at + COUNT]!;
  const size = bucketWords(count);
  if (count === 1) {
    pool.give(at, size);
    return NOTHING;
  }
  words.copyWithin(entry, entry + 2, at + size);
  words[at + COUNT] = count - 1;
  return pool.resize(at, size, size - 2);
}
