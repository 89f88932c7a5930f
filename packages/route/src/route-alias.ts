import type { RouteEntry } from '@softnet/contract';

import type { RouteInfo } from './route-info.ts';

/**
 * What is configured for a prefix: how a packet goes, and what else is asked if that does not fit. It never changes, and does not know its
 * prefix: all prefixes of a table that are treated alike share one. Linux's `struct fib_alias`.
 */
export class RouteAlias {
  readonly info: RouteInfo;
  readonly tos: number;
  readonly priority: number;
  /** RFC 4191 §2.1: the highest goes first among routes that are alike otherwise. */
  readonly preference: number;
  /** Kernel ms; null: it stays. */
  readonly expiresMs: number | null;
  /** The next of the same prefix, in the order in which they are asked. */
  readonly next: RouteAlias | null;
  /** How many routes it is, with those behind it. */
  readonly length: number;
  /** Whether it or one behind it does not stay. */
  readonly expires: boolean;
  /** Its table's number for it; 0: it stands in none. */
  id = 0;
  /** Prefixes that have it, and aliases before it. */
  users = 0;
  /** The next of the same hash. */
  sibling: RouteAlias | null = null;

  constructor(info: RouteInfo, { tos, priority, preference = 0, expiresMs = null }: AliasSpec, next: RouteAlias | null) {
    this.info = info;
    this.tos = tos;
    this.priority = priority;
    this.preference = preference;
    this.expiresMs = expiresMs;
    this.next = next;
    this.length = next === null ? 1 : next.length + 1;
    this.expires = expiresMs !== null || next?.expires === true;
  }
}

export interface AliasSpec {
  readonly tos: number;
  readonly priority: number;
  readonly preference?: number;
  readonly expiresMs?: number | null;
}

/** Whether `a` is asked before `b`, both of one prefix: the more special type of service, the lower priority, the higher preference. */
function before(a: AliasSpec, b: RouteAlias): boolean {
  if (a.tos !== b.tos) return a.tos > b.tos;
  return a.priority !== b.priority ? a.priority < b.priority : (a.preference ?? 0) > b.preference;
}

/** The chain with one more, behind its equals. */
export function chainIn(first: RouteAlias | null, info: RouteInfo, spec: AliasSpec): RouteAlias {
  const ahead: RouteAlias[] = [];
  let behind = first;
  for (; behind !== null && !before(spec, behind); behind = behind.next) ahead.push(behind);
  return chained(ahead, new RouteAlias(info, spec, behind));
}

/** The chain without the first one that is as this. */
export function chainOut(first: RouteAlias, alias: RouteAlias): RouteAlias | null {
  const ahead: RouteAlias[] = [];
  let at = first;
  for (; !isSame(at, alias) && at.next !== null; at = at.next) ahead.push(at);
  return chained(ahead, at.next);
}

/** The chain where this one ends at another time, and is as it was otherwise: in its place. */
export function chainProlonged(first: RouteAlias, alias: RouteAlias, expiresMs: number | null): RouteAlias {
  const ahead: RouteAlias[] = [];
  let at = first;
  for (; at !== alias && at.next !== null; at = at.next) ahead.push(at);
  return chained(ahead, new RouteAlias(alias.info, { ...aliasSpecOf(alias), expiresMs }, at.next));
}

function aliasSpecOf({ tos, priority, preference }: RouteAlias): AliasSpec {
  return { tos, priority, preference };
}

/** Routes before a chain: it may be of thousands, so that calls cannot be nested. */
function chained<C extends RouteAlias | null>(ahead: readonly RouteAlias[], chain: C): RouteAlias | C {
  return ahead.reduceRight<RouteAlias | C>((next, alias) => new RouteAlias(alias.info, alias, next), chain);
}

/** Whatever comes behind. */
export function isSame(a: RouteAlias, b: RouteAlias): boolean {
  if (a.info !== b.info || a.tos !== b.tos || a.priority !== b.priority) return false;
  return a.preference === b.preference && a.expiresMs === b.expiresMs;
}

/** The routes of a chain, in order. */
export function aliasesOf(first: RouteAlias | null): RouteAlias[] {
  const aliases: RouteAlias[] = [];
  for (let alias = first; alias !== null; alias = alias.next) aliases.push(alias);
  return aliases;
}

/** The route as it was configured, defaults filled in. */
export function entryOf(alias: RouteAlias, { family, number }: TableName, { prefix, prefixLen }: Prefix): RouteEntry {
  const { info, tos, priority, preference, expiresMs } = alias;
  const { type, metrics, realms, preferredSource, source, scope, nextHopId } = info;
  return {
    ...{ family, prefix, prefixLen, type, table: number, tos, priority, realms, source, scope },
    nextHops: info.nextHops,
    ...(nextHopId === 0 ? {} : { nextHopId }),
    ...(preference === 0 ? {} : { preference }),
    ...(expiresMs === null ? {} : { expiresMs }),
    ...(preferredSource === null ? {} : { preferredSource }),
    ...(metrics === null ? {} : { metrics }),
  };
}

/** Which table. */
export interface TableName {
  readonly family: number;
  readonly number: number;
}

export type Prefix = Pick<RouteEntry, 'prefix' | 'prefixLen'>;
