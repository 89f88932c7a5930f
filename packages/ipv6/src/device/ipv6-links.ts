import type { Addresses, AddressWords, DeviceListener, Dst, NetDevice, Objects, Owner, Port, Route, SkbStep } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  ADDRESS_FLAG,
  ADDRESS_SCOPE,
  DEVICE_EVENT,
  DEVICE_FLAG,
  Generation,
  InterfaceAddress,
  NetError,
} from '@softnet/contract';
import { formatIpv6 } from '@softnet/wire';
import type { Ipv6Conf } from '../conf.ts';
import {
  ALL_NODES,
  ALL_ROUTERS,
  isLinkLocal,
  isLoopback,
  isSame,
  LOOPBACK,
  SOLICITED_NODE,
  solicitedNodeWord3,
} from '../machine/address-kind.ts';
import { linkLocalOf } from '../machine/interface-identifier.ts';
import { IPV6_MIN_MTU } from '../machine/output.ts';
import type { Links } from '../machine/surroundings.ts';
import { refused, unfit } from './address-checks.ts';
import { AddressIndex } from './address-index.ts';
import type { AddressRoutes } from './address-routes.ts';
import { Ipv6Link } from './ipv6-link.ts';

/** What devices and addresses need of the module. */
export interface Ipv6LinksHost {
  readonly objects: Objects<InterfaceAddress>;
  readonly routes: AddressRoutes;
  readonly route: Port<Route>;
  /** Of addresses that nobody asked for: ::1, fe80::. */
  readonly owner: Owner;
  readonly prepare: (dst: Dst) => void;
  readonly discard: SkbStep;
  readonly conf: Ipv6Conf;
}

/** Devices that IPv6 is on, and the addresses of this host. */
export class Ipv6Links implements Links, DeviceListener, Addresses {
  readonly family = ADDRESS_FAMILY.INET6;
  readonly #host: Ipv6LinksHost;
  readonly #links = new Map<number, Ipv6Link>();
  readonly #index = new AddressIndex();
  readonly #generation = new Generation();

  constructor(host: Ipv6LinksHost) {
    this.#host = host;
  }

  // What the packet's way asks.

  of(ifindex: number): Ipv6Link | null {
    return this.#links.get(ifindex) ?? null;
  }

  get addresses(): readonly InterfaceAddress[] {
    return this.#index.all;
  }

  find(word0: number, word1: number, word2: number, word3: number, ifindex: number): InterfaceAddress | null {
    return this.#index.find(word0, word1, word2, word3, ifindex);
  }

  // Addresses.

  add(device: NetDevice, address: AddressWords, prefixLen: number, owner: Owner): InterfaceAddress {
    const text = `${formatIpv6(...address)}/${prefixLen}`;
    if (device.ifindex === 0) throw refused('ENODEV', text, device, 'that device is not registered');
    const why = unfit(device, address, prefixLen);
    if (why !== null) throw refused('EINVAL', text, device, why);
    const link = this.#links.get(device.ifindex) ?? this.#begin(device);
    if (link.addresses.some((each) => isSame(each.address, ...address))) {
      throw refused('EEXIST', text, device, 'it has that address already: remove it first to change its prefix');
    }
    return this.#give(link, address, prefixLen, ADDRESS_FLAG.PERMANENT, owner);
  }

  change(): InterfaceAddress {
    throw new NetError('EOPNOTSUPP', 'lifetimes and flags of addresses cannot be changed yet', { syscall: 'address' });
  }

  remove(device: NetDevice, address: AddressWords, prefixLen: number): void {
    const known = this.#links
      .get(device.ifindex)
      ?.addresses.find((each) => each.prefixLen === prefixLen && isSame(each.address, ...address));
    if (known === undefined) {
      const text = `${formatIpv6(...address)}/${prefixLen}`;
      throw new NetError('EADDRNOTAVAIL', `${device.name} has no address ${text}: see which it has`, { syscall: 'address' });
    }
    this.take(known);
  }

  /** It ends, with its routes and its group. */
  take(address: InterfaceAddress): void {
    const link = this.#links.get(address.device.ifindex);
    if (link !== undefined) {
      const index = link.addresses.indexOf(address);
      if (index >= 0) link.addresses.splice(index, 1);
      if (link.isUp) this.#host.routes.remove(address, link.addresses);
      link.leave(solicitedNodeOf(address));
    }
    this.#index.remove(address);
    if (address.holdNext !== null) this.#host.objects.release(address);
    this.#host.route.current.changed();
  }

  // Hand-over: see the kind's spec in the module.

  /** The address is this generation's now; its routes are there. */
  settle(address: InterfaceAddress): void {
    const link = this.#links.get(address.device.ifindex) ?? this.#begin(address.device);
    const again = link.addresses.find((each) => isSame(each.address, ...address.address));
    if (again !== undefined) {
      // The device was seen first, and was given its own address.
      this.#index.remove(again);
      link.addresses.splice(link.addresses.indexOf(again), 1);
      link.leave(solicitedNodeOf(again));
      this.#host.objects.release(again);
    }
    link.isUp = (address.device.flags & DEVICE_FLAG.UP) !== 0;
    this.#put(link, address);
  }

  /** The next generation has it, and its routes. Those inside go on by this one, and know it still. */
  left(): void {
    this.#host.routes.retire();
  }

  /** Layers have come or gone: routes that another generation took along are made again. Work of a poll. */
  refresh(): number {
    for (const { device, isUp, addresses } of this.#links.values()) {
      if (!isUp) continue;
      this.#host.routes.addGroups(device);
      for (const address of addresses) this.#host.routes.add(address);
    }
    return 0;
  }

  // DeviceListener.

