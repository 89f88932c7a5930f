import type { Neighbour, NetDevice } from '@softnet/contract';
import { hashWords } from '../address-hash.ts';

/** The most buckets; more neighbours than that share them. */
const MAX_BUCKETS = 1 << 20;

/** Neighbours by device and address; as many buckets as there may be neighbours, so that it never has to grow. */
export class NeighbourHash {
  count = 0;
  readonly #seed: number;
  #buckets: (Neighbour | null)[] = [];
  /** Where {@link walk} goes on. */
  #cursor = 0;

  constructor(seed: number, limit: number) {
    this.#seed = seed;
    this.resize(limit);
  }

  get buckets(): number {
    return this.#buckets.length;
  }

  find(device: NetDevice, word0: number, word1: number, word2: number, word3: number): Neighbour | null {
    let at: Neighbour | null = this.#buckets[this.#bucket(device.ifindex, word0, word1, word2, word3)]!;
    while (at !== null) {
      if (at.address3 === word3 && at.address2 === word2 && at.device === device && at.address1 === word1 && at.address0 === word0)
        return at;
      at = at.hashNext;
    }
    return null;
  }

  insert(neighbour: Neighbour): void {
    const bucket = this.#bucketOf(neighbour);
    neighbour.hashNext = this.#buckets[bucket]!;
    this.#buckets[bucket] = neighbour;
    this.count++;
  }

  /** Its device still has the index that it had. */
  remove(neighbour: Neighbour): void {
    const bucket = this.#bucketOf(neighbour);
    let before: Neighbour | null = null;
    let at: Neighbour | null = this.#buckets[bucket]!;
    while (at !== null && at !== neighbour) {
      before = at;
      at = at.hashNext;
    }
    if (at === null) return;
    if (before === null) this.#buckets[bucket] = at.hashNext;
    else before.hashNext = at.hashNext;
    at.hashNext = null;
    this.count--;
  }

  /**
   * Shows `visit` the neighbours of the next bucket, which it may remove; the walk goes round and round.
   * Returns how many it has shown.
   */
  walk(visit: (neighbour: Neighbour) => void): number {
    this.#cursor = (this.#cursor + 1) & (this.#buckets.length - 1);
    let shown = 0;
    for (let at: Neighbour | null = this.#buckets[this.#cursor]!; at !== null; ) {
      const next: Neighbour | null = at.hashNext;
      visit(at);
      shown++;
      at = next;
    }
    return shown;
  }

  *[Symbol.iterator](): Generator<Neighbour> {
    for (const first of this.#buckets) for (let at = first; at !== null; at = at.hashNext) yield at;
  }

  /** For so many neighbours. */
  resize(limit: number): void {
    const size = Math.min(1 << (32 - Math.clz32(Math.max(limit, 16) - 1)), MAX_BUCKETS);
    if (size === this.#buckets.length) return;
    const all = [...this];
    this.#buckets = new Array<Neighbour | null>(size).fill(null);
    this.count = 0;
    for (const neighbour of all) this.insert(neighbour);
  }

  #bucketOf({ device, address0, address1, address2, address3 }: Neighbour): number {
    return this.#bucket(device.ifindex, address0, address1, address2, address3);
  }

  #bucket(ifindex: number, word0: number, word1: number, word2: number, word3: number): number {
    return hashWords(this.#seed, word0, word1, word2, word3, ifindex) & (this.#buckets.length - 1);
  }
}
