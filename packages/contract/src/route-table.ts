import type { Plain } from './frozen.ts';
import { defineService } from './token.ts';

/** An address as four words: see {@link Flow}. */
export type AddressWords = readonly [word0: number, word1: number, word2: number, word3: number];

/** One way of a route. */
export interface NextHop {
  readonly ifindex: number;
  /** Absent: on the link. */
  readonly gateway?: { readonly family: number; readonly address: AddressWords };
  /** Share among the ways of a route: 1 to 256. Default 1. */
  readonly weight?: number;
  /** Asks a {@link LightweightTunnel} to stack on it. */
  readonly encap?: { readonly name: string; readonly config: Plain };
}

/** A route as it is configured. Linux's `RTM_NEWROUTE`. */
export interface RouteEntry {
  readonly family: number;
  readonly prefix: AddressWords;
  /** 0 to 32 or 128: of the family's own bits. */
  readonly prefixLen: number;
  /** One of `ROUTE_TYPE`. */
  readonly type: number;
  /** Default 254, main; 255 is local. */
  readonly table?: number;
  /** Only for packets of this type of service; 0: all. */
  readonly tos?: number;
  /** Among routes to one prefix the lowest wins. */
  readonly priority?: number;
  /** Empty for the types that need none. */
  readonly nextHops: readonly NextHop[];
  /** Source address for those who have none. */
  readonly preferredSource?: AddressWords;
  /** By `DST_METRIC`. */
  readonly metrics?: Int32Array;
  readonly realms?: number;
  /** Who made it: 2 kernel, 3 boot, 4 static, 9 router advertisement ... Linux's `RTPROT_*`. */
  readonly source: number;
}

/**
 * Changes routing tables: addresses bring their local and link routes, router advertisements theirs, people and daemons
 * the rest. Each change is published whole and makes cached dsts stale. A **door**.
 */
export interface RouteTables {
  /** @throws NetError EEXIST; ENETUNREACH for a gateway that is not on a link; ENODEV; EOPNOTSUPP for an unknown encapsulation. */
  add(entry: RouteEntry): void;
  /** Adds it, in the place of the one with the same prefix, table, tos and priority if there is one. */
  replace(entry: RouteEntry): void;
  /** @throws NetError ENOENT. */
  remove(entry: RouteEntry): void;
}
export const RouteTables = defineService<RouteTables>({ name: 'route-tables', version: '1.0.0' });
