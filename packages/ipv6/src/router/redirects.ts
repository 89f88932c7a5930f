import type { AddressWords, Dst, Neighbour, Skb } from '@softnet/contract';
import { ADDRESS_FAMILY, Flow, IP_PROTOCOL, NEIGHBOUR_UPDATE } from '@softnet/contract';
import { IPV6_SRC, readAddress } from '@softnet/wire';
import { isSame, isUnspecified } from '../machine/address-kind.ts';
import { beginIcmpFlow } from '../machine/flow-of.ts';
import type { Ipv6Reason } from '../machine/reasons.ts';
import type { Link, Links, Surroundings } from '../machine/surroundings.ts';
import type { NdMessage } from '../wire/neighbour-message.ts';
import { ND_TARGET } from '../wire/neighbour-message.ts';

/** Of so many it is remembered who was there before, for when the new first hop does not answer. */
const MAX_TRIED = 256;

/** A first hop that a redirect has named, and the one that named it. */
interface Tried {
  readonly destination: AddressWords;
  readonly target: AddressWords;
  readonly before: AddressWords;
  /** It was known as a router's, being none's destination. */
  wasRouter: boolean;
}

export interface RedirectsHost {
  readonly around: Surroundings;
  readonly links: Links;
}

/** Redirects that come in (RFC 4861 §8.1, §8.3): only the present first hop may name a better one, or the destination itself. */
export class Redirects {
  readonly #host: RedirectsHost;
  readonly #flow = new Flow();
  #tried: readonly Tried[] = [];

  constructor(host: RedirectsHost) {
    this.#host = host;
  }

  /** A sound one. Null: it is believed; else why not. */
  redirected(skb: Skb, link: Link, { targetLinkAddress }: NdMessage): Ipv6Reason | null {
    const { view, bytes } = skb.memory;
    const { ifindex } = link.device;
    const { conf } = this.#host.around;
    // A router's tables are not for hosts to change (RFC 4861 §8.3).
    if (conf.value(ifindex, 'accept_redirects') === 0 || conf.value(ifindex, 'forwarding') !== 0) return 'nd.redirect-off';
    const target = readAddress(view, skb.transport + ND_TARGET, ADDRESS_FAMILY.INET6);
    const destination = readAddress(view, skb.transport + ND_TARGET + 16, ADDRESS_FAMILY.INET6);
    const from = readAddress(view, skb.network + IPV6_SRC, ADDRESS_FAMILY.INET6);
    if (isUnspecified(...destination) || !this.#isFirstHop(destination, from, link)) return 'nd.redirect-stranger';
    if (isSame(target, ...from) || this.#host.links.find(...target, ifindex) !== null) return 'nd.redirect-target';
    const isRouter = !isSame(target, ...destination);
    const isKnown = this.#learnNeighbour(link, target, bytes, targetLinkAddress, isRouter);
    this.#tried = [
      ...this.#tried.filter((each) => !isSame(each.destination, ...destination)).slice(1 - MAX_TRIED),
      { destination, target, before: from, wasRouter: isRouter && isKnown },
    ];
    this.#learn(destination, target);
    return null;
  }

  /** A neighbour does not answer: whoever was led to it goes the way that he went before (RFC 4861 §7.3.3). */
  failed(target: AddressWords): void {
    this.#giveUp(this.#tried.filter((each) => isSame(each.target, ...target)));
  }

  /** It is known where a neighbour is. Whoever is no router any more is nobody's next hop (RFC 4861 §7.3.3). */
  heard({ address0, address1, address2, address3, isRouter }: Neighbour): void {
    if (this.#tried.length === 0) return;
    const led = this.#tried.filter((each) => isSame(each.target, address0, address1, address2, address3));
    this.#giveUp(led.filter(({ wasRouter }) => wasRouter && !isRouter));
    for (const each of led) each.wasRouter = isRouter && !isSame(each.target, ...each.destination);
  }

  #giveUp(tried: readonly Tried[]): void {
    if (tried.length === 0) return;
    this.#tried = this.#tried.filter((each) => !tried.includes(each));
    for (const { destination, before } of tried) this.#learn(destination, before);
  }

  #learn(destination: AddressWords, gateway: AddressWords): void {
    const { route, current } = this.#host.around;
    this.#aim(destination);
    const caller = current.id;
    current.id = route.owner;
    route.current.learnGateway(this.#flow, ...gateway);
    current.id = caller;
  }

  #isFirstHop(destination: AddressWords, from: AddressWords, { device }: Link): boolean {
    const { route, current } = this.#host.around;
    this.#aim(destination);
    const caller = current.id;
    current.id = route.owner;
    let dst: Dst = route.current.lookup(this.#flow);
    current.id = caller;
    while (dst.child !== null) dst = dst.child;
    if (dst.error !== 0 || dst.gatewayFamily !== ADDRESS_FAMILY.INET6 || dst.device !== device) return false;
    return isSame(from, dst.gateway0, dst.gateway1, dst.gateway2, dst.gateway3);
  }

  #aim([word0, word1, word2, word3]: AddressWords): void {
    const flow = this.#flow;
    beginIcmpFlow(flow, IP_PROTOCOL.ICMPV6, 0, 0);
    flow.dst0 = word0;
    flow.dst1 = word1;
    flow.dst2 = word2;
    flow.dst3 = word3;
  }

  #learnNeighbour({ device }: Link, target: AddressWords, bytes: Uint8Array, offset: number, isRouter: boolean): boolean {
    const { neighbours, current } = this.#host.around;
    const { CREATE, OVERRIDE, IS_ROUTER } = NEIGHBOUR_UPDATE;
    const caller = current.id;
    current.id = neighbours.owner;
    const bits = CREATE | OVERRIDE | (isRouter ? IS_ROUTER : 0);
    const isKnown = neighbours.current.learn(device, ADDRESS_FAMILY.INET6, ...target, bytes, offset, bits);
    current.id = caller;
    return isKnown;
  }
}
