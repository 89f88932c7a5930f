import type { InterfaceAddress, Port, RouteEntry, RouteTables } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, DEVICE_FLAG, IPV4_WORD2, NetError, ROUTE_TYPE } from '@softnet/contract';
import { broadcastOf, isLoopbackDevice, isSameSubnet, linkWordOf, wordOf } from '../machine/address-book.ts';
import { isThisNetwork, LIMITED_BROADCAST, maskOf } from '../machine/special-address.ts';

const MAIN = 254;
const LOCAL = 255;
/** RTPROT_KERNEL. */
const BY_KERNEL = 2;

/**
 * The routes that addresses bring along (Linux's `fib_add_ifaddr`): each address is this host's, its prefix is on the link while the
 * device is up, and so is its broadcast. What there should be is worked out anew at each change, and the difference made. Of two
 * addresses with one prefix on a device the primary has the route, and the other takes over when it goes; two devices have one each.
 */
export class LinkRoutes {
  readonly #tables: Port<RouteTables>;
  readonly #warn: (message: string, fields: { readonly error: string }) => void;
  #installed: ReadonlyMap<string, AddressRoute> = new Map();

  constructor(tables: Port<RouteTables>, warn: (message: string, fields: { readonly error: string }) => void) {
    this.#tables = tables;
    this.#warn = warn;
  }

  /** @param addresses that there are and may be used. Those that are held no more have been taken over by the next generation, and so have their routes. */
  sync(addresses: readonly InterfaceAddress[]): void {
    const wanted = routesOf(addresses);
    const installed = new Map<string, AddressRoute>();
    for (const [key, route] of this.#installed) {
      if (route.address.holdNext === null && addresses.includes(route.address)) continue;
      if (isSame(wanted.get(key)?.entry, route.entry) || !this.#remove(route.entry)) installed.set(key, route);
    }
    for (const [key, route] of wanted) {
      if (!installed.has(key) && this.#add(route.entry)) installed.set(key, route);
    }
    this.#installed = installed;
  }

  /** The last generation left these addresses with their routes in place. */
  adopt(addresses: readonly InterfaceAddress[]): void {
    this.#installed = routesOf(addresses);
  }

  /** False: it is still there. */
  #remove(entry: RouteEntry): boolean {
    return this.#try('a route of an address could not be taken', 'ENOENT', () => this.#tables.current.remove(entry));
  }

  #add(entry: RouteEntry): boolean {
    return this.#try('a route of an address could not be made', null, () => this.#tables.current.add(entry));
  }

  #try(what: string, good: string | null, change: () => void): boolean {
    try {
      change();
      return true;
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      // Route may have forgotten it with its device.
      if (error.code === good) return true;
      // Another has it: a generation that leaves, or somebody by hand. Tables that are leaving take nothing more. Tried again at each change.
      if (error.code !== 'EEXIST' && this.#tables.present) this.#warn(what, { error: error.message });
      return false;
    }
  }
}

/** A route, and the address that brought it. */
interface AddressRoute {
  readonly entry: RouteEntry;
  readonly address: InterfaceAddress;
}

function routesOf(addresses: readonly InterfaceAddress[]): Map<string, AddressRoute> {
  const routes = new Map<string, AddressRoute>();
  for (const address of addresses) {
    if (address.holdNext === null) continue;
    for (const entry of routesOfOne(address, sourceOf(address, addresses))) {
      const key = `${entry.table} ${entry.prefix[3]}/${entry.prefixLen} ${entry.nextHops[0]?.ifindex}`;
      if (!routes.has(key)) routes.set(key, { entry, address });
    }
  }
  return routes;
}

/** The address that packets to its subnet come from: itself, unless it is deprecated and another of the subnet is not. */
function sourceOf(address: InterfaceAddress, addresses: readonly InterfaceAddress[]): InterfaceAddress {
  if ((address.flags & ADDRESS_FLAG.DEPRECATED) === 0) return address;
  const isBetter = (other: InterfaceAddress): boolean =>
    (other.flags & ADDRESS_FLAG.DEPRECATED) === 0 && other.holdNext !== null && isSameSubnet(other, address);
  return addresses.find(isBetter) ?? address;
}

function routesOfOne(address: InterfaceAddress, source: InterfaceAddress): RouteEntry[] {
  const { device, prefixLen, flags, metric } = address;
  const word = wordOf(address);
  const make = (prefix: number, len: number, type: number, priority = 0): RouteEntry => ({
    family: ADDRESS_FAMILY.INET,
    prefix: [0, 0, IPV4_WORD2, prefix],
    prefixLen: len,
    type,
    table: type === ROUTE_TYPE.UNICAST ? MAIN : LOCAL,
    ...(priority === 0 ? {} : { priority }),
    nextHops: [{ ifindex: device.ifindex }],
    preferredSource: type === ROUTE_TYPE.UNICAST ? source.address : address.address,
    source: BY_KERNEL,
  });
  const routes = [make(word, 32, ROUTE_TYPE.LOCAL)];
  if ((device.flags & DEVICE_FLAG.UP) === 0) return routes;
  const prefix = linkWordOf(address) & maskOf(prefixLen);
  const own = isLoopbackDevice(device) ? ROUTE_TYPE.LOCAL : ROUTE_TYPE.UNICAST;
  const isNews = prefixLen < 32 || prefix !== word;
  if ((flags & ADDRESS_FLAG.NOPREFIXROUTE) === 0 && isNews && !(isThisNetwork(prefix) && prefixLen > 0)) {
    routes.push(make(prefix, prefixLen, own, metric));
  }
  const broadcasts = new Set([broadcastOf(address), address.broadcast?.[3] ?? 0]);
  for (const broadcast of broadcasts) {
    if (broadcast !== 0 && broadcast !== LIMITED_BROADCAST) routes.push(make(broadcast, 32, ROUTE_TYPE.BROADCAST));
  }
  return routes;
}

function isSame(a: RouteEntry | undefined, b: RouteEntry): boolean {
  if (a === undefined || a.type !== b.type || a.priority !== b.priority) return false;
  return a.nextHops[0]?.ifindex === b.nextHops[0]?.ifindex && a.preferredSource?.[3] === b.preferredSource?.[3];
}
