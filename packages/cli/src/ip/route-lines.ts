import type { NextHop, NextHopObject, RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY, DST_METRIC, ROUTE_SCOPE, ROUTE_TYPE } from '@softnet/contract';
import { addressBits, formatAddress, formatPrefix } from '@softnet/wire';
import { BY_HAND, MAIN_TABLE, routeScopeName, routeTypeName, sourceName, tableName } from './names.ts';
import type { DeviceName } from './route-words.ts';
import { realmsText, wayWords } from './route-words.ts';

/** How a route is shown. */
export interface RouteLook {
  readonly deviceName: DeviceName;
  /** Its table is said: several are listed. */
  readonly showTable: boolean;
  /** Kernel ms, for what is left of its life. */
  readonly nowMs?: number;
  /** What routes may name by number. */
  readonly nextHops?: readonly NextHopObject[];
}

/** A route as `ip route` shows it: one line, or one more for each next hop where there are several. */
export function routeLines(entry: RouteEntry, look: RouteLook): string[] {
  const { type, table = MAIN_TABLE, source, preferredSource, priority = 0, family, tos = 0, nextHopId = 0 } = entry;
  const ways = waysOf(entry, look);
  const [only] = ways.length === 1 ? ways : [];
  const parts = [
    ...(type === ROUTE_TYPE.UNICAST ? [] : [routeTypeName(type)]),
    destination(entry),
    ...(tos === 0 ? [] : ['tos', `0x${tos.toString(16).padStart(2, '0')}`]),
    ...(nextHopId === 0 ? [] : ['nhid', String(nextHopId)]),
    ...(only === undefined ? [] : wayWords(only, family, look.deviceName)),
    ...(look.showTable && table !== MAIN_TABLE ? ['table', tableName(table)] : []),
    ...(source === BY_HAND ? [] : ['proto', sourceName(source)]),
    ...scopeParts(entry),
    ...(preferredSource === undefined ? [] : ['src', formatAddress(family, ...preferredSource)]),
    ...(priority === 0 ? [] : ['metric', String(priority)]),
    ...(only?.onLink ? ['onlink'] : []),
    ...moreParts(entry, look.nowMs ?? 0),
  ];
  const lines = ways.length > 1 ? ways : [];
  return [parts.join(' '), ...lines.map((way) => `        nexthop ${wayParts(way, family, look).join(' ')}`)];
}

/** Its own ways, or those of the next-hop object, by weight. */
export function waysOf(
  { nextHops, nextHopId = 0 }: RouteEntry,
  { nextHops: objects = [] }: Pick<RouteLook, 'nextHops'>,
): readonly NextHop[] {
  const object = objects.find(({ id }) => id === nextHopId);
  if (object === undefined) return nextHops;
  const members = object.group ?? [{ id: nextHopId, weight: 1 }];
  return members.flatMap(({ id, weight = 1 }) => {
    const hop = objects.find((each) => each.id === id)?.hop;
    return hop === undefined ? [] : { ...hop, weight };
  });
}

function wayParts(way: NextHop, family: number, { deviceName }: RouteLook): string[] {
  return [...wayWords(way, family, deviceName), 'weight', String(way.weight ?? 1), ...(way.onLink ? ['onlink'] : [])];
}

function moreParts({ realms = 0, metrics, expiresMs, preference = 0 }: RouteEntry, nowMs: number): string[] {
  const mtu = metrics?.[DST_METRIC.MTU] ?? 0;
  return [
    ...(realms === 0 ? [] : ['realms', realmsText(realms)]),
    ...(mtu === 0 ? [] : ['mtu', String(mtu)]),
    ...(expiresMs === undefined ? [] : ['expires', secondsUntil(expiresMs, nowMs)]),
    ...(preference === 0 ? [] : ['pref', preference > 0 ? 'high' : 'low']),
  ];
}

/** '12sec'. */
export function secondsUntil(whenMs: number, nowMs: number): string {
  return `${Math.max(0, Math.ceil(((whenMs - nowMs) | 0) / 1000))}sec`;
}

/** 'default', '192.0.2.1', '10.0.0.0/8'. */
function destination({ family, prefix, prefixLen }: RouteEntry): string {
  if (prefixLen === 0) return 'default';
  return prefixLen === addressBits(family) ? formatAddress(family, ...prefix) : formatPrefix({ family, words: prefix, prefixLen });
}

/** IPv4 only, and only where it is not 'global': as `ip` has it. */
function scopeParts(entry: RouteEntry): string[] {
  const scope = scopeOf(entry);
  return entry.family !== ADDRESS_FAMILY.INET || scope === ROUTE_SCOPE.UNIVERSE ? [] : ['scope', routeScopeName(scope)];
}

/** Its own, or what follows from type and ways. */
export function scopeOf({ type, nextHops, scope }: RouteEntry): number {
  if (scope !== undefined) return scope;
  if (type === ROUTE_TYPE.LOCAL) return ROUTE_SCOPE.HOST;
  const onLink = nextHops.length > 0 && nextHops.every(({ gateway }) => gateway === undefined);
  return onLink ? ROUTE_SCOPE.LINK : ROUTE_SCOPE.UNIVERSE;
}
