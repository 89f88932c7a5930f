import type { AddressWords, NextHop } from '@softnet/contract';
import { ROUTE_TYPE } from '@softnet/contract';
import type { Hop } from './hop.ts';
import type { ResilientBuckets } from './next-hop/resilient-buckets.ts';

/** What many routes have alike: type, next hops and how they share. One of each kind. Linux's `struct fib_info`. */
export class RouteInfo {
  readonly family: number;
  readonly type: number;
  readonly scope: number;
  /** The next-hop object or group that gives it its ways; 0: none, they are its own. */
  readonly nextHopId: number;
  readonly metrics: Int32Array | null;
  readonly realms: number;
  readonly preferredSource: AddressWords | null;
  readonly source: number;
  readonly key: string;
  /** Empty for the types that need none. Replaced whole, when the next-hop object changes. */
  hops: readonly Hop[];
  shares: Shares;
  users = 0;
  /** No two infos of a kernel have the same. */
  readonly serial: number;

  constructor(key: string, serial: number, spec: RouteInfoSpec, hops: readonly Hop[], shares: Shares) {
    this.key = key;
    this.serial = serial;
    this.family = spec.family;
    this.type = spec.type;
    this.scope = spec.scope;
    this.nextHopId = spec.nextHopId;
    this.metrics = spec.metrics;
    this.realms = spec.realms;
    this.preferredSource = spec.preferredSource;
    this.source = spec.source;
    this.hops = hops;
    this.shares = shares;
  }

  /** The type that decides where there is no next hop. */
  get refusal(): number {
    return this.shares.blackhole ? ROUTE_TYPE.BLACKHOLE : this.type;
  }

  /** The next hops as they were configured. */
  get nextHops(): NextHop[] {
    if (this.nextHopId !== 0) return [];
    return this.hops.flatMap(({ spec, ifindex }, index) => {
      if (ifindex === 0) return [];
      const { gatewayFamily, gateway, encap, onLink } = spec;
      const weight = this.shares.weights[index]!;
      return {
        ifindex,
        ...(gatewayFamily === 0 ? {} : { gateway: { family: gatewayFamily, address: gateway } }),
        ...(weight === 1 ? {} : { weight }),
        ...(onLink ? { onLink } : {}),
        ...(encap === null ? {} : { encap }),
      };
    });
  }
}

/** How ways share flows; by way. */
export interface Shares {
  /** 1 to 256. */
  readonly weights: readonly number[];
  /** All weigh the same. */
  readonly even: boolean;
  /** Each way's lot. int32. */
  readonly salts: Int32Array;
  /** Of a resilient group; null: each flow draws lots. */
  readonly buckets: ResilientBuckets | null;
  /** Packets vanish: a next-hop object says so. */
  readonly blackhole: boolean;
}

/** The shares of ways that are a route's own. Two that are alike draw different lots. */
export function sharesOf(hops: readonly Hop[], weights: readonly number[]): Shares {
  const seen = new Map<number, number>();
  const salts = hops.map(({ salt }) => {
    const before = seen.get(salt) ?? 0;
    seen.set(salt, before + 1);
    return (salt + before) | 0;
  });
  return { weights, even: areEven(weights), salts: Int32Array.from(salts), buckets: null, blackhole: false };
}

export function areEven(weights: readonly number[]): boolean {
  return weights.every((weight) => weight === weights[0]);
}

export interface RouteInfoSpec {
  readonly family: number;
  readonly type: number;
  readonly scope: number;
  readonly nextHopId: number;
  /** Of ways of its own. */
  readonly weights: readonly number[];
  readonly metrics: Int32Array | null;
  readonly realms: number;
  readonly preferredSource: AddressWords | null;
  readonly source: number;
}

/** Equal for equal infos, and for no others. */
export function keyOfInfo(spec: RouteInfoSpec, hops: readonly Hop[]): string {
  const { family, type, scope, nextHopId, weights, metrics, realms, preferredSource, source } = spec;
  const ways = nextHopId !== 0 ? nextHopId : [weights, hops.map(({ serial }) => serial)];
  return JSON.stringify([family, type, scope, metrics === null ? 0 : [...metrics], realms, preferredSource, source, ways]);
}
