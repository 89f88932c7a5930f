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
  /** The gateway is on the link though no route says so. */
  readonly onLink?: boolean;
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
  /** Empty for the types that need none, and where `nextHopId` says it. */
  readonly nextHops: readonly NextHop[];
  /** A {@link NextHopObject} or group in the place of `nextHops`; 0 or absent: none. */
  readonly nextHopId?: number;
  /** One of {@link ROUTE_SCOPE}. Default: as Linux has it, by type and gateway. IPv6: always universe. */
  readonly scope?: number;
  /** RFC 4191 §2.1, of routes from router advertisements: -1 low, 0 medium, 1 high. */
  readonly preference?: number;
  /** Kernel ms at which it goes by itself; absent: never. */
  readonly expiresMs?: number;
  /** Source address for those who have none. */
  readonly preferredSource?: AddressWords;
  /** By `DST_METRIC`. */
  readonly metrics?: Int32Array;
  readonly realms?: number;
  /** Who made it: 2 kernel, 3 boot, 4 static, 9 router advertisement ... Linux's `RTPROT_*`. */
  readonly source: number;
}

/** How far away a destination is: a gateway must be nearer than what is behind it. Linux's `RT_SCOPE_*`. */
export const ROUTE_SCOPE = Object.freeze({ UNIVERSE: 0, SITE: 200, LINK: 253, HOST: 254, NOWHERE: 255 } as const);

/** One change of {@link RouteTables.apply}. */
export interface RouteEdit {
  readonly change: 'add' | 'replace' | 'remove';
  readonly entry: RouteEntry;
}

/**
 * Changes routing tables: addresses bring their local and link routes, router advertisements theirs, people and daemons
 * the rest. Each change is published whole and makes cached dsts stale. A **door**.
 */
export interface RouteTables {
  /** @throws NetError EEXIST; ENETUNREACH for a gateway that is not on a link; ENODEV; EOPNOTSUPP for an unknown encapsulation; ENOBUFS. */
  add(entry: RouteEntry): void;
  /** Adds it, in the place of the one with the same prefix, table, tos and priority if there is one. */
  replace(entry: RouteEntry): void;
  /** @throws NetError ENOENT. */
  remove(entry: RouteEntry): void;
  /** Many changes, in order, published as one: all of them, or, when one throws, none. @throws NetError as for one; it names the edit. */
  apply(edits: readonly RouteEdit[]): void;
}
export const RouteTables = defineService<RouteTables>({ name: 'route-tables', version: '1.0.0' });
