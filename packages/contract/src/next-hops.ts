import type { NextHop } from './route-table.ts';
import { defineService } from './token.ts';

/** A next hop by number, for any number of routes, which all change with it. Linux's `ip nexthop`. */
export interface NextHopObject {
  /** 1 to 2³² - 1. */
  readonly id: number;
  /** Of the routes that may use it. 0: a group, which has its members'. */
  readonly family: number;
  /** What it is: one way, nothing (packets vanish), or members. Just one is given. */
  readonly hop?: NextHop;
  readonly blackhole?: boolean;
  readonly group?: readonly NextHopMember[];
  /**
   * Of a group: flows are given to buckets, and a change moves only those that must move (RFC 2992's aim). Absent: flows draw
   * lots, where a member that goes moves its own flows only.
   */
  readonly resilient?: ResilientGroup;
  readonly source: number;
}

export interface NextHopMember {
  readonly id: number;
  /** 1 to 256. Default 1. */
  readonly weight?: number;
}

/** Linux's `NHA_RES_GROUP`. */
export interface ResilientGroup {
  /** 1 to 65,535. Default 128. */
  readonly buckets?: number;
  /** A bucket without packets for so long may move to a member that has too few. Default 120,000. */
  readonly idleMs?: number;
  /** A group out of balance for so long moves buckets that are not idle, too. 0, the default: never. */
  readonly unbalancedMs?: number;
}

/** Next-hop objects and groups. A **door** of route; which there are, `Route.nextHops` says. */
export interface NextHops {
  /** @throws NetError EEXIST, EINVAL, ENODEV, ENETUNREACH, ENOENT for a member that is not there. */
  add(object: NextHopObject): void;
  /** Adds it, or gives the one of this number another way: routes that use it change at once. */
  replace(object: NextHopObject): void;
  /** Routes that use it go with it; groups lose it as a member, and go with their last. @throws NetError ENOENT. */
  remove(id: number): void;
}
export const NextHops = defineService<NextHops>({ name: 'next-hops', version: '1.0.0' });
