import type { NextHop, NextHopObject } from '@softnet/contract';
import { hashWords } from '../address-hash.ts';
import type { RouteInfo, Shares } from '../route-info.ts';
import { areEven } from '../route-info.ts';
import type { ResilientBuckets } from './resilient-buckets.ts';

/** A next-hop object or group, and who uses it. Linux's `struct nexthop`. */
export class NextHopNode {
  /** As it was configured, defaults filled in. Replaced whole. */
  object: NextHopObject;
  /** The object itself; of a group: its members. */
  members: readonly NextHopNode[] = [];
  readonly infos = new Set<RouteInfo>();
  /** Groups that it is a member of. */
  readonly groups = new Set<NextHopNode>();
  /** Of a resilient group. */
  buckets: ResilientBuckets | null = null;

  constructor(object: NextHopObject) {
    this.object = object;
  }

  get id(): number {
    return this.object.id;
  }

  /** The ways, in the order of {@link shares}; a blackhole has none. */
  get hops(): NextHop[] {
    return this.#singles.flatMap(({ object }) => object.hop ?? []);
  }

  /** Each way's lot is its number's: a member that is given another gateway keeps its flows, and the others theirs. */
  get shares(): Shares {
    const { group } = this.object;
    const weights = group === undefined ? [1] : group.map(({ weight = 1 }) => weight);
    return {
      weights,
      even: areEven(weights),
      salts: Int32Array.from(this.#singles, ({ id }) => hashWords(0, id, 0, 0, 0, 0)),
      buckets: this.buckets,
      blackhole: this.#singles.every(({ object }) => object.blackhole === true),
    };
  }

  /** Whether IPv6 routes may use it: Linux's IPv4 routes may use either (RFC 5549). */
  serves(family: number, inet6: number): boolean {
    return family !== inet6 || this.#singles.every(({ object }) => object.family === inet6);
  }

  get #singles(): readonly NextHopNode[] {
    return this.object.group === undefined ? [this] : this.members;
  }
}
