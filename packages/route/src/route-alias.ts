import type { AddressWords, RouteEntry } from '@softnet/contract';

import type { RouteInfo } from './route-info.ts';

/** A configured route: what differs from route to route; the rest is its {@link RouteInfo}. Linux's `struct fib_alias`. */
export class RouteAlias {
  readonly info: RouteInfo;
  readonly prefix0: number;
  readonly prefix1: number;
  readonly prefix2: number;
  readonly prefix3: number;
  readonly prefixLen: number;
  readonly tos: number;
  readonly priority: number;
  /** RFC 4191 §2.1: the highest goes first among routes that are alike otherwise. */
  readonly preference: number;
  /** Kernel ms; null: it stays. */
  readonly expiresMs: number | null;
  /** The next of the same prefix, in the order in which they are asked. */
  next: RouteAlias | null = null;

  constructor(info: RouteInfo, { prefix, prefixLen, tos, priority, preference = 0, expiresMs = null }: AliasSpec) {
    this.info = info;
    [this.prefix0, this.prefix1, this.prefix2, this.prefix3] = prefix;
    this.prefixLen = prefixLen;
    this.tos = tos;
    this.priority = priority;
    this.preference = preference;
    this.expiresMs = expiresMs;
  }
}

export interface AliasSpec {
  readonly prefix: AddressWords;
  readonly prefixLen: number;
  readonly tos: number;
  readonly priority: number;
  readonly preference?: number;
  readonly expiresMs?: number | null;
}

/** Whether `a` is asked before `b`, both of one prefix: the more special type of service, the lower priority, the higher preference. */
function before(a: RouteAlias, b: RouteAlias): boolean {
  if (a.tos !== b.tos) return a.tos > b.tos;
  return a.priority !== b.priority ? a.priority < b.priority : a.preference > b.preference;
}

/** Puts it into a chain, behind its equals. Returns the first of the chain. */
export function chainIn(first: RouteAlias | null, alias: RouteAlias): RouteAlias {
  if (first === null || before(alias, first)) {
    alias.next = first;
    return alias;
  }
  let at = first;
  while (at.next !== null && !before(alias, at.next)) at = at.next;
  alias.next = at.next;
  at.next = alias;
  return first;
}

/** Takes it out of its chain. Returns the first of what is left. */
export function chainOut(first: RouteAlias, alias: RouteAlias): RouteAlias | null {
  if (first === alias) return alias.next;
  for (let at = first; at.next !== null; at = at.next) {
    if (at.next !== alias) continue;
    at.next = alias.next;
    break;
  }
  return first;
}

/** The route as it was configured, defaults filled in. */
export function entryOf(alias: RouteAlias, family: number, table: number): RouteEntry {
  const { info, prefix0, prefix1, prefix2, prefix3, prefixLen, tos, priority, preference, expiresMs } = alias;
  const { type, metrics, realms, preferredSource, source, scope, nextHopId } = info;
  return {
    ...{ family, prefix: [prefix0, prefix1, prefix2, prefix3], prefixLen, type, table, tos, priority, realms, source, scope },
    nextHops: info.nextHops,
    ...(nextHopId === 0 ? {} : { nextHopId }),
    ...(preference === 0 ? {} : { preference }),
    ...(expiresMs === null ? {} : { expiresMs }),
    ...(preferredSource === null ? {} : { preferredSource }),
    ...(metrics === null ? {} : { metrics }),
  };
}
