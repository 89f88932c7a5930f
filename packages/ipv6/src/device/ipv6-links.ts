import type { DeviceListener, Dst, InterfaceAddress, NetDevice, Port, Route, SkbStep } from '@softnet/contract';
import { ADDRESS_FLAG, DEVICE_EVENT, DEVICE_FLAG, Generation, isRunning } from '@softnet/contract';
import type { Ipv6Conf } from '../conf.ts';
import { isLinkLocal } from '../machine/address-kind.ts';
import { ORIGIN, stateOf } from '../machine/address-state.ts';
import { isUsable } from '../machine/address-use.ts';
import { IPV6_MIN_MTU } from '../machine/output.ts';
import type { Links } from '../machine/surroundings.ts';
import type { AddressIndex } from './address-index.ts';
import type { AddressRoutes } from './address-routes.ts';
import type { AddressFollower, AddressSet } from './address-set.ts';
import type { OwnGroups } from './ipv6-link.ts';
import { Ipv6Link } from './ipv6-link.ts';
import type { LinkListener } from './link-listener.ts';
import { LINK_EVENT } from './link-listener.ts';

/** What devices need of the module. */
export interface Ipv6LinksHost {
  readonly index: AddressIndex;
  readonly set: AddressSet;
  readonly routes: AddressRoutes;
  readonly route: Port<Route>;
  readonly prepare: (dst: Dst) => void;
  readonly discard: SkbStep;
  readonly conf: Ipv6Conf;
  readonly groups: () => OwnGroups;
}

/** Devices that IPv6 is on. */
export class Ipv6Links implements Links, DeviceListener, AddressFollower {
  readonly #host: Ipv6LinksHost;
  readonly #links = new Map<number, Ipv6Link>();
  readonly #generation = new Generation();
  /** Replaced whole. */
  #listeners: readonly LinkListener[] = [];
  /** Of one that is being told that it is up: it is not ready before all know that. */
  #rising: Ipv6Link | null = null;

  constructor(host: Ipv6LinksHost) {
    this.#host = host;
  }

  /** Told of all that becomes of links from now on, after those that were named before it. */
  listen(listener: LinkListener): void {
    this.#listeners = [...this.#listeners, listener];
  }

  // What the packet's way asks.

  of(ifindex: number): Ipv6Link | null {
    return this.#links.get(ifindex) ?? null;
  }

  get all(): IterableIterator<Ipv6Link> {
    return this.#links.values();
  }

  get addresses(): readonly InterfaceAddress[] {
    return this.#host.index.all;
  }

  find(word0: number, word1: number, word2: number, word3: number, ifindex: number): InterfaceAddress | null {
    return this.#host.index.find(word0, word1, word2, word3, ifindex);
  }

  /** IPv6 is on the device from now on, if it was not. */
  begin(device: NetDevice): Ipv6Link {
    const known = this.#links.get(device.ifindex);
    if (known !== undefined) return known;
    const { prepare, discard, conf, groups } = this.#host;
    const link = new Ipv6Link(device, this.#generation, discard, prepare, groups());
    link.joinAsNode();
    link.beRouter(conf.value(device.ifindex, 'forwarding') !== 0);
    this.#links.set(device.ifindex, link);
    this.#tell(link, LINK_EVENT.BEGIN);
    return link;
  }

  /** It has addresses of the last generation, with their routes: it is up if its device is. */
  resumed(link: Ipv6Link): void {
    link.isUp = (link.device.flags & DEVICE_FLAG.UP) !== 0;
  }

  /** Layers have come or gone: routes that another generation took along are made again. Work of a poll. */
  refresh(): number {
    for (const link of this.#links.values()) {
      if (!link.isUp) continue;
      this.#host.routes.addGroups(link.device);
      this.#host.set.reroute(link);
      for (const { prefix, prefixLen } of link.onLink) this.#host.routes.followPrefix(link, prefix, prefixLen);
    }
    return 0;
  }

  addressChanged(_change: string, _address: InterfaceAddress, link: Ipv6Link): void {
    this.#lookReady(link);
  }

  // DeviceListener.

  deviceChanged(device: NetDevice, event: number): void {
    const isFit = this.#isFit(device);
    if (event === DEVICE_EVENT.UNREGISTER) this.#end(device);
    else if (event === DEVICE_EVENT.MTU) this.#resized(device, isFit);
    else if (event === DEVICE_EVENT.REGISTER && isFit) this.begin(device);
    else if (event === DEVICE_EVENT.UP && isFit) this.#up(this.begin(device));
    else if (event === DEVICE_EVENT.DOWN) this.#down(device);
    else if (event === DEVICE_EVENT.ADDRESS) this.#renewed(device);
    const link = this.#links.get(device.ifindex);
    if (link === undefined) return;
    this.#host.set.searches.carrierChanged(link);
    this.#lookReady(link);
  }

  /** `forwarding` of the device was set: routers are in a group of their own (RFC 4291 §2.8). */
  forwardingChanged(device: NetDevice, on: boolean): void {
    const link = this.#links.get(device.ifindex);
    if (link === undefined) return;
    link.beRouter(on);
    this.#tell(link, LINK_EVENT.FORWARDING);
  }

  /** `disable_ipv6` was set. @param device null: for all. */
  disableChanged(device: NetDevice | null, devices: readonly NetDevice[]): void {
    for (const each of device === null ? devices : [device]) this.#resized(each, this.#isFit(each));
  }

  /** The layer stops. @param succeeded another generation is there, and has the devices' routes. */
  close(succeeded: boolean): void {
    for (const link of this.#links.values()) {
      if (!link.isUp || succeeded) continue;
      this.#forgetOnLink(link);
      this.#host.routes.removeGroups(link.device);
    }
    this.#links.clear();
  }

  /** Below 1280 there is no IPv6 (RFC 8200 §5). */
  #isFit({ mtuBytes, ifindex }: NetDevice): boolean {
    return mtuBytes >= IPV6_MIN_MTU && this.#host.conf.value(ifindex, 'disable_ipv6') === 0;
  }

