import type { Dst, NetDevice, Skb, SkbStep } from '@softnet/contract';
import { CHECKSUM, Flow, POLICY_DIRECTION, REFUSAL, runHooks, SKB_FLAG, SKB_TYPE, TRANSMIT } from '@softnet/contract';
import { segmentBytes } from '@softnet/inet';
import { decrementIpv4Ttl, IPV4_HEADER_BYTES, ipv4Dst, ipv4Protocol, ipv4Src, ipv4Tos, ipv4Ttl, isIpv4DontFragment } from '@softnet/wire';
import type { Joints } from '../joints.ts';
import { aim } from '../machine/flow.ts';
import { isLinkLocal } from '../machine/special-address.ts';
import type { Ipv4Parts } from '../parts.ts';
import { drop } from '../parts.ts';
import { hasOptions } from './options.ts';

/**
 * Packets for others (RFC 1812 §5.2, §5.3; Linux's `ip_forward`). Who could go a shorter way is told
 * of it, and served all the same (RFC 1812 §5.2.7.2).
 */
export class Forwarding {
  /** `dst.input` of what is for others. */
  readonly forward: SkbStep = (skb) => this.#forward(skb);
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #flow = new Flow();

  constructor(parts: Ipv4Parts, joints: Joints) {
    this.#parts = parts;
    this.#joints = joints;
  }

  /** Behind the forward hooks: not the output hooks', which see what this host sends. */
  forwarded(skb: Skb): number {
    this.#parts.counters.forwDatagrams.value++;
    return skb.dst!.output(skb);
  }

  #forward(skb: Skb): number {
    const { conf, drops, traffic } = this.#parts;
    if (conf.value(skb.ifindex, 'forwarding') === 0) return drop(skb, drops['ipv4.not-forwarding']);
    if (skb.type !== SKB_TYPE.HOST) return drop(skb, drops['ipv4.unicast-by-broadcast']);
    if (isOfLink(skb)) return drop(skb, drops['ipv4.link-local']);
    const input: NetDevice | null = traffic.current.byIndex(skb.ifindex);
    if (hasOptions(skb) && this.#joints.options.isExamined(skb, input)) return TRANSMIT.OK;
    if (ipv4Ttl(skb.memory.view, skb.network) <= 1) {
      this.#joints.icmp.refuse(skb, REFUSAL.TIME_EXCEEDED, 0);
      return drop(skb, drops['ipv4.ttl']);
    }
    // Each is refused, or cut, for itself.
    if (isMergedTooBig(skb, skb.dst!)) return this.#joints.unmerger.each(skb, this.forward);
    if (this.#parts.policy.present && !this.#allowed(skb)) return TRANSMIT.DROPPED;
    const dst = skb.dst!;
    if (this.#isTooBig(skb, dst)) {
      this.#joints.icmp.refuse(skb, REFUSAL.TOO_BIG, dst.mtuBytes);
      return drop(skb, drops['ipv4.too-big']);
    }
    if (dst.device !== null && dst.device.ifindex === skb.ifindex) this.#joints.redirectSender.consider(skb, dst);
    const roomBytes = Math.max(0, dst.headroomBytes - IPV4_HEADER_BYTES);
    if (!skb.memory.pool.makeRoom(skb, roomBytes, dst.tailroomBytes)) return drop(skb, drops['ipv4.no-memory']);
    if (hasOptions(skb) && !this.#joints.options.passes(skb, dst)) return TRANSMIT.DROPPED;
    decrementIpv4Ttl(skb.memory.view, skb.network);
    // What is known of the checksum was for us; the sender's own goes on as it came.
    if (skb.checksum !== CHECKSUM.PARTIAL) {
      skb.checksum = CHECKSUM.NONE;
      skb.csum = 0;
    }
    skb.timeUs = 0;
    return runHooks(this.#joints.hooks.forward, skb, input, dst.device);
  }

  #isTooBig(skb: Skb, dst: Dst): boolean {
    if (skb.len <= dst.mtuBytes || skb.gsoSize !== 0) return false;
    return (skb.flags & SKB_FLAG.IGNORE_DF) === 0 && isIpv4DontFragment(skb.memory.view, skb.network);
  }

  /** IPsec's policy for what passes through: it may drop, or stack transformations on the way. */
  #allowed(skb: Skb): boolean {
    const { policy, current, drops } = this.#parts;
    const { view } = skb.memory;
    const { network } = skb;
    const caller = current.id;
    current.id = policy.owner;
    const admitted = policy.current.admit(skb, POLICY_DIRECTION.FORWARD, this.#joints.layer);
    if (admitted) {
      aim(this.#flow, ipv4Protocol(view, network), ipv4Src(view, network), ipv4Dst(view, network), ipv4Tos(view, network), skb.mark);
      this.#flow.iif = skb.ifindex;
      skb.dst = policy.current.stack(skb.dst!, this.#flow);
    }
    current.id = caller;
    if (!admitted) return false;
    if (skb.dst!.error === 0) return true;
    drop(skb, drops['ipv4.no-route']);
    return false;
  }
}

/** From or to a link-local address: it stays on its link, whatever its TTL (RFC 3927 §7). */
function isOfLink({ memory: { view }, network }: Skb): boolean {
  return isLinkLocal(ipv4Src(view, network)) || isLinkLocal(ipv4Dst(view, network));
}

/** Stands for packets that are larger than their way carries. */
function isMergedTooBig(skb: Skb, dst: Dst): boolean {
  return skb.gsoSize !== 0 && segmentBytes(skb, ipv4Protocol(skb.memory.view, skb.network)) > dst.mtuBytes;
}
