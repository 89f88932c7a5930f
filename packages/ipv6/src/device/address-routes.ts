import type { AddressWords, InterfaceAddress, NetDevice, Port, RouteEntry, RouteTables } from '@softnet/contract';
import { ADDRESS_FAMILY, NetError, ROUTE_TYPE } from '@softnet/contract';
import { MULTICAST_PREFIX, prefixOf } from '../machine/address-kind.ts';

const LOCAL_TABLE = 255;
const MAIN_TABLE = 254;
/** Linux's `RTPROT_KERNEL`, and its metric of routes that devices bring. */
const KERNEL = 2;
const PRIORITY = 256;

/** Routes that addresses and devices bring along (Linux's `addrconf_prefix_route` and kin). */
export class AddressRoutes {
  readonly #tables: Port<RouteTables>;
  #retired = false;

  constructor(tables: Port<RouteTables>) {
    this.#tables = tables;
  }

  /** They are the next generation's from here on. */
  retire(): void {
    this.#retired = true;
  }

  /** To the address itself; and to its neighbours, unless it has none. */
  add(address: InterfaceAddress): void {
    this.#change('add', localEntry(address));
    const link = prefixEntry(address);
    if (link !== null) this.#change('add', link);
  }

  /** @param others addresses that stay on the device: one of the same prefix keeps the route. */
  remove(address: InterfaceAddress, others: readonly InterfaceAddress[]): void {
    this.#change('remove', localEntry(address));
    const link = prefixEntry(address);
    if (link !== null && !others.some((other) => other !== address && isSamePrefix(other, address))) this.#change('remove', link);
  }

  /** ff00::/8 on this device. */
  addGroups(device: NetDevice): void {
    this.#change('add', groupsEntry(device));
  }

  removeGroups(device: NetDevice): void {
    this.#change('remove', groupsEntry(device));
  }

  /** What is there already, or gone with its device, is as it should be. While route leaves its tables go anyhow. */
  #change(what: 'add' | 'remove', entry: RouteEntry): void {
    if (this.#retired || !this.#tables.present) return;
    try {
      this.#tables.current[what](entry);
    } catch (error) {
      if (!(error instanceof NetError) || !(error.code === 'EEXIST' || error.code === 'ENOENT' || error.code === 'ENODEV')) throw error;
    }
  }
}

function isSamePrefix(a: InterfaceAddress, b: InterfaceAddress): boolean {
  if (a.prefixLen !== b.prefixLen) return false;
  const [word0, word1, word2, word3] = prefixOf(a.address, a.prefixLen);
  const other = prefixOf(b.address, b.prefixLen);
  return word0 === other[0] && word1 === other[1] && word2 === other[2] && word3 === other[3];
}

function localEntry({ address, device }: InterfaceAddress): RouteEntry {
  return entryOf(address, 128, ROUTE_TYPE.LOCAL, LOCAL_TABLE, 0, device);
}

/** Null: it has the whole prefix for itself. */
function prefixEntry({ address, prefixLen, device }: InterfaceAddress): RouteEntry | null {
  if (prefixLen === 128) return null;
  return entryOf(prefixOf(address, prefixLen), prefixLen, ROUTE_TYPE.UNICAST, MAIN_TABLE, PRIORITY, device);
}

function groupsEntry(device: NetDevice): RouteEntry {
  return entryOf(MULTICAST_PREFIX, 8, ROUTE_TYPE.MULTICAST, LOCAL_TABLE, PRIORITY, device);
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
