import type { DeviceTraffic, NetDevice, NextHop, Port } from '@softnet/contract';
import { ADDRESS_FAMILY, NetError, ROUTE_TYPE } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';
import { isLinkLocal } from './destination.ts';
import type { HopSpec } from './hop.ts';
import type { RouteAlias } from './route-alias.ts';
import type { CheckedEntry } from './route-checks.ts';
import type { RuleBook } from './rules.ts';

type Gateway = NonNullable<NextHop['gateway']>;

/** Next hops as they are configured, made into what the registry of hops takes: devices found, gateways checked. */
export class HopSpecs {
  readonly #book: RuleBook;
  readonly #traffic: Port<DeviceTraffic>;

  constructor(book: RuleBook, traffic: Port<DeviceTraffic>) {
    this.#book = book;
    this.#traffic = traffic;
  }

  /** @param trusted gateways are as they were checked before. @throws NetError ENODEV, ENETUNREACH, EINVAL. */
  of(entry: CheckedEntry, trusted: boolean): HopSpec[] {
    if (entry.type === ROUTE_TYPE.LOCAL && entry.nextHops.length === 0) return [spec(entry, null, null)];
    return entry.nextHops.map((hop) => {
      const device = this.#deviceOf(hop);
      if (hop.gateway !== undefined && !trusted) this.#checkGateway(hop.gateway, device);
      return spec(entry, device, hop);
    });
  }

  #deviceOf({ ifindex, gateway }: NextHop): NetDevice {
    const device = this.#traffic.current.byIndex(ifindex);
    if (device !== null) return device;
    const by = ifindex === 0 && gateway !== undefined ? this.#linkOf(gateway, 0) : null;
    if (by?.hop.spec.device) return by.hop.spec.device;
    if (ifindex !== 0) throw new NetError('ENODEV', `there is no device with the index ${ifindex}`, { syscall: 'route' });
    const way = gateway === undefined ? 'names no device' : `goes via ${textOf(gateway)}, which is on no link`;
    throw new NetError(gateway === undefined ? 'ENODEV' : 'ENETUNREACH', `the route ${way}: say which by dev`, { syscall: 'route' });
  }

  #checkGateway(gateway: Gateway, device: NetDevice): void {
    const { family, address } = gateway;
    if (family === ADDRESS_FAMILY.INET6 && isLinkLocal(address[0])) return;
    const by = this.#linkOf(gateway, device.ifindex);
    if (by?.alias.info.type === ROUTE_TYPE.LOCAL) {
      throw new NetError('EINVAL', `the gateway ${textOf(gateway)} is an address of this host: name the next router`, { syscall: 'route' });
    }
    if (by?.alias.info.type === ROUTE_TYPE.UNICAST && by.hop.spec.gatewayFamily === 0) return;
    const advice = `give ${device.name} an address of its network first, or add a route to it`;
    throw new NetError('ENETUNREACH', `the gateway ${textOf(gateway)} is not on the link of ${device.name}: ${advice}`, {
      syscall: 'route',
    });
  }

  /** The route and next hop that lead to a gateway, whether or not the device is up. */
  #linkOf({ family, address }: Gateway, ifindex: number): { readonly alias: RouteAlias; readonly hop: { readonly spec: HopSpec } } | null {
    for (const table of this.#book.of(family).order) {
      for (let chain = table.first(...address); chain !== null; chain = table.next()) {
        for (let alias: RouteAlias | null = chain; alias !== null; alias = alias.next) {
          const hop = alias.info.hops.find((each) => ifindex === 0 || each.ifindex === ifindex || each.ifindex === 0);
          if (hop !== undefined) return { alias, hop };
        }
      }
    }
    return null;
  }
}

function spec({ family, type, metrics, realms = 0 }: CheckedEntry, device: NetDevice | null, hop: NextHop | null): HopSpec {
  return {
    ...{ family, type, device, realms },
    gatewayFamily: hop?.gateway?.family ?? 0,
    gateway: hop?.gateway?.address ?? [0, 0, 0, 0],
    encap: hop?.encap ?? null,
    metrics: metrics === undefined ? null : metrics.slice(),
  };
}

function textOf({ family, address }: Gateway): string {
  return formatAddress(family, ...address);
}
