import type { DeviceTraffic, NetDevice, NextHop, NextHopObject, Port } from '@softnet/contract';
import { ADDRESS_FAMILY, NetError, ROUTE_SCOPE, ROUTE_TYPE } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';
import { isLinkLocal } from './destination.ts';
import type { HopSpec } from './hop.ts';
import type { RouteAlias } from './route-alias.ts';
import type { CheckedEntry } from './route-checks.ts';
import type { RuleBook } from './rules.ts';
import { TABLE } from './rules.ts';

type Gateway = NonNullable<NextHop['gateway']>;

/** What a gateway is checked for. */
interface Asker {
  readonly family: number;
  readonly scope: number;
  /** Asked before those of the rules, behind that of this host. */
  readonly table: number;
}

/** Next hops as they are configured, made into what the registry of hops takes: devices found, gateways checked. */
export class HopSpecs {
  readonly #book: RuleBook;
  readonly #traffic: Port<DeviceTraffic>;
  readonly #hopsFor: (id: number, family: number) => readonly NextHop[];

  /** @param hopsFor the ways of a next-hop object for routes of a family. */
  constructor(book: RuleBook, traffic: Port<DeviceTraffic>, hopsFor: (id: number, family: number) => readonly NextHop[]) {
    this.#book = book;
    this.#traffic = traffic;
    this.#hopsFor = hopsFor;
  }

  /** @param trusted gateways are as they were checked before. @throws NetError ENODEV, ENETUNREACH, EINVAL. */
  of(entry: CheckedEntry, trusted: boolean): HopSpec[] {
    const { type, nextHops, nextHopId } = entry;
    if (nextHopId !== 0) return this.ofObject(entry, this.#hopsFor(nextHopId, entry.family));
    if (type === ROUTE_TYPE.LOCAL && nextHops.length === 0) return [spec(entry, null, null)];
    return nextHops.map((hop) => spec(entry, this.#checked(entry, hop, trusted), hop));
  }

  /** What the ways of a next-hop object are to routes like this. */
  ofObject(like: SpecLike, hops: readonly NextHop[]): HopSpec[] {
    return hops.map((hop) => spec(like, this.#traffic.current.byIndex(hop.ifindex), hop));
  }

  /** A hop of a next-hop object, its device found, its gateway checked. */
  ofHop({ family }: NextHopObject, hop: NextHop, trusted: boolean): NextHop {
    const device = this.#checked({ family, scope: ROUTE_SCOPE.UNIVERSE, table: 0 }, hop, trusted);
    return { ...hop, ifindex: device.ifindex };
  }

  #checked(asker: Asker, hop: NextHop, trusted: boolean): NetDevice {
    const device = this.#deviceOf(asker, hop);
    if (hop.gateway !== undefined && !trusted) this.#checkGateway(asker, hop, hop.gateway, device);
    return device;
  }

  #deviceOf(asker: Asker, { ifindex, gateway, onLink }: NextHop): NetDevice {
    const device = this.#traffic.current.byIndex(ifindex);
    if (device !== null) return device;
    const by = ifindex === 0 && gateway !== undefined && !onLink ? this.#linkOf(asker, gateway, 0) : null;
    if (by?.hop.spec.device) return by.hop.spec.device;
    if (ifindex !== 0) throw new NetError('ENODEV', `there is no device with the index ${ifindex}`, { syscall: 'route' });
    const way = gateway === undefined || onLink ? 'names no device' : `goes via ${textOf(gateway)}, which is on no link`;
    throw new NetError(gateway === undefined ? 'ENODEV' : 'ENETUNREACH', `the route ${way}: say which by dev`, { syscall: 'route' });
  }

  /** A gateway is nearer than what is behind it: on the link, or said to be. Linux's `fib_check_nh`. */
  #checkGateway(asker: Asker, { onLink }: NextHop, gateway: Gateway, device: NetDevice): void {
    const { family, address } = gateway;
    if (family === ADDRESS_FAMILY.INET6 && isLinkLocal(address[0])) return;
    const by = this.#linkOf(asker, gateway, onLink ? 0 : device.ifindex);
    if (by?.alias.info.type === ROUTE_TYPE.LOCAL) {
      throw new NetError('EINVAL', `the gateway ${textOf(gateway)} is an address of this host: name the next router`, { syscall: 'route' });
    }
    if (onLink || (by?.alias.info.type === ROUTE_TYPE.UNICAST && by.hop.spec.gatewayFamily === 0)) return;
    const advice = `give ${device.name} an address of its network first, add a route to it, or say onlink`;
    throw new NetError('ENETUNREACH', `the gateway ${textOf(gateway)} is not on the link of ${device.name}: ${advice}`, {
      syscall: 'route',
    });
  }

  /**
   * The route and next hop that lead to a gateway, whether or not the device is up. Routes that reach too far do not count, as in Linux;
   * IPv6 has no scopes.
   */
  #linkOf(
    asker: Asker,
    { family, address }: Gateway,
    ifindex: number,
  ): { readonly alias: RouteAlias; readonly hop: { readonly spec: HopSpec } } | null {
    const rules = this.#book.of(family);
    if (rules.stale) rules.settle();
    const { order, tables } = rules;
    const nearest = family === ADDRESS_FAMILY.INET ? Math.max(asker.scope + 1, ROUTE_SCOPE.LINK) : 0;
    // Addresses of this host are never gateways, whatever other tables say.
    const first = [TABLE.LOCAL, ...(family === asker.family ? [asker.table] : [])];
    for (const table of [...first.flatMap((number) => tables.get(number) ?? []), ...order]) {
      for (let chain = table.first(...address); chain !== null; chain = table.next()) {
        for (let alias: RouteAlias | null = chain; alias !== null; alias = alias.next) {
          if (alias.info.scope < nearest || alias.tos !== 0) continue;
          const hop = alias.info.hops.find((each) => ifindex === 0 || each.ifindex === ifindex || each.ifindex === 0);
          if (hop !== undefined) return { alias, hop };
        }
      }
    }
    return null;
  }
}

type SpecLike = Pick<HopSpec, 'family' | 'type'> & { readonly metrics?: Int32Array | null; readonly realms?: number };

function spec({ family, type, metrics, realms = 0 }: SpecLike, device: NetDevice | null, hop: NextHop | null): HopSpec {
  return {
    ...{ family, type, device, realms },
    gatewayFamily: hop?.gateway?.family ?? 0,
    gateway: hop?.gateway?.address ?? [0, 0, 0, 0],
    onLink: hop?.onLink === true,
    encap: hop?.encap ?? null,
    metrics: metrics?.slice() ?? null,
  };
}

function textOf({ family, address }: Gateway): string {
  return formatAddress(family, ...address);
}