  deviceChanged(device: NetDevice, event: number): void {
    const isFit = device.mtuBytes >= IPV6_MIN_MTU;
    if (event === DEVICE_EVENT.UNREGISTER) this.#end(device);
    else if (event === DEVICE_EVENT.MTU) this.#resized(device, isFit);
    else if (event === DEVICE_EVENT.REGISTER && isFit) this.#begin(device);
    else if (event === DEVICE_EVENT.UP && isFit) this.#up(this.#begin(device));
    else if (event === DEVICE_EVENT.DOWN) this.#down(device);
    else if (event === DEVICE_EVENT.ADDRESS) this.#renewed(device);
  }

  /** `forwarding` of the device was set: routers are in a group of their own (RFC 4291 §2.8). */
  forwardingChanged(device: NetDevice, on: boolean): void {
    const link = this.#links.get(device.ifindex);
    if (on) link?.join(ALL_ROUTERS);
    else link?.leave(ALL_ROUTERS);
  }

  /** The layer stops. @param succeeded another generation is there, and has the devices' routes. */
  close(succeeded: boolean): void {
    for (const { device, isUp } of this.#links.values()) if (isUp && !succeeded) this.#host.routes.removeGroups(device);
    this.#links.clear();
  }

  #begin(device: NetDevice): Ipv6Link {
    const known = this.#links.get(device.ifindex);
    if (known !== undefined) return known;
    const { prepare, discard, conf } = this.#host;
    const link = new Ipv6Link(device, this.#generation, discard, prepare);
    link.join(ALL_NODES);
    if (conf.value(device.ifindex, 'forwarding') !== 0) link.join(ALL_ROUTERS);
    this.#links.set(device.ifindex, link);
    return link;
  }

  #up(link: Ipv6Link): void {
    const { device } = link;
    const wasUp = link.isUp;
    link.isUp = true;
    this.#host.routes.addGroups(device);
    if (!wasUp) for (const address of link.addresses) this.#host.routes.add(address);
    if ((device.flags & DEVICE_FLAG.LOOPBACK) !== 0) this.#giveOwn(link, LOOPBACK, 128);
    else this.#giveLinkLocal(link);
    this.#host.route.current.changed();
  }

  /** Stateless addresses of the link itself (RFC 4862 §5.3), by EUI-64. */
  #giveLinkLocal(link: Ipv6Link): void {
    const address = linkLocalOf(link.device.address);
    if (address !== null) this.#giveOwn(link, address, 64);
  }

  #giveOwn(link: Ipv6Link, address: AddressWords, prefixLen: number): void {
    // Of two generations the newer has it; one that leaves gives none.
    if (!this.#host.objects.open || link.addresses.some((each) => isSame(each.address, ...address))) return;
    this.#give(link, address, prefixLen, 0, this.#host.owner);
  }

  /** As Linux does it: addresses go with the link, unless `keep_addr_on_down` says otherwise; those that are the link's own go anyhow. */
  #down(device: NetDevice): void {
    const link = this.#links.get(device.ifindex);
    if (link === undefined || !link.isUp) return;
    const { conf, routes } = this.#host;
    const keeps = conf.value(device.ifindex, 'keep_addr_on_down') !== 0;
    for (const address of [...link.addresses]) if (!keeps || isOwn(address)) this.take(address);
    for (const address of link.addresses) routes.remove(address, []);
    routes.removeGroups(device);
    link.isUp = false;
    this.#host.route.current.changed();
  }

  #end(device: NetDevice): void {
    const link = this.#links.get(device.ifindex);
    if (link === undefined) return;
    for (const address of [...link.addresses]) this.take(address);
    if (link.isUp) this.#host.routes.removeGroups(device);
    this.#links.delete(device.ifindex);
  }

  /** Below 1280 there is no IPv6 (RFC 8200 §5). */
  #resized(device: NetDevice, isFit: boolean): void {
    if (!isFit) {
      this.#end(device);
      return;
    }
    const link = this.#begin(device);
    link.dst.mtuBytes = device.mtuBytes;
    if ((device.flags & DEVICE_FLAG.UP) !== 0 && !link.isUp) this.#up(link);
  }

  /** Another link address: another link-local address. */
  #renewed(device: NetDevice): void {
    const link = this.#links.get(device.ifindex);
    if (link === undefined || !link.isUp || (device.flags & DEVICE_FLAG.LOOPBACK) !== 0) return;
    for (const address of [...link.addresses]) if (isOwn(address) && isLinkLocal(address.address[0])) this.take(address);
    this.#giveLinkLocal(link);
  }

  #give(link: Ipv6Link, address: AddressWords, prefixLen: number, flags: number, owner: Owner): InterfaceAddress {
    const given = new InterfaceAddress(ADDRESS_FAMILY.INET6, link.device, address, prefixLen);
    given.scope = isLoopback(...address) ? ADDRESS_SCOPE.HOST : isLinkLocal(address[0]) ? ADDRESS_SCOPE.LINK : ADDRESS_SCOPE.UNIVERSE;
    given.flags = flags;
    this.#host.objects.hold(given, owner, 'ipv6.address');
    this.#put(link, given);
    if (link.isUp) this.#host.routes.add(given);
    this.#host.route.current.changed();
    return given;
  }

  #put(link: Ipv6Link, address: InterfaceAddress): void {
    link.addresses.push(address);
    link.join(solicitedNodeOf(address));
    this.#index.add(address);
  }
}

/** Made by the link coming up, by nobody's hand. */
function isOwn({ flags }: InterfaceAddress): boolean {
  return (flags & ADDRESS_FLAG.PERMANENT) === 0;
}

function solicitedNodeOf({ address }: InterfaceAddress): AddressWords {
  return [SOLICITED_NODE[0], SOLICITED_NODE[1], SOLICITED_NODE[2], solicitedNodeWord3(address[3])];
}
