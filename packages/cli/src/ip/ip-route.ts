import type { NextHop, RouteEntry, RouteTables as Tables } from '@softnet/contract';
import { ADDRESS_FAMILY, NetError, ROUTE_TYPE, Route, RouteTables } from '@softnet/contract';
import type { IpPrefix } from '@softnet/wire';
import { formatPrefix } from '@softnet/wire';
import type { IpObject, IpRequest } from './ip-object.ts';
import { readKeyed } from './ip-object.ts';
import { MAIN_TABLE } from './names.ts';
import { readRoute } from './read-route.ts';
import { cacheLines } from './route-cache.ts';
import { getRoute } from './route-get.ts';
import { routeLines } from './route-lines.ts';
import { deviceNameOf, tableOf } from './route-words.ts';

const WAY = '[via GATEWAY] [dev DEVICE] [onlink]';
const MORE = '[src ADDRESS] [metric N] [table N] [tos N] [scope S] [proto P] [realms N/N] [mtu N] [expires SECONDS] [pref low|high]';

/** `ip route`: where packets go. */
export const ipRoute: IpObject = Object.freeze({
  names: ['route'],
  usage: [
    'route [show] [table NAME|N|all|cache] [dev DEVICE]',
    'route show cache',
    'route get ADDRESS [from ADDRESS] [iif DEVICE] [oif DEVICE] [mark N] [tos N] [ipproto P] [sport N] [dport N]',
    `route add|replace PREFIX|default ${WAY} ${MORE}`,
    `route add|replace PREFIX|default nexthop ${WAY} [weight N] nexthop ...`,
    'route add|replace PREFIX|default nhid N',
    'route add blackhole|unreachable|prohibit|throw PREFIX',
    `route del PREFIX|default ${WAY} [metric N] [table N] ...`,
  ],
  verbs: {
    show,
    list: show,
    get: getRoute,
    add: (request) => tables(request).add(readRoute(request, true)),
    replace: (request) => tables(request).replace(readRoute(request, true)),
    delete: remove,
  },
} satisfies IpObject);

function tables({ host }: IpRequest): Tables {
  return host.kernel.port(RouteTables).current;
}

function show(request: IpRequest): void {
  const { host, family = ADDRESS_FAMILY.INET, words, print } = request;
  const { by, rest } = readKeyed(words, ['table', 'dev'], words[0] === 'cache' ? 1 : 0);
  const route = host.kernel.port(Route).current;
  const deviceName = deviceNameOf(request);
  const { nowMs } = host.kernel.clock;
  const ifindex = by.dev === undefined ? undefined : host.device(by.dev).ifindex;
  if (rest[0] === 'cache' || by.table === 'cache') {
    for (const entry of route.exceptions(family)) {
      if (ifindex === undefined || entry.ifindex === ifindex) for (const line of cacheLines(entry, { deviceName, nowMs })) print(line);
    }
    return;
  }
  const table = by.table === 'all' ? undefined : tableOf(by.table ?? 'main');
  const look = { deviceName, nowMs, nextHops: route.nextHops(), showTable: table === undefined };
  for (const entry of route.entries(family)) {
    if (table !== undefined && (entry.table ?? MAIN_TABLE) !== table) continue;
    if (ifindex !== undefined && !entry.nextHops.some((way) => way.ifindex === ifindex)) continue;
    for (const line of routeLines(entry, look)) print(line);
  }
}

/** Only what was said must fit: the first such route goes, as with iproute2. */
function remove(request: IpRequest): void {
  const asked = readRoute(request, false);
  const found = request.host.kernel
    .port(Route)
    .current.entries(asked.family)
    .find((entry) => isMeant(entry, asked));
  if (found === undefined)
    throw new NetError('ENOENT', `there is no such route to ${formatPrefix(networkOf(asked))}: 'ip route' lists those that there are`);
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