  #up(link: Ipv6Link): void {
    if (link.isUp) return;
    link.isUp = true;
    this.#host.routes.addGroups(link.device);
    this.#rising = link;
    this.#host.set.resume(link);
    this.#tell(link, LINK_EVENT.UP);
    this.#rising = null;
    this.#host.route.current.changed();
    this.#lookReady(link);
  }

  /** As Linux does it: addresses go with the link, unless `keep_addr_on_down` says otherwise; those that nobody gave by hand for good go anyhow. */
  #down(device: NetDevice): void {
    const link = this.#links.get(device.ifindex);
    if (link === undefined || !link.isUp) return;
    const { conf, routes, set } = this.#host;
    this.#tell(link, LINK_EVENT.DOWN);
    const keeps = conf.value(device.ifindex, 'keep_addr_on_down') !== 0;
    for (const address of [...link.addresses]) if (!keeps || !isForGood(address)) set.take(address);
    link.isUp = false;
    link.isReady = false;
    set.suspend(link);
    this.#forgetOnLink(link);
    routes.removeGroups(device);
    this.#host.route.current.changed();
  }

  #end(device: NetDevice): void {
    const link = this.#links.get(device.ifindex);
    if (link === undefined) return;
    const { set, routes } = this.#host;
    if (link.isUp) this.#tell(link, LINK_EVENT.DOWN);
    for (const address of [...link.addresses]) set.take(address);
    if (link.isUp) routes.removeGroups(device);
    link.isUp = false;
    link.isReady = false;
    this.#forgetOnLink(link);
    set.searches.linkGone(link);
    this.#links.delete(device.ifindex);
    this.#tell(link, LINK_EVENT.END);
    this.#host.route.current.changed();
  }

  #forgetOnLink(link: Ipv6Link): void {
    const { onLink } = link;
    link.onLink = [];
    for (const { prefix, prefixLen } of onLink) this.#host.routes.followPrefix(link, prefix, prefixLen);
  }

  #resized(device: NetDevice, isFit: boolean): void {
    if (!isFit) {
      this.#end(device);
      return;
    }
    const link = this.begin(device);
    link.dst.mtuBytes = device.mtuBytes;
    if ((device.flags & DEVICE_FLAG.UP) !== 0) this.#up(link);
  }

  /** Another link address: another link-local address, and who has the others is told of it. */
  #renewed(device: NetDevice): void {
    const link = this.#links.get(device.ifindex);
    if (link === undefined || !link.isUp || (device.flags & DEVICE_FLAG.LOOPBACK) !== 0) return;
    const { set } = this.#host;
    for (const address of [...link.addresses]) {
      if (stateOf(address).origin === ORIGIN.LINK && isLinkLocal(address.address[0])) set.take(address);
    }
    this.#tell(link, LINK_EVENT.ADDRESS);
    for (const address of link.addresses) if (isUsable(address)) set.searches.announce(link, address);
  }

  #lookReady(link: Ipv6Link): void {
    if (this.#rising === link) return;
    const has = link.addresses.some((each) => isLinkLocal(each.address[0]) && isUsable(each) && each.holdNext !== null);
    const isReady = link.isUp && isRunning(link.device) && has;
    if (link.isReady === isReady) return;
    link.isReady = isReady;
    if (isReady) this.#tell(link, LINK_EVENT.READY);
  }

  #tell(link: Ipv6Link, event: number): void {
    for (const listener of this.#listeners) listener.linkChanged(link, event);
  }
}

/** Given by hand, and without an end. */
function isForGood(address: InterfaceAddress): boolean {
  return stateOf(address).origin === ORIGIN.HAND && (address.flags & ADDRESS_FLAG.PERMANENT) !== 0;
}
