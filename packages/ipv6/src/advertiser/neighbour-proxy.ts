import type { AddressWords, Clock, Skb, Timer } from '@softnet/contract';
import { ADDRESS_FAMILY, Flow, IP_PROTOCOL, NEIGHBOUR_UPDATE } from '@softnet/contract';
import { ICMPV6_TYPE, IPV6_DST, IPV6_SRC, ipv6Dst, ipv6NextHeader, readAddress } from '@softnet/wire';
import { ALL_NODES, isMulticast, isUnspecified } from '../machine/address-kind.ts';
import { beginIcmpFlow } from '../machine/flow-of.ts';
import type { NeighbourSender } from '../machine/neighbour-sender.ts';
import type { Ipv6Reason } from '../machine/reasons.ts';
import type { Link, Links, Surroundings } from '../machine/surroundings.ts';
import { linkLocalOf } from '../router/nd-sender.ts';
import type { NdMessage } from '../wire/neighbour-message.ts';
import { NA_FLAG, ND_TARGET } from '../wire/neighbour-message.ts';
import { ND_OPTION } from '../wire/neighbour-option.ts';

/** Answers that wait: Linux's `proxy_qlen`. Beyond it they are sent at once. */
const MAX_WAITING = 64;
/** Linux's unit of `proxy_delay`, µs. */
const TICK_US = 10_000;

export interface NeighbourProxyHost {
  readonly around: Surroundings;
  readonly links: Links;
  readonly sender: NeighbourSender;
  readonly clock: Clock;
  readonly timer: (fire: () => void) => Timer;
  /** `net.ipv6.neigh.default.proxy_delay`. */
  readonly delayTicks: { readonly value: number };
}

interface Answer {
  readonly ifindex: number;
  readonly target: AddressWords;
  /** Unspecified: all nodes. */
  readonly asker: AddressWords;
  readonly dueUs: number;
}

/** A router answers for hosts that others cannot hear (RFC 4861 §7.2.8): later than they would, and overriding nothing. */
export class NeighbourProxy {
  readonly #host: NeighbourProxyHost;
  readonly #timer: Timer;
  readonly #flow = new Flow();
  #waiting: readonly Answer[] = [];

  constructor(host: NeighbourProxyHost) {
    this.#host = host;
    this.#timer = host.timer(() => this.#fire());
  }

  /** A sound solicitation for an address that is not ours. Null: it is answered, now or soon. Does not take it. */
  asked(skb: Skb, link: Link, { sourceLinkAddress }: NdMessage): Ipv6Reason | null {
    const { view, bytes } = skb.memory;
    const { device } = link;
    const target = readAddress(view, skb.transport + ND_TARGET, ADDRESS_FAMILY.INET6);
    if (!this.#isAnswered(device.ifindex, target)) return 'nd.not-ours';
    const asker = readAddress(view, skb.network + IPV6_SRC, ADDRESS_FAMILY.INET6);
    if (sourceLinkAddress >= 0) this.#learn(link, asker, bytes, sourceLinkAddress);
    const { clock, around, delayTicks } = this.#host;
    const withinUs = delayTicks.value * TICK_US;
    // Who asks just this host has heard it before.
    const isUrgent = !isMulticast(ipv6Dst(view, skb.network, 0)) || withinUs === 0 || this.#waiting.length >= MAX_WAITING;
    const dueUs = clock.nowUs + (isUrgent ? 0 : around.random.below(withinUs));
    if (isUrgent) this.#answer(link, target, asker);
    else this.#waiting = [...this.#waiting, { ifindex: device.ifindex, target, asker, dueUs }];
    this.#arm();
    return null;
  }

  /** A packet that would be passed on, but is a neighbour's question whether such a host is still there. Linux's `ip6_forward_proxy_check`. */
  isAsked(skb: Skb): boolean {
    const { view } = skb.memory;
    if (ipv6NextHeader(view, skb.network) !== IP_PROTOCOL.ICMPV6 || skb.tail <= skb.transport) return false;
    const type = view.getUint8(skb.transport);
    if (type < ICMPV6_TYPE.ROUTER_SOLICITATION || type > ICMPV6_TYPE.REDIRECT) return false;
    return this.#isAnswered(skb.ifindex, readAddress(view, skb.network + IPV6_DST, ADDRESS_FAMILY.INET6));
  }

  close(): void {
    this.#waiting = [];
    this.#timer.cancel();
  }

  #isAnswered(ifindex: number, target: AddressWords): boolean {
    const { conf, neighbours, current } = this.#host.around;
    if (conf.value(ifindex, 'proxy_ndp') === 0 || conf.value(ifindex, 'forwarding') === 0) return false;
    const link = this.#host.links.of(ifindex);
    if (link === null) return false;
    const caller = current.id;
    current.id = neighbours.owner;
    const isProxied = neighbours.current.isProxied(link.device, ADDRESS_FAMILY.INET6, ...target);
    current.id = caller;
    return isProxied;
  }

  #learn({ device }: Link, asker: AddressWords, bytes: Uint8Array, offset: number): void {
    const { neighbours, current } = this.#host.around;
    const caller = current.id;
    current.id = neighbours.owner;
    const bits = NEIGHBOUR_UPDATE.CREATE | NEIGHBOUR_UPDATE.OVERRIDE;
    neighbours.current.learn(device, ADDRESS_FAMILY.INET6, ...asker, bytes, offset, bits);
    current.id = caller;
  }

  #answer(link: Link, target: AddressWords, asker: AddressWords): void {
    const source = linkLocalOf(link);
    if (source === null) return;
    const flow = this.#flow;
    const isAnonymous = isUnspecified(...asker);
    beginIcmpFlow(flow, IP_PROTOCOL.ICMPV6, ICMPV6_TYPE.NEIGHBOR_ADVERTISEMENT, 0);
    [flow.src0, flow.src1, flow.src2, flow.src3] = source.address;
    [flow.dst0, flow.dst1, flow.dst2, flow.dst3] = isAnonymous ? ALL_NODES : asker;
    const flags = NA_FLAG.ROUTER | (isAnonymous ? 0 : NA_FLAG.SOLICITED);
    this.#host.sender.send(link, flow, flags, ...target, ND_OPTION.TARGET_LINK_ADDRESS, null);
  }

  #fire(): void {
    const { clock, links } = this.#host;
    const due = this.#waiting.filter(({ dueUs }) => dueUs <= clock.nowUs);
    this.#waiting = this.#waiting.filter(({ dueUs }) => dueUs > clock.nowUs);
    for (const { ifindex, target, asker } of due) {
      const link = links.of(ifindex);
      if (link !== null) this.#answer(link, target, asker);
    }
    this.#arm();
  }

  #arm(): void {
    const dueUs = this.#waiting.reduce((least, each) => Math.min(least, each.dueUs), Number.POSITIVE_INFINITY);
    if (dueUs === Number.POSITIVE_INFINITY) this.#timer.cancel();
    else this.#timer.armAt(dueUs);
  }
}
