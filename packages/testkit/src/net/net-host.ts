import type { AddressOptions, NetDevice, Owner, RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY, Addresses, DeviceKind, Devices, DeviceTraffic, NetError, ROUTE_TYPE, RouteTables } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import type { IpPrefix } from '@softnet/wire';
import { parseAddress, parsePrefix } from '@softnet/wire';
import type { DatagramUserOptions } from './datagram-user.ts';
import { DatagramUser } from './datagram-user.ts';
import type { PingOptions, Pong } from './pinger.ts';
import { ping } from './pinger.ts';

/** RTPROT_STATIC: set by hand. */
const STATIC = 4;

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

  /** `ip route add PREFIX [via GATEWAY] [dev NAME]`. @param prefix or 'default', whose family is the gateway's. */
  addRoute(prefix: string, way: { via?: string; dev?: string }): void {
    this.kernel.port(RouteTables).current.add(this.#route(prefix, way));
  }

  removeRoute(prefix: string, way: { via?: string; dev?: string }): void {
    this.kernel.port(RouteTables).current.remove(this.#route(prefix, way));
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

  #route(prefix: string, { via, dev }: { via?: string; dev?: string }): RouteEntry {
    const gateway = via === undefined ? undefined : parseAddress(via);
    if (gateway === null) throw new NetError('EINVAL', `'${via}' is no address: write 192.0.2.1 or 2001:db8::1`);
    const all = gateway?.family === ADDRESS_FAMILY.INET6 ? '::/0' : '0.0.0.0/0';
    const { family, words, prefixLen } = parsed(prefix === 'default' ? all : prefix);
    const ifindex = dev === undefined ? 0 : this.device(dev).ifindex;
    const way = gateway === undefined ? { ifindex } : { ifindex, gateway: { family: gateway.family, address: gateway.words } };
    return { family, prefix: words, prefixLen, type: ROUTE_TYPE.UNICAST, source: STATIC, nextHops: [way] };
  }
}

function parsed(prefix: string): IpPrefix {
  const found = parsePrefix(prefix);
  if (found === null) throw new NetError('EINVAL', `'${prefix}' is no prefix: write 192.0.2.1/24 or 2001:db8::1/64`);
  return found;
}
