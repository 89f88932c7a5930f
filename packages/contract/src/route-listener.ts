import type { InterfaceAddress } from './interface-address.ts';
import type { Neighbour, ProxyEntry } from './neighbour.ts';
import type { NextHopObject } from './next-hops.ts';
import type { RouteEntry } from './route-table.ts';
import type { RoutingRule } from './routing-rules.ts';
import { definePoint } from './token.ts';

/** What became of it. */
export type Change = 'add' | 'replace' | 'remove';

/**
 * Told at once of each change of routes, rules and next hops, when it is published: for the control plane (netlink, routing daemons).
 * It only listens; what it wants changed it changes later. A **corridor**. Linux's fib notifier.
 */
export interface RouteListener {
  routeChanged(change: Change, entry: RouteEntry): void;
  ruleChanged(change: Change, rule: RoutingRule): void;
  nextHopChanged(change: Change, object: NextHopObject): void;
}
export const RouteListener = definePoint<RouteListener>({ name: 'route-listener', version: '1.0.0' });

/** Told of neighbours that came, went, or have another state or link address. As {@link RouteListener}. Linux's netevent notifier. */
export interface NeighbourListener {
  neighbourChanged(change: Change, neighbour: Neighbour): void;
  /** An address that this host answers for came or went: whoever answers must hear what is asked of it. */
  proxyChanged?(change: 'add' | 'remove', proxy: ProxyEntry): void;
}
export const NeighbourListener = definePoint<NeighbourListener>({ name: 'neighbour-listener', version: '1.0.0' });

/** Told of addresses of this host that came, went, or have other flags or lifetimes. As {@link RouteListener}. Linux's inetaddr notifier. */
export interface AddressListener {
  addressChanged(change: Change, address: InterfaceAddress): void;
}
export const AddressListener = definePoint<AddressListener>({ name: 'address-listener', version: '1.0.0' });
