import type { AddressWords, NextHop, RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import type { RouteAlias } from './route-alias.ts';
import type { CheckedEntry } from './route-checks.ts';
import { maskOf, sameWords } from './route-checks.ts';
import type { RouteInfo } from './route-info.ts';
import type { RouteInfos } from './route-infos.ts';

/** From so many changes at once on it is worth it. */
const FEWEST = 64;
const COARSE = 1 << 16;

/** A route that was checked. */
export interface Known {
  /** As it was given. */
  readonly given: RouteEntry;
  readonly checked: CheckedEntry;
  readonly info: RouteInfo;
  /** The only route of a prefix, made at the first such; it may stand in its table. */
  alone: RouteAlias | null;
}

/**
 * Infos of routes that come many at a time: most go the same few ways, which are checked and looked for once. What a gateway's check
 * came to is forgotten when a prefix changes that has the gateway in it.
 */
export class InfoMemo {
  readonly #infos: RouteInfos;
  readonly #known = new Map<number, Known[]>();
  readonly #gateways: NonNullable<NextHop['gateway']>[] = [];
  /** By their first 16 bits, whether there are gateways. */
  readonly #coarse: Uint8Array | null;

  constructor(infos: RouteInfos, changes: number) {
    this.#infos = infos;
    this.#coarse = changes < FEWEST ? null : new Uint8Array(COARSE);
  }

  /** A route that differs from this in its prefix only. Null: none is known. */
  find(entry: RouteEntry): Known | null {
    if (this.#coarse === null) return null;
    const known = this.#known.get(hashOf(entry));
    if (known === undefined) return null;
    for (let i = 0; i < known.length; i++) if (isOneWay(entry, known[i]!.given)) return known[i]!;
    return null;
  }

  /** The entry was checked, and comes to this. */
  keep(given: RouteEntry, checked: CheckedEntry, info: RouteInfo): Known {
    const known: Known = { given, checked, info, alone: null };
    if (this.#coarse === null || !isPlain(given)) return known;
    const hash = hashOf(given);
    const others = this.#known.get(hash);
    info.users++;
    if (others === undefined) this.#known.set(hash, [known]);
    else others.push(known);
    this.#watch(checked);
    return known;
  }

  /** Routes of this prefix have changed. */
  touch(family: number, prefix: AddressWords, prefixLen: number): void {
    if (this.#gateways.length === 0) return;
    if (prefixLen >= 16 && this.#coarse![leading(family, prefix) >>> 16] === 0) return;
    if (this.#gateways.some((gateway) => gateway.family === family && isIn(gateway.address, prefix, prefixLen, family))) this.forget();
  }

  forget(): void {
    for (const known of this.#known.values()) for (const { info } of known) this.#infos.give(info);
    this.#known.clear();
    this.#gateways.length = 0;
    this.#coarse?.fill(0);
  }

  #watch({ nextHops }: CheckedEntry): void {
    for (const { gateway } of nextHops) {
      if (gateway === undefined) continue;
      this.#gateways.push(gateway);
      this.#coarse![leading(gateway.family, gateway.address) >>> 16] = 1;
    }
  }
}

/** The first word that tells addresses of a family apart. */
function leading(family: number, address: AddressWords): number {
  return family === ADDRESS_FAMILY.INET ? address[3] : address[0];
}

function isIn(address: AddressWords, prefix: AddressWords, prefixLen: number, family: number): boolean {
  if (family === ADDRESS_FAMILY.INET) return ((address[3] ^ prefix[3]) & maskOf(prefixLen)) === 0;
  return address.every((word, index) => ((word ^ prefix[index]!) & maskOf(prefixLen - 32 * index)) === 0);
}

function hashOf({ source, table = 0, nextHops }: RouteEntry): number {
  if (nextHops.length === 0) return source;
  const { ifindex, gateway, weight = 1 } = nextHops[0]!;
  const hash = Math.imul(ifindex ^ (table << 8) ^ (weight << 20) ^ source, 0x9e3779b1);
  return gateway === undefined ? hash : hash ^ Math.imul(gateway.address[3] ^ gateway.address[1], 0x85ebca6b);
}

/** What else there may be is looked for each time. */
function isPlain({ metrics, preferredSource, nextHopId, expiresMs, nextHops }: RouteEntry): boolean {
  if (metrics !== undefined || preferredSource !== undefined || nextHopId || expiresMs !== undefined) return false;
  for (let i = 0; i < nextHops.length; i++) if (nextHops[i]!.encap !== undefined) return false;
  return true;
}

/** Whether a route is like one that is plain, but for its prefix. */
function isOneWay(a: RouteEntry, b: RouteEntry): boolean {
  if (a.family !== b.family || a.type !== b.type || a.table !== b.table || a.scope !== b.scope || a.source !== b.source) return false;
  if (a.tos !== b.tos || a.priority !== b.priority || a.preference !== b.preference || a.realms !== b.realms || !isPlain(a)) return false;
  if (a.nextHops === b.nextHops) return true;
  if (a.nextHops.length !== b.nextHops.length) return false;
  for (let i = 0; i < a.nextHops.length; i++) if (!isOneHop(a.nextHops[i]!, b.nextHops[i]!)) return false;
  return true;
}

function isOneHop(a: NextHop, b: NextHop): boolean {
  if (a.ifindex !== b.ifindex || a.weight !== b.weight || a.onLink !== b.onLink) return false;
  if (a.gateway === undefined || b.gateway === undefined) return a.gateway === b.gateway;
  return a.gateway.family === b.gateway.family && sameWords(a.gateway.address, b.gateway.address);
}
