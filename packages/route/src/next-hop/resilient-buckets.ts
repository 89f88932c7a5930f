import type { Clock } from '@softnet/contract';

export interface BucketsSpec {
  readonly count: number;
  readonly idleMs: number;
  /** The members by bucket, of the last generation; undefined: it is new. */
  readonly owners?: readonly number[] | undefined;
  readonly clock: Clock;
  /** Runs {@link ResilientBuckets.balance} so much later, in the place of what was said before. */
  readonly wake: (delayMs: number) => void;
}

export interface BucketMember {
  readonly id: number;
  readonly weight: number;
}

/** No member's: a moment's state only. */
const ORPHAN = -1;

/**
 * The buckets of a resilient group: flows fall into them by hash, each is one member's, and a change of members moves only those that must
 * move: at once those of a member that went, the rest when they have been idle, or the group out of balance, for long enough. Linux's
 * `struct nh_res_table`.
 */
export class ResilientBuckets {
  idleMs: number;
  /** 0: never. */
  unbalancedMs = 0;
  readonly #spec: BucketsSpec;
  /** By bucket: the place of its member. */
  readonly #members: Int16Array;
  /** By bucket: when it was last asked for, kernel ms. */
  readonly #usedMs: Int32Array;
  #list: readonly BucketMember[] = [];
  /** By member: how many it has, and should have. */
  #has: number[] = [];
  #wants: number[] = [];
  #unbalanced = false;
  #unbalancedSinceMs = 0;

  constructor(spec: BucketsSpec) {
    this.#spec = spec;
    this.idleMs = spec.idleMs;
    this.#members = new Int16Array(spec.count).fill(ORPHAN);
    const { nowMs } = spec.clock;
    // Nobody has asked for new ones yet: they are idle from the start.
    this.#usedMs = new Int32Array(spec.count).fill(spec.owners === undefined ? (nowMs - spec.idleMs) | 0 : nowMs);
    if (spec.owners?.length === spec.count) this.#adopt(spec.owners);
  }

  get count(): number {
    return this.#members.length;
  }

  /** The members by bucket, for the next generation. */
  get owners(): number[] {
    return Array.from(this.#members, (place) => this.#list[place]!.id);
  }

  /** How many buckets each member has. */
  get shares(): readonly number[] {
    return this.#has;
  }

  /** The place of the flow's member; its bucket is in use now. Allocates nothing. */
  pick(hash: number): number {
    const bucket = (hash >>> 0) % this.#members.length;
    this.#usedMs[bucket] = this.#spec.clock.nowMs;
    return this.#members[bucket]!;
  }

  /** Other members, or weights: at least one. */
  change(list: readonly BucketMember[]): void {
    const places = this.#list.map(({ id }) => list.findIndex((member) => member.id === id));
    this.#list = list;
    this.#has = list.map(() => 0);
    this.#wants = wanted(list, this.count);
    const buckets = this.#members;
    for (let bucket = 0; bucket < buckets.length; bucket++) {
      const place = buckets[bucket] === ORPHAN ? ORPHAN : places[buckets[bucket]!]!;
      buckets[bucket] = place;
      if (place !== ORPHAN) this.#has[place]!++;
    }
    for (let bucket = 0; bucket < buckets.length; bucket++) if (buckets[bucket] === ORPHAN) this.#give(bucket);
    this.balance();
  }

  /** Moves buckets that may be moved to members that have too few. Returns whether any was. */
  balance(): boolean {
    const { clock, wake } = this.#spec;
    const { idleMs, unbalancedMs } = this;
    const { nowMs } = clock;
    if (this.#isBalanced()) {
      this.#unbalanced = false;
      return false;
    }
    if (!this.#unbalanced) this.#unbalancedSinceMs = nowMs;
    this.#unbalanced = true;
    const forced = unbalancedMs > 0 && ((nowMs - this.#unbalancedSinceMs) | 0) >= unbalancedMs;
    let moved = false;
    let nextMs = forced || unbalancedMs === 0 ? Number.POSITIVE_INFINITY : unbalancedMs - ((nowMs - this.#unbalancedSinceMs) | 0);
    for (let bucket = 0; bucket < this.count; bucket++) {
      const place = this.#members[bucket]!;
      if (this.#has[place]! <= this.#wants[place]!) continue;
      const idleInMs = idleMs - ((nowMs - this.#usedMs[bucket]!) | 0);
      if (forced || idleInMs <= 0) {
        this.#has[place]!--;
        this.#give(bucket);
        moved = true;
      } else nextMs = Math.min(nextMs, idleInMs);
    }
    if (this.#isBalanced()) this.#unbalanced = false;
    else wake(Math.max(nextMs, 1));
    return moved;
  }

  #adopt(owners: readonly number[]): void {
    const ids = [...new Set(owners)];
    this.#list = ids.map((id) => ({ id, weight: 1 }));
    for (const [bucket, id] of owners.entries()) this.#members[bucket] = ids.indexOf(id);
  }

  /** To the member that lacks most. */
  #give(bucket: number): void {
    let best = 0;
    for (let place = 1; place < this.#list.length; place++) {
      if (this.#wants[place]! - this.#has[place]! > this.#wants[best]! - this.#has[best]!) best = place;
    }
    this.#members[bucket] = best;
    this.#has[best]!++;
  }

  #isBalanced(): boolean {
    return this.#has.every((has, place) => has <= this.#wants[place]!);
  }
}

/** So many buckets for each weight, rounded so that the sum is right. */
function wanted(list: readonly BucketMember[], count: number): number[] {
  const total = list.reduce((sum, { weight }) => sum + weight, 0);
  let weights = 0;
  let given = 0;
  return list.map(({ weight }) => {
    weights += weight;
    const upTo = Math.round((count * weights) / total);
    const wants = upTo - given;
    given = upTo;
    return wants;
  });
}
