import type { DropReason, Dst } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_TYPE, Flow, IPV4_WORD2 } from '@softnet/contract';
import { aim } from '../machine/flow.ts';
import type { Ipv4Parts } from '../parts.ts';

/** Of so many it is remembered who was there before, for when the new gateway does not answer. */
const MAX_TRIED = 256;

/** A gateway that a redirect has named, and the one that named it. int32 words. */
interface Tried {
  readonly source: number;
  readonly destination: number;
  readonly tos: number;
  readonly gateway: number;
  readonly before: number;
}

/**
 * Redirects that come in (RFC 1122 §3.2.2.2; Linux's `__ip_do_redirect`): only the present gateway may name another one, which must be a
 * host on the same link. The next packet tries it; if it does not answer, the one before serves again (RFC 1122 §3.3.1.4).
 *
 * DEVIATION: Linux takes, on a shared medium, gateways of no subnet of its own.
 */
export class Redirects {
  readonly #parts: Ipv4Parts;
  readonly #flow = new Flow();
  #tried: readonly Tried[] = [];

  constructor(parts: Ipv4Parts) {
    this.#parts = parts;
  }

  /**
   * Why it is not heeded; null: it is, if a socket has sent that packet.
   * @param flow of the packet quoted. @param from who redirects. @param ifindex by which it came.
   */
  fault(flow: Flow, from: number, gateway: number, ifindex: number): DropReason | null {
    const { drops } = this.#parts;
    if (!this.#isOn(ifindex)) return drops['icmpv4.redirect-off'];
    if (!this.#isGateway(flow, from, ifindex)) return drops['icmpv4.redirect-stranger'];
    return this.#isGood(gateway, from, ifindex) ? null : drops['icmpv4.redirect-gateway'];
  }

  /**
   * A socket has sent that packet: its next one goes by the other gateway. Not where only those that routes know are believed
   * (`secure_redirects`), and none does: who walks all routes for it is no stranger. Returns whether it was believed.
   */
  learn(flow: Flow, from: number, gateway: number, ifindex: number): boolean {
    if (this.#isSecure(ifindex) && !this.#isKnown(gateway)) return false;
    const tried = { source: flow.src3, destination: flow.dst3, tos: flow.tos, gateway, before: from };
    this.#tried = [...this.#tried.filter(({ destination }) => destination !== flow.dst3).slice(1 - MAX_TRIED), tried];
    this.#learn(flow, gateway);
    return true;
  }

  /** A neighbour does not answer: whoever was led to it goes the way that he went before. */
  failed(gateway: number): void {
    if (this.#tried.length === 0) return;
    const tried = this.#tried.filter((each) => each.gateway === gateway);
    if (tried.length === 0) return;
    this.#tried = this.#tried.filter((each) => each.gateway !== gateway);
    for (const { source, destination, tos, before } of tried) {
      aim(this.#flow, 0, source, destination, tos, 0);
      this.#learn(this.#flow, before);
    }
  }

  #learn(flow: Flow, gateway: number): void {
    const { route, current } = this.#parts;
    const caller = current.id;
    current.id = route.owner;
    route.current.learnGateway(flow, 0, 0, IPV4_WORD2, gateway);
    current.id = caller;
  }

  /** A router knows better, unless it is told so for all and for this device (Linux's IN_DEV_RX_REDIRECTS). */
  #isOn(ifindex: number): boolean {
    const { conf } = this.#parts;
    const own = conf.value(ifindex, 'accept_redirects');
    const all = conf.all('accept_redirects');
    return (conf.value(ifindex, 'forwarding') === 0 ? own | all : own & all) !== 0;
  }

  /** The flow goes by `from`, on that link. */
  #isGateway(flow: Flow, from: number, ifindex: number): boolean {
    const { route, current } = this.#parts;
    const caller = current.id;
    current.id = route.owner;
    let dst: Dst = route.current.lookup(flow);
    current.id = caller;
    // What the lookup filled in is the way that is to be left.
    flow.oif = 0;
    while (dst.child !== null) dst = dst.child;
    return dst.gatewayFamily === ADDRESS_FAMILY.INET && dst.gateway3 === from && dst.device?.ifindex === ifindex;
  }

  #isGood(gateway: number, from: number, ifindex: number): boolean {
    const { book, conf } = this.#parts;
    if (gateway === from || book.typeOf(gateway, 0) !== ADDRESS_TYPE.UNICAST) return false;
    return book.areOnLink(ifindex, gateway, conf.value(ifindex, 'shared_media') !== 0 ? gateway : from);
  }

  #isSecure(ifindex: number): boolean {
    const { conf } = this.#parts;
    return conf.value(ifindex, 'shared_media') === 0 && conf.value(ifindex, 'secure_redirects') !== 0;
  }

  /** Some route leads by it. */
  #isKnown(gateway: number): boolean {
    const entries = this.#parts.route.current.entries(ADDRESS_FAMILY.INET);
    return entries.some(({ nextHops }) =>
      nextHops.some((hop) => hop.gateway?.family === ADDRESS_FAMILY.INET && hop.gateway.address[3] === gateway),
    );
  }
}
