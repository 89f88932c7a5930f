import type { NextHop, RouteEntry } from '@softnet/contract';
import { DST_METRIC, ROUTE_TYPE } from '@softnet/contract';
import { UsageError } from '../usage-error.ts';
import type { IpRequest } from './ip-object.ts';
import { anyNumber, named, readKeyed, takeFlag, wanted, wholeNumber } from './ip-object.ts';
import { BY_HAND, routeScopeNumber, routeTypeName, routeTypeNumber, sourceNumber } from './names.ts';
import { addressOf, prefixOf, realmsOf, tableOf, tosOf, wayOf, withoutFamilies } from './route-words.ts';

/** Those that want no way. */
const REFUSALS: readonly number[] = Object.freeze([ROUTE_TYPE.BLACKHOLE, ROUTE_TYPE.UNREACHABLE, ROUTE_TYPE.PROHIBIT, ROUTE_TYPE.THROW]);
const TYPES = `unicast, local, ${REFUSALS.map(routeTypeName).join(', ')}`;
const PREFERENCES: ReadonlyMap<string, number> = new Map([
  ['low', -1],
  ['medium', 0],
  ['high', 1],
]);
/** Kernel ms are int32, and wrap. */
const MOST_SECONDS = 2_147_483;
const KEYS = Object.freeze([
  ...['via', 'dev', 'src', 'metric', 'table', 'tos', 'dsfield', 'scope', 'proto', 'realms', 'mtu', 'expires', 'pref', 'nhid', 'priority'],
]);

/** The route that words describe. @param whole it is to be made, so its way must be said. @throws UsageError, NetError ENODEV. */
export function readRoute(request: IpRequest, whole: boolean): RouteEntry {
  const [head, ...tails] = splitAt(withoutFamilies(request.words), 'nexthop');
  const { words, given: onLink } = takeFlag(head!, 'onlink');
  const keyed = readKeyed(words, KEYS, 2);
  const { rest, by } = keyed;
  const [typeWord, prefixWord] = rest.length === 2 ? rest : ['unicast', rest[0]];
  const type = routeTypeNumber(typeWord!);
  if (type === undefined) throw new UsageError(`what is '${typeWord}'? A type is ${TYPES}`);
  const way = wayOf(request, keyed, onLink);
  if (way !== undefined && tails.length > 0) throw new UsageError('ways stand behind nexthop, each, or there is only one');
  const ways = way === undefined ? tails.map((tail) => readTail(request, tail)) : [way];
  const {
    family,
    words: prefix,
    prefixLen,
  } = prefixOf(wanted(prefixWord, 'PREFIX or default'), ways[0]?.gateway?.family ?? request.family);
  const isSaid = ways.length > 0 || by.nhid !== undefined || REFUSALS.includes(type) || type === ROUTE_TYPE.LOCAL;
  if (whole && !isSaid) throw new UsageError('via GATEWAY or dev DEVICE is missing');
  return {
    ...{ family, prefix, prefixLen, type, nextHops: ways, source: BY_HAND },
    ...fieldsOf(by, request.host.kernel.clock.nowMs),
  };
}

type Fields = { -readonly [name in keyof RouteEntry]?: RouteEntry[name] };

function fieldsOf(by: Readonly<Record<string, string | undefined>>, nowMs: number): Fields {
  const fields: Fields = {};
  const tos = by.tos ?? by.dsfield;
  const metric = by.metric ?? by.priority;
  if (by.table !== undefined) fields.table = tableOf(by.table);
  if (metric !== undefined) fields.priority = anyNumber(metric, 'metric');
  if (by.src !== undefined) fields.preferredSource = addressOf(by.src).words;
  if (tos !== undefined) fields.tos = tosOf(tos);
  if (by.scope !== undefined)
    fields.scope = named(by.scope, routeScopeNumber(by.scope), 'scope takes global, site, link, host or a number');
  if (by.proto !== undefined) fields.source = named(by.proto, sourceNumber(by.proto), 'proto takes boot, static, kernel or a number');
  if (by.realms !== undefined) fields.realms = realmsOf(by.realms);
  if (by.mtu !== undefined) {
    fields.metrics = new Int32Array(DST_METRIC.QUICKACK + 1);
    fields.metrics[DST_METRIC.MTU] = wholeNumber(by.mtu, 'mtu');
  }
  if (by.expires !== undefined) fields.expiresMs = (nowMs + secondsOf(by.expires) * 1000) | 0;
  if (by.pref !== undefined) fields.preference = named(by.pref, PREFERENCES.get(by.pref), 'pref takes low, medium or high');
  if (by.nhid !== undefined) fields.nextHopId = anyNumber(by.nhid, 'nhid');
  return fields;
}

function secondsOf(word: string): number {
  const seconds = wholeNumber(word, 'expires');
  return named(word, seconds <= MOST_SECONDS ? seconds : undefined, `expires takes at most ${MOST_SECONDS} seconds`);
}

function readTail(request: IpRequest, tail: readonly string[]): NextHop {
  const { words, given } = takeFlag(tail, 'onlink');
  const way = wayOf(request, readKeyed(words, ['via', 'dev', 'weight'], 0), given);
  if (way === undefined) throw new UsageError('behind nexthop, via GATEWAY or dev DEVICE is missing');
  return way;
}

/** Words in front of the first separator, and those behind each. */
function splitAt(words: readonly string[], separator: string): string[][] {
  const parts: string[][] = [[]];
  for (const word of words) {
    if (word === separator) parts.push([]);
    else parts.at(-1)!.push(word);
  }
  return parts;
}
