import type { AddressWords, NextHop, RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import { maskOf } from './prefixes/bits.ts';
import type { RouteAlias } from './route-alias.ts';
import type { CheckedEntry } from './route-checks.ts';
import { sameWords } from './route-checks.ts';
import type { RouteInfo } from './route-info.ts';

/** So many are remembered; with one more, none. */
const MOST = 4096;
const COARSE = 1 << 16;
/** Nor is one with more gateways. */
const MANY = 1024;

/** A route that was checked. */
export interface Known {
  /** As it was given; a copy, as who gave it may change his own. */
  readonly given: RouteEntry;
  readonly checked: CheckedEntry;
  readonly info: RouteInfo;
  /** The only route of a prefix, made at the first such; it may stand in its table. */
  alone: RouteAlias | null;
  /** The next hops that were like those of `given` last: as long as nobody can have changed them, they are. */
  same: readonly NextHop[] | null;
  /** Of {@link same}, when that was. */
  round: number;
}

/**
 * Infos of routes as they were configured last: most go the same few ways, which are checked and looked for once. It keeps no info: one that
 * no route uses is forgotten. What a gateway's check came to is forgotten when a prefix changes that has the gateway in it.
 */
export class InfoMemo {
  #count = 0;
  #round = 0;
  readonly #known = new Map<number, Known[]>();
  readonly #gateways: NonNullable<NextHop['gateway']>[] = [];
  /** By their first 16 bits, whether there are gateways. Made for the first. */
  #coarse: Uint8Array | null = null;

  /** Changes follow, during which nobody else changes what he has given. */
  begin(): void {
    this.#round = (this.#round + 1) | 0;
  }

  /** A route that differs from this in its prefix only. Null: none is known. */
  find(entry: RouteEntry): Known | null {
    const known = this.#known.get(hashOf(entry));
    if (known === undefined) return null;
    for (let i = 0; i < known.length; i++) {
      const each = known[i]!;
      if (each.info.users === 0 || !isOneWay(entry, each.given)) continue;
      if (each.same === entry.nextHops && each.round === this.#round) return each;
      if (!areSameHops(entry.nextHops, each.given.nextHops)) continue;
      each.same = entry.nextHops;
      each.round = this.#round;
      return each;
    }
    return null;
  }

  /** The entry was checked, and comes to this. */
  keep(given: RouteEntry, checked: CheckedEntry, info: RouteInfo): Known {
    if (!isPlain(given)) return { ...{ given, checked, info }, alone: null, same: null, round: 0 };
    if (this.#count === MOST || this.#gateways.length > MANY) this.forget();
    const copy = { ...given, nextHops: given.nextHops.map(copyOf) };
    const known: Known = { ...{ given: copy, checked, info }, alone: null, same: null, round: 0 };
    const hash = hashOf(given);
    const others = this.#known.get(hash)?.filter((each) => each.info.users > 0) ?? [];
    others.push(known);
    this.#known.set(hash, others);
    this.#count++;
    this.#watch(known.given);
    return known;
  }

  /** Routes of this prefix have changed. */
  touch(family: number, prefix: AddressWords, prefixLen: number): void {
    if (this.#gateways.length === 0) return;
    if (prefixLen >= 16 && this.#coarse![leading(family, prefix) >>> 16] === 0) return;
    for (let i = 0; i < this.#gateways.length; i++) {
      const gateway = this.#gateways[i]!;
      if (gateway.family !== family || !isIn(gateway.address, prefix, prefixLen, family)) continue;
      this.forget();
      return;
    }
  }

  /** What else was asked may answer otherwise now. */
  forget(): void {
    if (this.#count === 0) return;
    this.#count = 0;
    this.#known.clear();
    if (this.#gateways.length === 0) return;
    this.#gateways.length = 0;
    this.#coarse!.fill(0);
  }

  #watch({ nextHops }: RouteEntry): void {
    for (const { gateway } of nextHops) {
      if (
        gateway === undefined ||
        this.#gateways.some(({ family, address }) => family === gateway.family && sameWords(address, gateway.address))
      ) {
        continue;
      }
      this.#gateways.push(gateway);
      this.#coarse ??= new Uint8Array(COARSE);
      this.#coarse[leading(gateway.family, gateway.address) >>> 16] = 1;
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

function copyOf({ gateway, ...hop }: NextHop): NextHop {
  if (gateway === undefined) return hop;
  const [word0, word1, word2, word3] = gateway.address;
  return { ...hop, gateway: { family: gateway.family, address: [word0, word1, word2, word3] } };
}

function hashOf({ source, table = 0, nextHops, nextHopId = 0 }: RouteEntry): number {
  if (nextHops.length === 0) return source ^ Math.imul(nextHopId, 0x9e3779b1);
  const { ifindex, gateway, weight = 1 } = nextHops[0]!;
  const hash = Math.imul(ifindex ^ (table << 8) ^ (weight << 20) ^ source, 0x9e3779b1);
  return gateway === undefined ? hash : hash ^ Math.imul(gateway.address[3] ^ gateway.address[1], 0x85ebca6b);
}

/** What else there may be is looked for each time. */
function isPlain({ metrics, preferredSource, expiresMs, nextHops }: RouteEntry): boolean {
  if (metrics !== undefined || preferredSource !== undefined || expiresMs !== undefined) return false;
  for (let i = 0; i < nextHops.length; i++) if (nextHops[i]!.encap !== undefined) return false;
  return true;
}

/** Whether a route is like one that is plain, but for its prefix and next hops. */
function isOneWay(a: RouteEntry, b: RouteEntry): boolean {
  if (a.family !== b.family || a.type !== b.type || a.table !== b.table || a.scope !== b.scope || a.source !== b.source) return false;
  if (a.tos !== b.tos || a.priority !== b.priority || a.preference !== b.preference || a.realms !== b.realms || a.nextHopId !== b.nextHopId)
    return false;
  return a.metrics === undefined && a.preferredSource === undefined && a.expiresMs === undefined;
}

function areSameHops(a: readonly NextHop[], b: readonly NextHop[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!isOneHop(a[i]!, b[i]!)) return false;
  return true;
}

function isOneHop(a: NextHop, b: NextHop): boolean {
  if (a.ifindex !== b.ifindex || a.weight !== b.weight || a.onLink !== b.onLink || a.encap !== undefined) return false;
  if (a.gateway === undefined || b.gateway === undefined) return a.gateway === b.gateway;
  return a.gateway.family === b.gateway.family && sameWords(a.gateway.address, b.gateway.address);
}
