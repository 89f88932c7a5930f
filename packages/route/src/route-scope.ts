import type { RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY, ROUTE_SCOPE, ROUTE_TYPE } from '@softnet/contract';

/** What a route reaches at most: its own host's addresses no farther than the host. Linux's `fib_props`. */
const NEAREST: ReadonlyMap<number, number> = new Map([
  [ROUTE_TYPE.LOCAL, ROUTE_SCOPE.HOST],
  [ROUTE_TYPE.BROADCAST, ROUTE_SCOPE.LINK],
  [ROUTE_TYPE.ANYCAST, ROUTE_SCOPE.LINK],
]);

/** The scope that was given, or the one that `ip route add` gives. */
export function scopeOf({ family, type, scope, nextHops, nextHopId = 0 }: RouteEntry): number {
  if (family !== ADDRESS_FAMILY.INET) return ROUTE_SCOPE.UNIVERSE;
  if (scope !== undefined) return scope;
  if (type === ROUTE_TYPE.LOCAL) return ROUTE_SCOPE.HOST;
  if (type === ROUTE_TYPE.BROADCAST || type === ROUTE_TYPE.MULTICAST || type === ROUTE_TYPE.ANYCAST) return ROUTE_SCOPE.LINK;
  const onLink = nextHopId === 0 && nextHops.length === 1 && nextHops[0]!.gateway === undefined;
  return type === ROUTE_TYPE.UNICAST && onLink ? ROUTE_SCOPE.LINK : ROUTE_SCOPE.UNIVERSE;
}

/** Why the scope cannot be; null: it can. */
export function scopeFault({ family, type, nextHops }: RouteEntry, scope: number): string | null {
  if (family !== ADDRESS_FAMILY.INET) return null;
  if (!Number.isInteger(scope) || scope < 0 || scope >= ROUTE_SCOPE.NOWHERE) return `a scope is 0 to 254, not ${scope}`;
  if (scope < (NEAREST.get(type) ?? 0)) return 'its scope is wider than its type';
  const hasGateway = nextHops.some(({ gateway }) => gateway !== undefined);
  if (hasGateway && scope >= ROUTE_SCOPE.LINK) return 'what is behind a gateway is farther away than the link';
  return scope === ROUTE_SCOPE.HOST && nextHops.length > 1 ? 'this host is reached in one way' : null;
}
