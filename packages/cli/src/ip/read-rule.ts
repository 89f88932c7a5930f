import type { PortRange, RoutingRule, RulePrefix } from '@softnet/contract';
import { ADDRESS_FAMILY, IP_PROTOCOL, RULE_ACTION } from '@softnet/contract';
import { UsageError } from '../usage-error.ts';
import type { IpRequest } from './ip-object.ts';
import { anyNumber, named, readKeyed, takeFlag } from './ip-object.ts';
import { BY_HAND, MAIN_TABLE, sourceNumber } from './names.ts';
import { prefixOf, realmsOf, tableOf, tosOf } from './route-words.ts';

const KEYS = Object.freeze([
  ...['from', 'to', 'iif', 'dev', 'oif', 'fwmark', 'tos', 'dsfield', 'ipproto', 'sport', 'dport', 'uidrange', 'realms'],
  ...['priority', 'preference', 'pref', 'prio', 'order', 'table', 'lookup', 'goto', 'suppress_prefixlength', 'sup_pl', 'proto', 'protocol'],
]);
const ACTIONS: ReadonlyMap<string, number> = new Map([
  ['nop', RULE_ACTION.NOP],
  ['blackhole', RULE_ACTION.BLACKHOLE],
  ['unreachable', RULE_ACTION.UNREACHABLE],
  ['prohibit', RULE_ACTION.PROHIBIT],
]);

/** The action of this name: 'prohibit'; undefined: it says more than a word. */
export function actionName(action: number): string | undefined {
  return [...ACTIONS].find(([, number]) => number === action)?.[0];
}

/**
 * The rule that words describe. What they leave open is for the caller: `priority` is -1 and `action` 0 then.
 * @throws UsageError
 */
export function readRule({ words, family }: IpRequest): RoutingRule {
  const { words: rest, given: not } = takeFlag(words, 'not');
  const keyed = readKeyed(
    rest.filter((word) => word !== 'type'),
    KEYS,
    1,
  );
  const { by } = keyed;
  const [word] = keyed.rest;
  const from = prefixIn(by.from, family);
  const to = prefixIn(by.to, from?.family ?? family);
  const priority = by.priority ?? by.preference ?? by.pref ?? by.prio ?? by.order;
  const table = by.table ?? by.lookup;
  const action = word === undefined ? undefined : named(word, ACTIONS.get(word), 'an action is nop, blackhole, unreachable or prohibit');
  if (from !== undefined && to !== undefined && from.family !== to.family) throw new UsageError('both prefixes are of one family');
  return {
    family: from?.family ?? to?.family ?? family ?? ADDRESS_FAMILY.INET,
    priority: priority === undefined ? -1 : anyNumber(priority, 'priority'),
    action: by.goto !== undefined ? RULE_ACTION.GOTO : (action ?? (table === undefined ? 0 : RULE_ACTION.TABLE)),
    ...(table === undefined ? {} : { table: tableOf(table) }),
    ...(by.goto === undefined ? {} : { goto: anyNumber(by.goto, 'goto') }),
    ...(not ? { not } : {}),
    ...(from === undefined ? {} : { from: from.prefix }),
    ...(to === undefined ? {} : { to: to.prefix }),
    ...conditionsOf(by),
    source: by.proto === undefined ? BY_HAND : named(by.proto, sourceNumber(by.proto), 'proto takes boot, static, kernel or a number'),
  };
}

type Conditions = { -readonly [name in keyof RoutingRule]?: RoutingRule[name] };

function conditionsOf(by: Readonly<Record<string, string | undefined>>): Conditions {
  const conditions: Conditions = {};
  const iif = by.iif ?? by.dev;
  const tos = by.tos ?? by.dsfield;
  const suppress = by.suppress_prefixlength ?? by.sup_pl;
  if (iif !== undefined) conditions.iif = iif;
  if (by.oif !== undefined) conditions.oif = by.oif;
  if (by.fwmark !== undefined) {
    const [mark, mask] = by.fwmark.split('/') as [string, string?];
    conditions.mark = anyNumber(mark, 'fwmark');
    if (mask !== undefined) conditions.markMask = anyNumber(mask, 'fwmark');
  }
  if (tos !== undefined) conditions.tos = tosOf(tos);
  if (by.ipproto !== undefined) conditions.ipProtocol = protocolOf(by.ipproto);
  if (by.sport !== undefined) conditions.srcPorts = rangeOf(by.sport, 'sport');
  if (by.dport !== undefined) conditions.dstPorts = rangeOf(by.dport, 'dport');
  if (by.uidrange !== undefined) conditions.uids = rangeOf(by.uidrange, 'uidrange');
  if (suppress !== undefined) conditions.suppressPrefixLen = anyNumber(suppress, 'suppress_prefixlength');
  if (by.realms !== undefined) conditions.realms = realmsOf(by.realms);
  return conditions;
}

/** An IP protocol, by name or number. @throws UsageError */
export function protocolOf(word: string): number {
  const known = Object.entries(IP_PROTOCOL).find(([name]) => name.toLowerCase() === word)?.[1];
  return known ?? anyNumber(word, 'ipproto');
}

export function protocolName(protocol: number): string {
  return (
    Object.entries(IP_PROTOCOL)
      .find(([, number]) => number === protocol)?.[0]
      .toLowerCase() ?? String(protocol)
  );
}

/** What a rule asks where nothing is said. */
export const MAIN: Pick<RoutingRule, 'action' | 'table'> = Object.freeze({ action: RULE_ACTION.TABLE, table: MAIN_TABLE });

/** 'all' asks for nothing. */
function prefixIn(text: string | undefined, family: number | undefined): { family: number; prefix: RulePrefix } | undefined {
  if (text === undefined || text === 'all' || text === 'any') return undefined;
  const { family: own, words, prefixLen } = prefixOf(text, family);
  return { family: own, prefix: { address: words, prefixLen } };
}

function rangeOf(text: string, what: string): PortRange {
  const [first, last = first] = text.split('-') as [string, string?];
  return { first: anyNumber(first, what), last: anyNumber(last, what) };
}
