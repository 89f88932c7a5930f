import type { AddressWords, Poll } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import type { Ipv6Link } from '../device/ipv6-link.ts';
import { solicitedNodeOf } from '../machine/address-kind.ts';
import type { Surroundings } from '../machine/surroundings.ts';

export interface ProxyGroupsHost {
  readonly around: Pick<Surroundings, 'conf' | 'neighbours' | 'current'>;
  readonly links: { readonly all: Iterable<Ipv6Link> };
  /** Has {@link ProxyGroups.look} called soon: many may come at once. */
  readonly poll: (look: () => number) => Poll;
}

interface Membership {
  readonly link: Ipv6Link;
  readonly group: AddressWords;
}

/**
 * Whoever answers for others must hear what is asked of them (RFC 4861 §7.2.8): the solicited-node groups of proxied addresses are joined
 * where they are answered for, so that devices and snooping switches let the solicitations in. Linux's `pndisc_constructor`.
 */
export class ProxyGroups {
  readonly #host: ProxyGroupsHost;
  readonly #poll: Poll;
  /** By link and group. */
  #joined: ReadonlyMap<string, Membership> = new Map();

  constructor(host: ProxyGroupsHost) {
    this.#host = host;
    this.#poll = host.poll(() => this.look());
  }

  /** Proxied addresses, links or settings are others. */
  changed(): void {
    this.#poll.raise();
  }

  /** IPv6 is on the link no more. */
  linkEnded(link: Ipv6Link): void {
    this.#joined = new Map([...this.#joined].filter(([, each]) => each.link !== link));
  }

  /** Joins and leaves what is missing and what is too many. Work of a poll. */
  look(): number {
    const before = this.#joined;
    const now = this.#wanted();
    this.#joined = now;
    for (const [key, { link, group }] of now) if (!before.has(key)) link.join(group);
    for (const [key, { link, group }] of before) if (!now.has(key)) link.leave(group);
    return 0;
  }

  #wanted(): Map<string, Membership> {
    const { links, around } = this.#host;
    const { conf, neighbours, current } = around;
    const wanted = new Map<string, Membership>();
    const caller = current.id;
    current.id = neighbours.owner;
    const proxies = neighbours.current.proxies(ADDRESS_FAMILY.INET6);
    current.id = caller;
    if (proxies.length === 0) return wanted;
    for (const link of links.all) {
      const { ifindex } = link.device;
      if (conf.value(ifindex, 'proxy_ndp') === 0 || conf.value(ifindex, 'forwarding') === 0) continue;
      for (const { device, address } of proxies) {
        if (device !== null && device !== link.device) continue;
        const group = solicitedNodeOf(address);
        wanted.set(`${ifindex} ${group[3]}`, { link, group });
      }
    }
    return wanted;
  }
}
