import type { NextHop, RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY, ROUTE_TYPE } from '@softnet/contract';
import { addressBits, formatAddress, formatPrefix } from '@softnet/wire';
import { MAIN_TABLE, routeTypeName, sourceName, tableName } from './names.ts';

/** RTPROT_BOOT: by hand; `ip` does not say so. */
const BOOT = 3;

/** How a route is shown. */
export interface RouteLook {
  /** The name of the device with this ifindex. */
  deviceName(ifindex: number): string;
  /** Its table is said: several are listed. */
  readonly showTable: boolean;
}

/** A route as `ip route` shows it: one line, or one more for each next hop where there are several. */
export function routeLines(entry: RouteEntry, look: RouteLook): string[] {
  const { type, nextHops, table = MAIN_TABLE, source, preferredSource, priority = 0, family } = entry;
  const [only] = nextHops.length === 1 ? nextHops : [];
  const parts = [
    ...(type === ROUTE_TYPE.UNICAST ? [] : [routeTypeName(type)]),
    destination(entry),
    ...(only === undefined ? [] : wayParts(only, family, look)),
    ...(look.showTable && table !== MAIN_TABLE ? ['table', tableName(table)] : []),
    ...(source === BOOT ? [] : ['proto', sourceName(source)]),
    ...scopeParts(entry),
    ...(preferredSource === undefined ? [] : ['src', formatAddress(family, ...preferredSource)]),
    ...(priority === 0 ? [] : ['metric', String(priority)]),
  ];
  const ways = nextHops.length > 1 ? nextHops : [];
  return [
    parts.join(' '),
    ...ways.map((way) => `        nexthop ${[...wayParts(way, family, look), 'weight', String(way.weight ?? 1)].join(' ')}`),
  ];
}

/** 'default', '192.0.2.1', '10.0.0.0/8'. */
function destination({ family, prefix, prefixLen }: RouteEntry): string {
  if (prefixLen === 0) return 'default';
  return prefixLen === addressBits(family) ? formatAddress(family, ...prefix) : formatPrefix({ family, words: prefix, prefixLen });
}

function wayParts({ gateway, ifindex }: NextHop, family: number, look: RouteLook): string[] {
  const other = gateway !== undefined && gateway.family !== family;
  return [
    ...(gateway === undefined ? [] : ['via', ...(other ? ['inet6'] : []), formatAddress(gateway.family, ...gateway.address)]),
    ...(ifindex === 0 ? [] : ['dev', look.deviceName(ifindex)]),
  ];
}

/** IPv4 only, and only where it is not 'global': as `ip` has it. */
function scopeParts({ family, type, nextHops }: RouteEntry): string[] {
  if (family !== ADDRESS_FAMILY.INET) return [];
  if (type === ROUTE_TYPE.LOCAL) return ['scope', 'host'];
  const onLink = nextHops.length > 0 && nextHops.every(({ gateway }) => gateway === undefined);
  return onLink ? ['scope', 'link'] : [];
}
