import type { NextHop, RouteEntry, RouteTables as Tables } from '@softnet/contract';
import { NetError, ROUTE_TYPE, Route, RouteTables } from '@softnet/contract';
import type { IpPrefix } from '@softnet/wire';
import { formatPrefix } from '@softnet/wire';
import type { IpObject, IpRequest } from './ip-object.ts';
import { MAIN_TABLE } from './names.ts';
import { readRoute } from './read-route.ts';
import { cacheLines } from './route-cache.ts';
import { ROUTE_CHOICE, readRouteChoice, wantsChoice } from './route-choice.ts';
import { getRoute } from './route-get.ts';
import { routeLines } from './route-lines.ts';
import { deviceNameOf } from './route-words.ts';

const WAY = '[via GATEWAY] [dev DEVICE] [onlink]';
const MORE = '[src ADDRESS] [metric N] [table N] [tos N] [scope S] [proto P] [realms N/N] [mtu N] [expires SECONDS] [pref low|high]';

/** `ip route`: where packets go. */
export const ipRoute: IpObject = Object.freeze({
  names: ['route'],
  usage: [
    `route [show] ${ROUTE_CHOICE}`,
    'route show cache',
    'route get ADDRESS [from ADDRESS] [iif DEVICE] [oif DEVICE] [mark N] [tos N] [ipproto P] [sport N] [dport N]',
    `route add|change|replace PREFIX|default ${WAY} ${MORE}`,
    `route add|replace PREFIX|default nexthop ${WAY} [weight N] nexthop ...`,
    'route add|replace PREFIX|default nhid N',
    'route add blackhole|unreachable|prohibit|throw PREFIX',
    `route del PREFIX|default ${WAY} [metric N] [table N] ...`,
    `route flush ${ROUTE_CHOICE}`,
  ],
  verbs: {
    show,
    list: show,
    get: getRoute,
    add: (request) => tables(request).add(readRoute(request, true)),
    replace: (request) => tables(request).replace(readRoute(request, true)),
    change,
    delete: remove,
    flush,
  },
} satisfies IpObject);

function tables({ host }: IpRequest): Tables {
  return host.kernel.port(RouteTables).current;
}

function show(request: IpRequest): void {
  const { host, print } = request;
  const choice = readRouteChoice(request);
  const route = host.kernel.port(Route).current;
  const deviceName = deviceNameOf(request);
  const { nowMs } = host.kernel.clock;
  const look = { deviceName, nowMs, nextHops: route.nextHops(), showTable: choice.allTables };
  for (const family of choice.families) {
    if (choice.cache) {
      const known = route.exceptions(family).filter(({ ifindex }) => choice.ifindex === undefined || ifindex === choice.ifindex);
      for (const entry of known) for (const line of cacheLines(entry, look)) print(line);
      continue;
    }
    for (const entry of route.entries(family)) if (choice.fits(entry)) for (const line of routeLines(entry, look)) print(line);
  }
}

/** Changes the route of this prefix, table, type of service and metric. @throws NetError ENOENT where there is none. */
function change(request: IpRequest): void {
  const entry = readRoute(request, true);
  const isThere = entriesOf(request, entry.family).some(
    (each) =>
      isSamePrefix(each, entry) &&
      (each.table ?? MAIN_TABLE) === (entry.table ?? MAIN_TABLE) &&
      (each.tos ?? 0) === (entry.tos ?? 0) &&
      (entry.priority === undefined || (each.priority ?? 0) === entry.priority),
  );
  if (!isThere) throw noSuchRoute(entry);
  tables(request).replace(entry);
}

/** All at once, or none. */
function flush(request: IpRequest): void {
  wantsChoice(request);
  const { families, cache, fits } = readRouteChoice(request);
  if (cache) throw new NetError('EOPNOTSUPP', 'what is known of single destinations goes by itself: net.ipv4.route.mtu_expires says when');
  const found = families.flatMap((family) => entriesOf(request, family).filter(fits));
  tables(request).apply(found.map((entry) => ({ change: 'remove', entry })));
}

function entriesOf({ host }: IpRequest, family: number): readonly RouteEntry[] {
  return host.kernel.port(Route).current.entries(family);
}

function noSuchRoute(asked: RouteEntry): NetError {
  return new NetError('ENOENT', `there is no such route to ${formatPrefix(networkOf(asked))}: 'ip route' lists those that there are`);
}

/** Only what was said must fit: the first such route goes, as with iproute2. */
function remove(request: IpRequest): void {
  const asked = readRoute(request, false);
  const found = entriesOf(request, asked.family).find((entry) => isMeant(entry, asked));
  if (found === undefined) throw noSuchRoute(asked);
  tables(request).remove(found);
}

function isMeant(entry: RouteEntry, asked: RouteEntry): boolean {
  return (
    isSamePrefix(entry, asked) &&
    (entry.table ?? MAIN_TABLE) === (asked.table ?? MAIN_TABLE) &&
    (entry.tos ?? 0) === (asked.tos ?? 0) &&
    (asked.type === ROUTE_TYPE.UNICAST || entry.type === asked.type) &&
    (asked.priority === undefined || (entry.priority ?? 0) === asked.priority) &&
    (asked.scope === undefined || entry.scope === asked.scope) &&
    (asked.nextHopId === undefined || entry.nextHopId === asked.nextHopId) &&
    asked.nextHops.every((way) => entry.nextHops.some((each) => fits(each, way)))
  );
}

function isSamePrefix(a: RouteEntry, b: RouteEntry): boolean {
  return a.prefixLen === b.prefixLen && a.prefix.every((word, index) => word === b.prefix[index]);
}

function fits(way: NextHop, asked: NextHop): boolean {
  if (asked.ifindex !== 0 && way.ifindex !== asked.ifindex) return false;
  return asked.gateway === undefined || asked.gateway.address.every((word, index) => word === way.gateway?.address[index]);
}

function networkOf({ family, prefix, prefixLen }: RouteEntry): IpPrefix {
  return { family, words: prefix, prefixLen };
}
