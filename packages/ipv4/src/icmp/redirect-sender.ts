import type { Dst, Skb } from '@softnet/contract';
import { ADDRESS_FAMILY, Flow, IP_PROTOCOL, ROUTE_TYPE } from '@softnet/contract';
import { IPV4_HEADER_BYTES, IPV4_OPTION, ipv4Dst, ipv4HeaderBytes, ipv4Src, OPTION_END, optionBytes } from '@softnet/wire';
import type { Joints } from '../joints.ts';
import { aim } from '../machine/flow.ts';
import type { RedirectPace } from '../machine/redirect-limit.ts';
import { RedirectLimit } from '../machine/redirect-limit.ts';
import type { Ipv4Parts } from '../parts.ts';

/** Tells hosts of a shorter way (RFC 1812 §5.2.7.2; Linux's `ip_rt_send_redirect`). Their packet is passed on all the same. */
export class RedirectSender {
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #limit: RedirectLimit;
  readonly #pace: RedirectPace;
  readonly #flow = new Flow();

  /** @param secret 32 random bits. */
  constructor(parts: Ipv4Parts, joints: Joints, secret: number) {
    const { settings } = parts;
    this.#parts = parts;
    this.#joints = joints;
    this.#limit = new RedirectLimit(parts.clock, secret);
    this.#pace = {
      get loadMs() {
        return settings.redirectLoadMs.value;
      },
      get number() {
        return settings.redirectNumber.value;
      },
      get silenceMs() {
        return settings.redirectSilenceMs.value;
      },
    };
  }

  /** A packet that leaves by the device that brought it. Does not take it. */
  consider(skb: Skb, dst: Dst): void {
    const { conf } = this.#parts;
    const { view } = skb.memory;
    const { network, ifindex } = skb;
    if (conf.value(ifindex, 'send_redirects') === 0 || dst.child !== null) return;
    if (dst.gatewayFamily !== 0 && dst.gatewayFamily !== ADDRESS_FAMILY.INET) return;
    const source = ipv4Src(view, network);
    const gateway = dst.gatewayFamily === 0 ? ipv4Dst(view, network) : dst.gateway3;
    if (hasSourceRoute(view, network) || !this.#isNeighbour(source, gateway, ifindex)) return;
    if (this.#limit.take(source, this.#pace)) this.#joints.icmp.redirect(skb, gateway);
  }

  /** The host, and the gateway that it is told of, are on this link. */
  #isNeighbour(source: number, gateway: number, ifindex: number): boolean {
    const { conf, book, route, current } = this.#parts;
    if (conf.value(ifindex, 'shared_media') === 0 && !book.areOnLink(ifindex, source, gateway)) return false;
    aim(this.#flow, IP_PROTOCOL.ICMP, 0, source, 0, 0);
    const caller = current.id;
    current.id = route.owner;
    const dst = route.current.lookup(this.#flow);
    current.id = caller;
    return dst.error === 0 && dst.type === ROUTE_TYPE.UNICAST && dst.gatewayFamily === 0 && dst.device?.ifindex === ifindex;
  }
}

/** Who says which way to go knows it. */
function hasSourceRoute(view: DataView, network: number): boolean {
  const end = network + ipv4HeaderBytes(view, network);
  for (let at = network + IPV4_HEADER_BYTES, step = 0; at < end; at += step) {
    step = optionBytes(view, at, end);
    const kind = view.getUint8(at);
    if (step === 0 || kind === OPTION_END) return false;
    if (kind === IPV4_OPTION.LOOSE_SOURCE_ROUTE || kind === IPV4_OPTION.STRICT_SOURCE_ROUTE) return true;
  }
  return false;
}
