/**
 * A slot of a tree says what the addresses behind it have. 0: nothing. Positive: a value and the length of its prefix. Negative: a block of
 * the pool, that has more to say: a node or a bucket. The first word of a block is what its addresses have if it knows nothing better.
 */
export const NOTHING = 0;
export const FALLBACK = 0;

/** Values are 1 to this. */
export const MAX_VALUE = 0x7fffff;

const BLOCK = 1 << 31;
const IS_BUCKET = 1;

/** @param value 1 to {@link MAX_VALUE}. */
export function packed(value: number, prefixLen: number): number {
  return (value << 8) | prefixLen;
}

/** Length of the prefix of a slot that is no block; of {@link NOTHING}, 0. */
export function lenOf(slot: number): number {
  return slot & 0xff;
}

export function isBucket(slot: number): boolean {
  return (slot & IS_BUCKET) !== 0;
}

/** Where in the pool the block of a negative slot is. */
export function blockAt(slot: number): number {
  return (slot & 0x7ffffffe) << 1;
}

export function nodeSlot(at: number): number {
  return BLOCK | (at >>> 1);
}

export function bucketSlot(at: number): number {
  return BLOCK | (at >>> 1) | IS_BUCKET;
}
