import type { AddressWords, RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY, NetError, ROUTE_TYPE } from '@softnet/contract';
import { addressBits } from '@softnet/wire';
import { maskOf } from './prefixes/bits.ts';
import { scopeFault, scopeOf } from './route-scope.ts';
import { TABLE } from './rules.ts';

/** Linux's `RTPROT_*` that bring many routes of one prefix: they are added beside one another, by device. */
const REDIRECT = 1;
const KERNEL = 2;
const ROUTER_ADVERTISEMENT = 9;
/** What Linux gives IPv6 routes without a metric: the kernel's own, and the rest (`IP6_RT_PRIO_*`). */
const IPV6_PRIORITY_KERNEL = 256;
const IPV6_PRIORITY = 1024;

const HOPLESS: readonly number[] = [ROUTE_TYPE.BLACKHOLE, ROUTE_TYPE.UNREACHABLE, ROUTE_TYPE.PROHIBIT, ROUTE_TYPE.THROW];

/** An entry with its defaults, its numbers checked, the bits behind its prefix cleared. */
export interface CheckedEntry extends RouteEntry {
  readonly table: number;
  readonly tos: number;
  readonly priority: number;
  readonly scope: number;
  readonly nextHopId: number;
}

/** @throws NetError EINVAL, EAFNOSUPPORT. */
export function checkEntry(entry: RouteEntry, words: () => string): CheckedEntry {
  const { family, prefix, prefixLen, type, table = TABLE.MAIN, tos = 0, nextHops, nextHopId = 0 } = entry;
  const refuse = (why: string): NetError => new NetError('EINVAL', `the route ${words()} cannot be: ${why}`, { syscall: 'route' });
  if (family !== ADDRESS_FAMILY.INET && family !== ADDRESS_FAMILY.INET6) {
    throw new NetError('EAFNOSUPPORT', `the route is of family ${family}, and routes are of IPv4 (2) or IPv6 (10)`, { syscall: 'route' });
  }
  const priority = entry.priority || defaultPriority(entry, table);
  checkPrefixLen(entry, words);
  if (!isInteger(type, ROUTE_TYPE.UNICAST, ROUTE_TYPE.THROW)) throw refuse(`there is no type ${type}`);
  if (!isInteger(table, 1, 0xffffffff)) throw refuse(`a table has a number from 1 to 4294967295, not ${table}`);
  if (!isInteger(priority, 0, 0xffffffff)) throw refuse(`its metric is ${priority}, not 0 to 4294967295`);
  if (!isInteger(tos, 0, 0xfc) || (tos & 3) !== 0) throw refuse(`its tos is ${tos}: a DSCP, shifted left by two`);
  if (!isInteger(nextHopId, 0, 0xffffffff)) throw refuse(`a next hop has a number from 1 to 4294967295, not ${nextHopId}`);
  if (nextHopId !== 0 && (nextHops.length > 0 || type !== ROUTE_TYPE.UNICAST)) throw refuse('its next hops are those of a next-hop object');
  if (HOPLESS.includes(type) && nextHops.length > 0) throw refuse('a route of that type has no next hop');
  if (nextHops.length + nextHopId === 0 && !HOPLESS.includes(type) && type !== ROUTE_TYPE.LOCAL) throw refuse('it needs a next hop');
  for (const { weight = 1 } of nextHops) if (!isInteger(weight, 1, 256)) throw refuse(`a next hop weighs 1 to 256, not ${weight}`);
  if (![-1, 0, 1].includes(entry.preference ?? 0)) throw refuse('its preference is -1, 0 or 1');
  const scope = scopeOf(entry);
  const fault = scopeFault(entry, scope);
  if (fault !== null) throw refuse(fault);
  return { ...entry, prefix: masked(family, prefix, prefixLen), table, tos, priority, scope, nextHopId };
}

/** @throws NetError EINVAL. */
export function checkPrefixLen({ family, prefixLen }: RouteEntry, words: () => string): void {
  const bits = addressBits(family);
  if (isInteger(prefixLen, 0, bits)) return;
  throw new NetError('EINVAL', `the route ${words()} cannot be: its prefix has 0 to ${bits} bits, not ${prefixLen}`, { syscall: 'route' });
}

/** What a layer does for those inside, not an administrator: also of one that leaves. */
export function isOfStack({ source }: RouteEntry): boolean {
  return source === REDIRECT || source === KERNEL || source === ROUTER_ADVERTISEMENT;
}

/** Routes that the stack makes for its devices: two of one prefix are two links, and no mistake. */
export function isAppended({ source }: RouteEntry): boolean {
  return source === KERNEL || source === ROUTER_ADVERTISEMENT;
}

/** The prefix without the bits behind it. */
export function masked(family: number, [word0, word1, word2, word3]: AddressWords, prefixLen: number): AddressWords {
  if (family === ADDRESS_FAMILY.INET) {
    const last = word3 & maskOf(prefixLen);
    return last === 0 && prefixLen === 0 ? [0, 0, 0, 0] : [0, 0, 0xffff, last];
  }
  return [word0 & maskOf(prefixLen), word1 & maskOf(prefixLen - 32), word2 & maskOf(prefixLen - 64), word3 & maskOf(prefixLen - 96)];
}

export function sameWords(a: AddressWords, b: AddressWords): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}

function defaultPriority({ family, source }: RouteEntry, table: number): number {
  if (family === ADDRESS_FAMILY.INET || table === TABLE.LOCAL) return 0;
  return source === KERNEL ? IPV6_PRIORITY_KERNEL : IPV6_PRIORITY;
}

function isInteger(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
