import type { RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY, Route } from '@softnet/contract';
import type { IpPrefix } from '@softnet/wire';
import { UsageError } from '../usage-error.ts';
import type { IpRequest } from './ip-object.ts';
import { named, readKeyed } from './ip-object.ts';
import { MAIN_TABLE, routeScopeNumber, routeTypeNumber, sourceNumber } from './names.ts';
import { isWithin } from './prefix-within.ts';
import { scopeOf, waysOf } from './route-lines.ts';
import { addressOf, prefixOf, tableOf, withoutFamilies } from './route-words.ts';

const KEYS = Object.freeze(['table', 'dev', 'oif', 'via', 'src', 'proto', 'protocol', 'scope', 'type', 'exact', 'root', 'match']);

/** How routes are chosen. */
export const ROUTE_CHOICE =
  '[[exact] PREFIX] [root PREFIX] [match PREFIX] [table NAME|N|all] [dev DEVICE] [via GATEWAY] [src ADDRESS] [proto P] [scope S] [type T]';

/** Which routes are meant. */
export interface RouteChoice {
  /** Of which families, in order. */
  readonly families: readonly number[];
  /** What is known of single destinations, and no routes. */
  readonly cache: boolean;
  readonly ifindex: number | undefined;
  /** Routes of all tables are meant. */
  readonly allTables: boolean;
  fits(entry: RouteEntry): boolean;
}

/** iproute2's words for it: without a table the main one, without a family IPv4, or that of an address; of all tables both. @throws UsageError, NetError ENODEV. */
export function readRouteChoice(request: IpRequest): RouteChoice {
  const { rest, by } = readKeyed(withoutFamilies(request.words), KEYS, 1);
  const cache = rest[0] === 'cache' || by.table === 'cache';
  const prefix = (text: string | undefined): IpPrefix | undefined => (text === undefined ? undefined : prefixOf(text, request.family));
  const exact = prefix(by.exact ?? (rest[0] === 'cache' ? undefined : rest[0]));
  const root = prefix(by.root);
  const match = prefix(by.match);
  const gateway = by.via === undefined ? undefined : addressOf(by.via);
  const source = by.src === undefined ? undefined : addressOf(by.src);
  const device = by.dev ?? by.oif;
  const ifindex = device === undefined ? undefined : request.host.device(device).ifindex;
  const allTables = by.table === 'all';
  const table = allTables || cache ? undefined : tableOf(by.table ?? 'main');
  const numbers = numbersOf(by);
  const nextHops = request.host.kernel.port(Route).current.nextHops();
  const family = request.family ?? (exact ?? root ?? match ?? gateway ?? source)?.family;
  return {
    families: family !== undefined ? [family] : allTables ? [ADDRESS_FAMILY.INET, ADDRESS_FAMILY.INET6] : [ADDRESS_FAMILY.INET],
    ...{ cache, ifindex, allTables },
    fits: (entry) =>
      (table === undefined || (entry.table ?? MAIN_TABLE) === table) &&
      (ifindex === undefined || waysOf(entry, { nextHops }).some((way) => way.ifindex === ifindex)) &&
      (gateway === undefined || waysOf(entry, { nextHops }).some((way) => isSame(way.gateway?.address, gateway.words))) &&
      (source === undefined || isSame(entry.preferredSource, source.words)) &&
      (numbers.source === undefined || entry.source === numbers.source) &&
      (numbers.scope === undefined || scopeOf(entry) === numbers.scope) &&
      (numbers.type === undefined || entry.type === numbers.type) &&
      (exact === undefined || (entry.prefixLen === exact.prefixLen && isWithin(entry.family, entry.prefix, exact))) &&
      (root === undefined || (entry.prefixLen >= root.prefixLen && isWithin(entry.family, entry.prefix, root))) &&
      (match === undefined || (entry.prefixLen <= match.prefixLen && isWithin(match.family, match.words, prefixOfEntry(entry)))),
  };
}

function prefixOfEntry({ family, prefix, prefixLen }: RouteEntry): IpPrefix {
  return { family, words: prefix, prefixLen };
}

function isSame(words: readonly number[] | undefined, asked: readonly number[]): boolean {
  return words?.every((word, index) => word === asked[index]) ?? false;
}

function numbersOf(by: Readonly<Record<string, string | undefined>>): { source?: number; scope?: number; type?: number } {
  const proto = by.proto ?? by.protocol;
  const { scope, type } = by;
  return {
    ...(proto === undefined ? {} : { source: named(proto, sourceNumber(proto), 'proto takes boot, static, kernel or a number') }),
    ...(scope === undefined ? {} : { scope: named(scope, routeScopeNumber(scope), 'scope takes global, site, link, host or a number') }),
    ...(type === undefined ? {} : { type: named(type, routeTypeNumber(type), 'type takes unicast, local, blackhole ...') }),
  };
}

/** Flushing asks for more than 'all of them'. @throws UsageError */
export function wantsChoice({ words }: IpRequest): void {
  if (words.length === 0) throw new UsageError('which routes? Say PREFIX, table N, dev DEVICE ...');
}
