import type { AddressOptions, NetDevice, Owner } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  Addresses,
  DeviceKind,
  Devices,
  DeviceTraffic,
  NeighbourTable,
  NetError,
  NextHops,
  RouteTables,
  RoutingRules,
} from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import type { DatagramUserOptions } from './datagram-user.ts';
import { DatagramUser } from './datagram-user.ts';
import type { PingOptions, Pong } from './pinger.ts';
import { ping } from './pinger.ts';
import type { NextHopWords, RouteWords, RuleWords } from './routing-words.ts';
import { nextHopOf, parsed, routeOf, ruleOf } from './routing-words.ts';
import { addressesSettled } from './settled-addresses.ts';

/** A kernel as who configures it sees it: the words of `ip`, without netlink. */
export class NetHost implements Owner {
  readonly kernel: Kernel;
  /** As an owner of what it configures. */
  readonly name = 'ip';

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get devices(): readonly NetDevice[] {
    return this.kernel.port(DeviceTraffic).current.all();
  }

  /** @throws NetError ENODEV. */
  device(name: string): NetDevice {
    const device = this.kernel.port(DeviceTraffic).current.byName(name);
    if (device !== null) return device;
    const names = this.devices.map((each) => each.name).join(', ') || 'none';
    throw new NetError('ENODEV', `there is no device '${name}'; there are: ${names}`);
  }

  /** `ip link add NAME type KIND`. Rejects with a NetError. */
  async addDevice(kind: string, name: string, options: object = {}): Promise<NetDevice> {
    const kinds = this.kernel.contributions(DeviceKind).items;
    const found = kinds.findLast((each) => each.kind === kind);
    if (found !== undefined) return await found.create(name, options, this);
    throw new NetError(
      'EOPNOTSUPP',
      `no module makes devices of kind '${kind}'; there are: ${kinds.map((each) => each.kind).join(', ') || 'none'}`,
    );
  }

  /** `ip link set NAME up`. */
  up(name: string): void {
    this.kernel.port(Devices).current.open(this.device(name));
  }

  down(name: string): void {
    this.kernel.port(Devices).current.close(this.device(name));
  }

  /** `ip addr add PREFIX dev NAME`. */
  addAddress(name: string, prefix: string, options: AddressOptions = {}): void {
    const { family, words, prefixLen } = parsed(prefix);
    this.#addresses(family).add(this.device(name), words, prefixLen, this, options);
  }

  /** `ip addr change PREFIX dev NAME`. */
  changeAddress(name: string, prefix: string, options: AddressOptions): void {
    const { family, words, prefixLen } = parsed(prefix);
    this.#addresses(family).change(this.device(name), words, prefixLen, options);
  }

  removeAddress(name: string, prefix: string): void {
    const { family, words, prefixLen } = parsed(prefix);
    this.#addresses(family).remove(this.device(name), words, prefixLen);
  }

  /** When no address is tentative any more: {@link addressesSettled}. */
  addressesSettled(limitMs?: number): Promise<void> {
    return addressesSettled(this.kernel, limitMs);
  }

  /** `ip route add PREFIX [via GATEWAY] [dev NAME] ...`. @param prefix or 'default', whose family is the gateway's. @throws NetError */
  addRoute(prefix: string, words: RouteWords): void {
    this.kernel.port(RouteTables).current.add(routeOf(this, prefix, words));
  }

  removeRoute(prefix: string, words: RouteWords): void {
    this.kernel.port(RouteTables).current.remove(routeOf(this, prefix, words));
  }

  /** `ip rule add ...`. @throws NetError EEXIST, EINVAL. */
  addRule(words: RuleWords): void {
    this.kernel.port(RoutingRules).current.add(ruleOf(words));
  }

  /** The first of its priority and table. @throws NetError ENOENT. */
  removeRule(words: RuleWords): void {
    this.kernel.port(RoutingRules).current.remove(ruleOf(words));
  }

  /** `ip nexthop add id N ...`, or `replace` where it is there. @throws NetError */
  setNextHop(id: number, words: NextHopWords): void {
    this.kernel.port(NextHops).current.replace(nextHopOf(this, id, words));
  }

  /** `ip nexthop del id N`. @throws NetError ENOENT. */
  removeNextHop(id: number): void {
    this.kernel.port(NextHops).current.remove(id);
  }

  /** `ip neigh add proxy ADDRESS dev NAME`: this host answers for it there. */
  addProxy(name: string, address: string): void {
    const { family, words } = parsed(address);
    this.kernel.port(NeighbourTable).current.addProxy(this.device(name), family, words);
  }

  /** `ip link set NAME mtu BYTES`. */
  setMtu(name: string, mtuBytes: number): void {
    this.kernel.port(Devices).current.setMtu(this.device(name), mtuBytes);
  }

  /** @param family Default: INET6, which takes IPv4 flows too. */
  open(options: Partial<DatagramUserOptions> = {}): DatagramUser {
    return new DatagramUser(this.kernel, { name: 'program', family: ADDRESS_FAMILY.INET6, ...options });
  }

  /** Sends one echo request. Rejects with ETIMEDOUT, EHOSTUNREACH ... */
  ping(address: string, options: PingOptions = {}): Promise<Pong> {
    return ping(this.kernel, address, options);
  }

  #addresses(family: number): Addresses {
    const found = this.kernel.contributions(Addresses).items.findLast((each) => each.family === family);
    if (found !== undefined) return found;
    throw new NetError(
      'EAFNOSUPPORT',
      `no module keeps addresses of ${family === ADDRESS_FAMILY.INET ? 'IPv4: load ipv4' : 'IPv6: load ipv6'}`,
    );
  }
}
