import type { Dst, NetDevice, NetworkLayer, Skb } from '@softnet/contract';
import { CHECKSUM, DEVICE_FLAG, POLICY_DIRECTION, REFUSAL, runHooks, SKB_TYPE, TRANSMIT } from '@softnet/contract';
import type { LayerHooks, Unmerger } from '@softnet/inet';
import { segmentBytes } from '@softnet/inet';
import { IPV6_HEADER_BYTES, ipv6Dst, ipv6HopLimit, ipv6NextHeader, ipv6Src, setIpv6HopLimit } from '@softnet/wire';
import { isLinkLocal, isLoopback, isUnspecified } from './address-kind.ts';
import type { IcmpErrors } from './icmp-errors.ts';
import { IPV6_MIN_MTU, mtuOn } from './link-values.ts';
import type { Ipv6Reason } from './reasons.ts';
import type { ForwardAids } from './router-messages.ts';
import type { Links, Surroundings } from './surroundings.ts';

/** A router's part. Linux's `ip6_forward`. */
export class Ipv6Forward {
  /** Set once, before the first packet. */
  aids!: ForwardAids;
  readonly #around: Surroundings;
  readonly #layer: NetworkLayer;
  readonly #hooks: LayerHooks;
  readonly #errors: IcmpErrors;
  readonly #unmerger: Unmerger;
  readonly #links: Links;

  constructor(around: Surroundings, links: Links, layer: NetworkLayer, hooks: LayerHooks, errors: IcmpErrors, unmerger: Unmerger) {
    this.#links = links;
    this.#unmerger = unmerger;
    this.#around = around;
    this.#layer = layer;
    this.#hooks = hooks;
    this.#errors = errors;
  }

  /** `Dst.input` of what is for others. */
  readonly forward = (skb: Skb): number => {
    const { conf, traffic } = this.#around;
    if (conf.value(skb.ifindex, 'forwarding') === 0 || skb.type !== SKB_TYPE.HOST) return this.#drop(skb, 'ipv6.not-forwarding');
    const dst = skb.dst!;
    if (conf.value(skb.ifindex, 'proxy_ndp') !== 0 && this.aids.isAsked(skb)) return this.aids.accept(skb);
    if (!this.#mayLeave(skb)) return this.#drop(skb, 'ipv6.scope');
    if (ipv6HopLimit(skb.memory.view, skb.network) <= 1) {
      this.#layer.refuse(skb, REFUSAL.TIME_EXCEEDED, 0);
      return this.#drop(skb, 'ipv6.hop-limit');
    }
    if (isSentBack(skb, dst)) {
      this.#layer.refuse(skb, REFUSAL.HOST_UNREACHABLE, 0);
      return this.#drop(skb, 'ipv6.point-to-point');
    }
    const mtuBytes = skb.len <= IPV6_MIN_MTU ? IPV6_MIN_MTU : this.#mtuOf(dst);
    // Each is refused for itself.
    if (skb.gsoSize !== 0 && segmentBytes(skb, ipv6NextHeader(skb.memory.view, skb.network)) > mtuBytes) {
      return this.#unmerger.each(skb, this.forward);
    }
    if (!this.#isAdmitted(skb)) return TRANSMIT.DROPPED;
    if (skb.len > mtuBytes && skb.gsoSize === 0) {
      this.#layer.refuse(skb, REFUSAL.TOO_BIG, mtuBytes);
      return this.#drop(skb, 'ipv6.too-big');
    }
    if (!skb.memory.pool.makeRoom(skb, dst.headroomBytes - IPV6_HEADER_BYTES, 0)) return this.#drop(skb, 'ipv6.no-memory');
    if (dst.device !== null && dst.device.ifindex === skb.ifindex) this.aids.goesBack(skb, dst);
    this.#around.counters.outForwDatagrams.value++;
    const { view } = skb.memory;
    setIpv6HopLimit(view, skb.network, ipv6HopLimit(view, skb.network) - 1);
    // The sum was over the hop limit too.
    if (skb.checksum === CHECKSUM.COMPLETE) skb.checksum = CHECKSUM.NONE;
    return runHooks(this.#hooks.forward, skb, traffic.current.byIndex(skb.ifindex) satisfies NetDevice | null, dst.device);
  };

  #mtuOf(dst: Dst): number {
    return dst.device === null ? IPV6_MIN_MTU : mtuOn(this.#around, this.#links, dst.device.ifindex, dst.mtuBytes);
  }

  #isAdmitted(skb: Skb): boolean {
    const { policy, current } = this.#around;
    const caller = current.id;
    current.id = policy.owner;
    const isAdmitted = policy.current.admit(skb, POLICY_DIRECTION.FORWARD, this.#layer);
    current.id = caller;
    return isAdmitted;
  }

  /** Link-local addresses stay on their link (RFC 4291 §2.5.6), loopback and unspecified ones at home (§2.5.2, §2.5.3). */
  #mayLeave(skb: Skb): boolean {
    const { network } = skb;
    const { view } = skb.memory;
    const src0 = ipv6Src(view, network, 0);
    const src1 = ipv6Src(view, network, 1);
    const src2 = ipv6Src(view, network, 2);
    const src3 = ipv6Src(view, network, 3);
    if (isUnspecified(src0, src1, src2, src3) || isLoopback(src0, src1, src2, src3)) return false;
    if (isLinkLocal(ipv6Dst(view, network, 0))) return false;
    if (!isLinkLocal(src0)) return true;
    this.#errors.beyondScope(skb);
    return false;
  }

  #drop(skb: Skb, name: Ipv6Reason): number {
    skb.memory.pool.drop(skb, this.#around.reasons[name]);
    return TRANSMIT.DROPPED;
  }
}

/** To an address of the point-to-point link that it came by: the other end has it, or nobody. */
function isSentBack({ ifindex }: Skb, { device, gatewayFamily }: Dst): boolean {
  return device !== null && device.ifindex === ifindex && (device.flags & DEVICE_FLAG.POINTOPOINT) !== 0 && gatewayFamily === 0;
}
