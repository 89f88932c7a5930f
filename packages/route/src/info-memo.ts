import type { AddressWords, NextHop } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import type { CheckedEntry } from './route-checks.ts';
import { maskOf, sameWords } from './route-checks.ts';
import type { RouteInfo } from './route-info.ts';
import type { RouteInfos } from './route-infos.ts';

/** From so many changes at once on it is worth it. */
const FEWEST = 64;
const COARSE = 1 << 16;

interface Known {
  readonly entry: CheckedEntry;
  readonly info: RouteInfo;
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

  /** One more route uses it. Null: it is not known. */
  take(entry: CheckedEntry): RouteInfo | null {
    if (this.#coarse === null) return null;
    const known = this.#known.get(hashOf(entry));
    if (known === undefined) return null;
    for (const { entry: other, info } of known) {
      if (!isOneWay(entry, other)) continue;
      info.users++;
      return info;
    }
    return null;
  }

  /** The entry was checked, and comes to this. */
  keep(entry: CheckedEntry, info: RouteInfo): void {
    if (this.#coarse === null || !isPlain(entry)) return;
    const hash = hashOf(entry);
    const known = this.#known.get(hash);
    info.users++;
    if (known === undefined) this.#known.set(hash, [{ entry, info }]);
    else known.push({ entry, info });
    for (const { gateway } of entry.nextHops) {
      if (gateway === undefined) continue;
      this.#gateways.push(gateway);
      this.#coarse[leading(gateway.family, gateway.address) >>> 16] = 1;
    }
  }

  /** Routes of this prefix have changed. */
  touch({ family, prefix, prefixLen }: Pick<CheckedEntry, 'family' | 'prefix' | 'prefixLen'>): void {
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
}

/** The first word that tells addresses of a family apart. */
function leading(family: number, address: AddressWords): number {
  return family === ADDRESS_FAMILY.INET ? address[3] : address[0];
}

function isIn(address: AddressWords, prefix: AddressWords, prefixLen: number, family: number): boolean {
  if (family === ADDRESS_FAMILY.INET) return ((address[3] ^ prefix[3]) & maskOf(prefixLen)) === 0;
  return address.every((word, index) => ((word ^ prefix[index]!) & maskOf(prefixLen - 32 * index)) === 0);
}

function hashOf({ source, table, nextHops }: CheckedEntry): number {
  const hop = nextHops[0];
  const hash = Math.imul((hop?.ifindex ?? 0) ^ (table << 8) ^ source, 0x9e3779b1);
  return hop?.gateway === undefined ? hash : hash ^ Math.imul(hop.gateway.address[3] ^ hop.gateway.address[1], 0x85ebca6b);
}

/** What else there may be is looked for each time. */
function isPlain({ metrics, preferredSource, nextHopId, nextHops }: CheckedEntry): boolean {
  if (metrics !== undefined || preferredSource !== undefined || nextHopId !== 0) return false;
  for (const { encap } of nextHops) if (encap !== undefined) return false;
  return true;
}

function isOneWay(a: CheckedEntry, b: CheckedEntry): boolean {
  if (a.family !== b.family || a.type !== b.type || a.table !== b.table || a.scope !== b.scope || a.source !== b.source) return false;
  if ((a.realms ?? 0) !== (b.realms ?? 0) || a.nextHops.length !== b.nextHops.length || !isPlain(a)) return false;
  for (let i = 0; i < a.nextHops.length; i++) if (!isOneHop(a.nextHops[i]!, b.nextHops[i]!)) return false;
  return true;
}

function isOneHop(a: NextHop, b: NextHop): boolean {
  if (a.ifindex !== b.ifindex || (a.weight ?? 1) !== (b.weight ?? 1) || (a.onLink ?? false) !== (b.onLink ?? false)) return false;
  if (a.gateway === undefined || b.gateway === undefined) return a.gateway === b.gateway;
  return a.gateway.family === b.gateway.family && sameWords(a.gateway.address, b.gateway.address);
}
