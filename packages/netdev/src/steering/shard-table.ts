/** So many flows are remembered, a power of two; and so many places are looked at for one. */
const SLOTS = 4096;
const WINDOW = 8;

/**
 * On which shard flows are read, by their hash: a fixed number of them, the oldest of those that share places out first. Two flows of
 * one hash are one here: it is a hint, and a packet that comes to the wrong shard arrives all the same. Open addressing, without
 * removal.
 */
export class ShardTable {
  /** Flows that were forgotten for others. */
  evictions = 0;
  /** 0: a free place; no flow has that hash. */
  readonly #hashes = new Int32Array(SLOTS);
  readonly #shards = new Int32Array(SLOTS);
  /** When it was written last, in writes: wrapping int32. */
  readonly #stamps = new Int32Array(SLOTS);
  #now = 0;

  /** @param hash as in `skb.hash`; 0 is no flow's. @param shard 0 and up. */
  put(hash: number, shard: number): void {
    if (hash === 0) return;
    const at = this.#placeFor(hash | 0);
    this.#now = (this.#now + 1) | 0;
    this.#hashes[at] = hash;
    this.#shards[at] = shard;
    this.#stamps[at] = this.#now;
  }

  /** -1: not known. */
  shardOf(hash: number): number {
    const at = this.#find(hash | 0);
    return at < 0 ? -1 : this.#shards[at]!;
  }

  has(hash: number): boolean {
    return this.#find(hash | 0) >= 0;
  }

  #find(hash: number): number {
    if (hash === 0) return -1;
    for (let i = 0, at = home(hash); i < WINDOW; i++, at = (at + 1) & (SLOTS - 1)) if (this.#hashes[at] === hash) return at;
    return -1;
  }

  /** Its own place, else a free one, else that of the oldest. */
  #placeFor(hash: number): number {
    const known = this.#find(hash);
    if (known >= 0) return known;
    let oldest = home(hash);
    for (let i = 0, at = oldest; i < WINDOW; i++, at = (at + 1) & (SLOTS - 1)) {
      if (this.#hashes[at] === 0) return at;
      if (((this.#stamps[at]! - this.#stamps[oldest]!) | 0) < 0) oldest = at;
    }
    this.evictions++;
    return oldest;
  }
}

/** Hashes of a device's RSS differ in their low bits only where its table is small: they are mixed once more. */
function home(hash: number): number {
  const mixed = Math.imul(hash, 0x9e3779b1);
  return (mixed >>> 16) & (SLOTS - 1);
}
