import type { AddressWords, Clock, InterfaceAddress, NetDevice, Port, RouteEntry, RouteTables } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, DEVICE_FLAG, NetError, ROUTE_TYPE } from '@softnet/contract';
import { commonPrefixLen, isSame, MULTICAST_PREFIX, prefixOf } from '../machine/address-kind.ts';
import { ORIGIN, stateOf } from '../machine/address-state.ts';
import type { Ipv6Link } from './ipv6-link.ts';

const LOCAL_TABLE = 255;
const MAIN_TABLE = 254;
/** Linux's `RTPROT_KERNEL`, and its metric of routes that devices bring. */
const KERNEL = 2;
const PRIORITY = 256;
const FOREVER = Number.POSITIVE_INFINITY;
/** Routing tables count in int32 ms, 24 days; routers repeat themselves within half an hour (RFC 4861 §6.2.1). */
const MAX_LIFETIME_MS = 0x7ffffff0;
/** What may be amiss: it is there already, or has gone, with its device perhaps. */
const EXPECTED: ReadonlySet<string> = new Set(['EEXIST', 'ENOENT', 'ENODEV']);

/** Routes that addresses and devices bring along (Linux's `addrconf_prefix_route` and kin). */
export class AddressRoutes {
  readonly #tables: Port<RouteTables>;
  readonly #clock: Clock;
  /** Until when routes to prefixes are there that are not there for ever. */
  readonly #expiries = new Map<string, number>();
  #retired = false;

  constructor(tables: Port<RouteTables>, clock: Clock) {
    this.#tables = tables;
    this.#clock = clock;
  }

  /** They are the next generation's from here on. */
  retire(): void {
    this.#retired = true;
  }

  /** To the address itself: once it may be used. */
  addLocal({ address, device }: InterfaceAddress): void {
    this.#change('add', localEntry(address, ROUTE_TYPE.LOCAL, device));
  }

  removeLocal({ address, device }: InterfaceAddress): void {
    this.#change('remove', localEntry(address, ROUTE_TYPE.LOCAL, device));
  }

  addAnycast(device: NetDevice, address: AddressWords): void {
    this.#change('add', localEntry(address, ROUTE_TYPE.ANYCAST, device));
  }

  removeAnycast(device: NetDevice, address: AddressWords): void {
    this.#change('remove', localEntry(address, ROUTE_TYPE.ANYCAST, device));
  }

  /** To the neighbours of this address, as it and the others on the link have it now. */
  follow(link: Ipv6Link, address: InterfaceAddress): void {
    const { prefixLen, peer } = address;
    if (!isOfRoutes(address)) return;
    this.followPrefix(link, peer ?? address.address, prefixLen, priorityOf(address));
  }

  /** To all on this prefix: there while an address brings it, or it was advertised as on the link. @param priority 0: the usual one. */
  followPrefix(link: Ipv6Link, within: AddressWords, prefixLen: number, priority = PRIORITY): void {
    const { device } = link;
    const prefix = prefixOf(within, prefixLen);
    const entry = entryOf(prefix, prefixLen, ROUTE_TYPE.UNICAST, MAIN_TABLE, priority, device);
    const longestMs = this.#clock.nowUs / 1000 + MAX_LIFETIME_MS;
    const untilMs = link.isUp ? untilOf(link, prefix, prefixLen, priority, longestMs) : 0;
    const key = [device.ifindex, ...prefix, prefixLen, priority].join();
    const before = this.#expiries.get(key);
    if (untilMs === 0) {
      this.#expiries.delete(key);
      this.#change('remove', entry);
    } else if (untilMs === FOREVER) {
      this.#expiries.delete(key);
      this.#change(before === undefined ? 'add' : 'replace', entry);
    } else if (before !== untilMs) {
      this.#forgetExpired();
      this.#expiries.set(key, untilMs);
      this.#change('replace', { ...entry, expiresMs: Math.min(untilMs, longestMs) | 0 });
    }
  }

  /** Their routes have gone by themselves. */
  #forgetExpired(): void {
    const nowMs = this.#clock.nowUs / 1000;
    for (const [key, untilMs] of this.#expiries) if (untilMs <= nowMs) this.#expiries.delete(key);
  }

  /** ff00::/8 on this device. */
  addGroups(device: NetDevice): void {
    this.#change('add', groupsEntry(device));
  }

  removeGroups(device: NetDevice): void {
    this.#change('remove', groupsEntry(device));
  }

  /** While route leaves its tables go anyhow. */
  #change(what: 'add' | 'replace' | 'remove', entry: RouteEntry): void {
    if (this.#retired || !this.#tables.present) return;
    try {
      this.#tables.current[what](entry);
    } catch (error) {
      if (!(error instanceof NetError) || !EXPECTED.has(error.code)) throw error;
    }
  }
}

/** Until when somebody brings a route to the prefix, kernel ms; 0: nobody does. Addresses take theirs along: those beyond `longestMs` have no other end. */
function untilOf({ addresses, onLink }: Ipv6Link, prefix: AddressWords, prefixLen: number, priority: number, longestMs: number): number {
  let untilMs = 0;
  for (const address of addresses) {
    if (address.prefixLen !== prefixLen || !bringsRoute(address) || priorityOf(address) !== priority) continue;
    if (commonPrefixLen(address.peer ?? address.address, ...prefix) < prefixLen) continue;
    if (address.validUntilMs > longestMs) return FOREVER;
    untilMs = Math.max(untilMs, address.validUntilMs);
  }
  if (priority !== PRIORITY) return untilMs;
  for (const each of onLink) {
    if (each.prefixLen === prefixLen && isSame(each.prefix, ...prefix)) untilMs = Math.max(untilMs, each.untilMs);
  }
  return untilMs;
}

/** One that has its whole prefix for itself brings none; nor does one of an advertised prefix, which says by itself whether it is on the link. */
function bringsRoute(address: InterfaceAddress): boolean {
  const { flags, prefixLen, peer } = address;
  if ((flags & ADDRESS_FLAG.NOPREFIXROUTE) !== 0 || (prefixLen === 128 && peer === null)) return false;
  return isOfRoutes(address);
}

function isOfRoutes(address: InterfaceAddress): boolean {
  const { origin } = stateOf(address);
  return origin === ORIGIN.HAND || origin === ORIGIN.LINK;
}

function priorityOf({ metric }: InterfaceAddress): number {
  return metric === 0 ? PRIORITY : metric;
}

function localEntry(address: AddressWords, type: number, device: NetDevice): RouteEntry {
  return entryOf(address, 128, type, LOCAL_TABLE, 0, device);
}

/** Who names no interface means a link, not this host alone. */
function groupsEntry(device: NetDevice): RouteEntry {
  const priority = (device.flags & DEVICE_FLAG.LOOPBACK) === 0 ? PRIORITY : PRIORITY + 1;
  return entryOf(MULTICAST_PREFIX, 8, ROUTE_TYPE.MULTICAST, LOCAL_TABLE, priority, device);
}

function entryOf(
  prefix: AddressWords,
  prefixLen: number,
  type: number,
  table: number,
  priority: number,
  { ifindex }: NetDevice,
): RouteEntry {
  return { family: ADDRESS_FAMILY.INET6, prefix, prefixLen, type, table, priority, nextHops: [{ ifindex }], source: KERNEL };
}
