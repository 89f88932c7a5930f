import type { NextHop, RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY, NetError, ROUTE_TYPE, Route, RouteTables } from '@softnet/contract';
import type { IpAddress, IpPrefix } from '@softnet/wire';
import { formatPrefix, parseAddress, parsePrefix } from '@softnet/wire';
import { UsageError } from '../usage-error.ts';
import type { IpObject, IpRequest, KeyedWords } from './ip-object.ts';
import { readKeyed, wanted, wholeNumber } from './ip-object.ts';
import { MAIN_TABLE, routeTypeName, routeTypeNumber, tableNumber } from './names.ts';
import { getRoute } from './route-get.ts';
import { routeLines } from './route-lines.ts';

/** RTPROT_BOOT, as `ip route add` says it. */
const BOOT = 3;
/** Those that want no way. */
const REFUSALS: readonly number[] = Object.freeze([ROUTE_TYPE.BLACKHOLE, ROUTE_TYPE.UNREACHABLE, ROUTE_TYPE.PROHIBIT]);
const WAY = '[via GATEWAY] [dev DEVICE] [src ADDRESS] [metric N] [table N]';

/** `ip route`: where packets go. */
export const ipRoute: IpObject = Object.freeze({
  names: ['route'],
  usage: [
    'route [show] [table NAME|N|all]',
    'route get ADDRESS [oif DEVICE]',
    `route add|replace PREFIX|default ${WAY}`,
    'route add blackhole|unreachable|prohibit PREFIX',
    `route del PREFIX|default ${WAY}`,
  ],
  verbs: {
    show,
    list: show,
    get: getRoute,
    add: (request) => tables(request).add(readEntry(request, true)),
    replace: (request) => tables(request).replace(readEntry(request, true)),
    delete: remove,
  },
} satisfies IpObject);

function tables({ host }: IpRequest): RouteTables {
  return host.kernel.port(RouteTables).current;
}

function show({ host, family = ADDRESS_FAMILY.INET, words, print }: IpRequest): void {
  const { rest, by } = readKeyed(words, ['table', 'dev'], 0);
  const table = by.table === 'all' ? undefined : tableOf({ rest, by });
  const ifindex = by.dev === undefined ? undefined : host.device(by.dev).ifindex;
  const deviceName = (index: number): string => host.devices.find((device) => device.ifindex === index)?.name ?? `if${index}`;
  for (const entry of host.kernel.port(Route).current.entries(family)) {
    if (table !== undefined && (entry.table ?? MAIN_TABLE) !== table) continue;
    if (ifindex !== undefined && !entry.nextHops.some((way) => way.ifindex === ifindex)) continue;
    for (const line of routeLines(entry, { deviceName, showTable: table === undefined })) print(line);
  }
}

function tableOf({ by: { table = 'main' } }: KeyedWords): number {
  const number = tableNumber(table);
  if (number === undefined) throw new UsageError(`table takes main, local, default, all or a number, got '${table}'`);
  return number;
}

/** Only what was said must fit: the first such route goes, as with iproute2. */
function remove(request: IpRequest): void {
  const asked = readEntry(request, false);
  const [way] = asked.nextHops;
  const found = request.host.kernel
    .port(Route)
    .current.entries(asked.family)
    .find(
      (entry) =>
        isSamePrefix(entry, asked) &&
        (entry.table ?? MAIN_TABLE) === (asked.table ?? MAIN_TABLE) &&
        (asked.type === ROUTE_TYPE.UNICAST || entry.type === asked.type) &&
        (asked.priority === undefined || (entry.priority ?? 0) === asked.priority) &&
        (way === undefined || entry.nextHops.some((each) => fits(each, way))),
    );
  if (found === undefined)
    throw new NetError('ENOENT', `there is no such route to ${formatPrefix(networkOf(asked))}: 'ip route' lists those that there are`);
  tables(request).remove(found);
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

/** The route that words describe. @param whole it is to be made, so its way must be said. */
function readEntry(request: IpRequest, whole: boolean): RouteEntry {
  const { host } = request;
  const { rest, by } = readKeyed(request.words, ['via', 'dev', 'src', 'metric', 'table'], 2);
  const [typeWord, prefixWord] = rest.length === 2 ? rest : ['unicast', rest[0]];
  const type = routeTypeNumber(typeWord!);
  if (type === undefined) throw new UsageError(`what is '${typeWord}'? A type is unicast, ${REFUSALS.map(routeTypeName).join(', ')}`);
  const gateway = by.via === undefined ? undefined : addressOf(by.via);
  const { family, words, prefixLen } = prefixOf(wanted(prefixWord, 'PREFIX or default'), gateway?.family ?? request.family);
  const ifindex = by.dev === undefined ? 0 : host.device(by.dev).ifindex;
  const way: NextHop = gateway === undefined ? { ifindex } : { ifindex, gateway: { family: gateway.family, address: gateway.words } };
  const said = gateway !== undefined || by.dev !== undefined;
  if (whole && !said && !REFUSALS.includes(type)) throw new UsageError('via GATEWAY or dev DEVICE is missing');
  return {
    ...{ family, prefix: words, prefixLen, type, source: BOOT, nextHops: said ? [way] : [] },
    ...(by.table === undefined ? {} : { table: tableOf({ rest, by }) }),
    ...(by.metric === undefined ? {} : { priority: wholeNumber(by.metric, 'metric') }),
    ...(by.src === undefined ? {} : { preferredSource: addressOf(by.src).words }),
  };
}

function addressOf(text: string): IpAddress {
  const address = parseAddress(text);
  if (address === null) throw new UsageError(`'${text}' is no address: write 192.0.2.1 or 2001:db8::1`);
  return address;
}

function prefixOf(text: string, family: number | undefined): IpPrefix {
  const all = family === ADDRESS_FAMILY.INET6 ? '::/0' : '0.0.0.0/0';
  const prefix = parsePrefix(text === 'default' ? all : text);
  if (prefix === null) throw new UsageError(`'${text}' is no prefix: write 192.0.2.0/24, 2001:db8::/32 or default`);
  return prefix;
}
