import type { AddressWords, InterfaceAddress, Port, Route } from '@softnet/contract';
import { ADDRESS_FLAG } from '@softnet/contract';
import type { Ipv6Conf } from '../conf.ts';
import { isUnspecified, prefixOf, solicitedNodeOf } from '../machine/address-kind.ts';
import type { AddressRoutes } from './address-routes.ts';
import type { AddressFollower } from './address-set.ts';
import type { Ipv6Link } from './ipv6-link.ts';
import type { LinkListener } from './link-listener.ts';
import { LINK_EVENT } from './link-listener.ts';

/** Links between two routers have no subnet-router anycast address (RFC 6164 §5.1). */
const MAX_SUBNET_PREFIX_LEN = 126;

export interface AnycastsHost {
  readonly conf: Ipv6Conf;
  readonly routes: AddressRoutes;
  readonly route: Port<Route>;
}

/**
 * Anycast addresses of this host (RFC 4291 §2.6): those that somebody joins, and, where it forwards, the subnet-router address of each prefix on
 * the link (§2.6.1).
 */
export class Anycasts implements LinkListener, AddressFollower {
  readonly #host: AnycastsHost;
  readonly #subnets = new WeakMap<Ipv6Link, ReadonlyMap<string, AddressWords>>();

  constructor(host: AnycastsHost) {
    this.#host = host;
  }

  /** One more wants packets to it there; counted. */
  join(link: Ipv6Link, address: AddressWords): void {
    if (!link.joinAnycast(address)) return;
    link.join(solicitedNodeOf(address));
    if (link.isUp) this.#host.routes.addAnycast(link.device, address);
    this.#host.route.current.changed();
  }

  /** One fewer does. */
  leave(link: Ipv6Link, address: AddressWords): void {
    if (!link.leaveAnycast(address)) return;
    link.leave(solicitedNodeOf(address));
    this.#host.routes.removeAnycast(link.device, address);
    this.#host.route.current.changed();
  }

  linkChanged(link: Ipv6Link, event: number): void {
    const { routes } = this.#host;
    if (event === LINK_EVENT.UP) for (const address of link.anycasts) routes.addAnycast(link.device, address);
    if (event === LINK_EVENT.DOWN) for (const address of link.anycasts) routes.removeAnycast(link.device, address);
    this.#follow(link);
  }

  addressChanged(_change: string, _address: InterfaceAddress, link: Ipv6Link): void {
    this.#follow(link);
  }

  #follow(link: Ipv6Link): void {
    const before = this.#subnets.get(link) ?? new Map<string, AddressWords>();
    const now = this.#wanted(link);
    if (before.size === 0 && now.size === 0) return;
    this.#subnets.set(link, now);
    for (const [key, address] of now) if (!before.has(key)) this.join(link, address);
    for (const [key, address] of before) if (!now.has(key)) this.leave(link, address);
  }

  #wanted(link: Ipv6Link): Map<string, AddressWords> {
    const wanted = new Map<string, AddressWords>();
    if (!link.isUp || this.#host.conf.value(link.device.ifindex, 'forwarding') === 0) return wanted;
    for (const { address, prefixLen, flags } of link.addresses) {
      if (prefixLen > MAX_SUBNET_PREFIX_LEN || (flags & ADDRESS_FLAG.DAD_FAILED) !== 0) continue;
      const subnet = prefixOf(address, prefixLen);
      if (!isUnspecified(...subnet)) wanted.set(subnet.join(), subnet);
    }
    return wanted;
  }
}
