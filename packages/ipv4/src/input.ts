import type { NetDevice, Skb, SkbStep } from '@softnet/contract';
import { CHECKSUM, Flow, POLICY_DIRECTION, ROUTE_TYPE, runHooks, SKB_TYPE, TRANSMIT } from '@softnet/contract';
import { gather, pull, trim } from '@softnet/skb';
import {
  IPV4_HEADER_BYTES,
  ipv4Dst,
  ipv4Fault,
  ipv4HeaderBytes,
  ipv4Protocol,
  ipv4Src,
  ipv4Tos,
  ipv4TotalBytes,
  isIpv4Fragment,
} from '@softnet/wire';
import type { Joints } from './joints.ts';
import { isLoopbackDevice } from './machine/address-book.ts';
import { aim } from './machine/flow.ts';
import { checkOptions, OPTIONS_GOOD, OPTIONS_SOURCE_ROUTE } from './machine/header-options.ts';
import { ALL_HOSTS, isMartianDestination, isMartianSource, isMulticast, LIMITED_BROADCAST } from './machine/special-address.ts';
import type { Ipv4Parts } from './parts.ts';
import { drop } from './parts.ts';

/** The way in: validation, prerouting, route, then delivery here; or forwarding, which the route decides. */
export class Input {
  /** `dst.input` of what is for this host. */
  readonly deliver: SkbStep = (skb) => this.#deliver(skb);
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #flow = new Flow();

  constructor(parts: Ipv4Parts, joints: Joints) {
    this.#parts = parts;
    this.#joints = joints;
  }

  /** Takes a packet with `data` = `network`. Linux's `ip_rcv`. */
  receive(skb: Skb, device: NetDevice): void {
    const { counters, drops } = this.#parts;
    counters.inReceives.value++;
    if (skb.type === SKB_TYPE.OTHERHOST) {
      drop(skb, drops['ipv4.other-host']);
      return;
    }
    skb.network = skb.data;
    if (!headerAtHand(skb)) {
      drop(skb, drops['ipv4.no-memory']);
      return;
    }
    const { view } = skb.memory;
    const at = skb.network;
    const fault = ipv4Fault(view, at, skb.tail - at, skb.len);
    if (fault !== null) {
      drop(skb, drops[fault]);
      return;
    }
    const totalBytes = ipv4TotalBytes(view, at);
    if (totalBytes < skb.len) {
      // Padding of the link was summed with the rest.
      if (skb.checksum === CHECKSUM.COMPLETE) skb.checksum = CHECKSUM.NONE;
      trim(skb, totalBytes);
    }
    const headerBytes = ipv4HeaderBytes(view, at);
    skb.transport = at + headerBytes;
    if (headerBytes > IPV4_HEADER_BYTES && !this.#takesOptions(skb, headerBytes)) return;
    runHooks(this.#joints.hooks.prerouting, skb, device, null);
  }

  /** Behind prerouting. Linux's `ip_rcv_finish`. */
  routed(skb: Skb, device: NetDevice | null): number {
    if (skb.dst !== null) return skb.dst.input(skb);
    const { drops, route, current, book } = this.#parts;
    const { view } = skb.memory;
    const source = ipv4Src(view, skb.network);
    const destination = ipv4Dst(view, skb.network);
    const isHere = device !== null && isLoopbackDevice(device);
    if (isMartianSource(source, destination, isHere) || (!isHere && book.isOwn(source))) return drop(skb, drops['ipv4.martian-source']);
    if (destination === LIMITED_BROADCAST) return this.#deliver(skb);
    if (isMulticast(destination)) return this.#multicast(skb, destination);
    if (isMartianDestination(destination, isHere)) return drop(skb, drops['ipv4.martian-destination']);
    aim(this.#flow, ipv4Protocol(view, skb.network), source, destination, ipv4Tos(view, skb.network), skb.mark);
    this.#flow.iif = skb.ifindex;
    const caller = current.id;
    current.id = route.owner;
    const dst = route.current.lookupInput(this.#flow);
    current.id = caller;
    if (dst.error !== 0) return this.#joints.icmp.unroutable(skb, dst.error);
    if ((skb.type === SKB_TYPE.BROADCAST || skb.type === SKB_TYPE.MULTICAST) && dst.type !== ROUTE_TYPE.BROADCAST) {
      // DEVIATION: Linux does so only where drop_unicast_in_l2_multicast is set; RFC 1122 §3.3.6 says it to all.
      return drop(skb, drops['ipv4.unicast-by-broadcast']);
    }
    // Above here there is no route: that all on the link are meant is seen by this.
    if (dst.type === ROUTE_TYPE.BROADCAST) skb.type = SKB_TYPE.BROADCAST;
    skb.dst = dst;
    return dst.input(skb);
  }

  /** Behind the input hooks. Linux's `ip_local_deliver_finish`. */
  admitted(skb: Skb): number {
    const { policy, counters } = this.#parts;
    if (policy.present && !this.#admits(skb)) return TRANSMIT.DROPPED;
    const { view } = skb.memory;
    counters.inDelivers.value++;
    // Whoever keeps the packet keeps no route, which nobody counts.
    skb.dst = null;
    pull(skb, ipv4HeaderBytes(view, skb.network));
    skb.transport = skb.data;
    this.#joints.delivery.deliver(skb, ipv4Protocol(view, skb.network));
    return TRANSMIT.OK;
  }

  /** Linux's `ip_local_deliver`. */
  #deliver(skb: Skb): number {
    let whole: Skb | null = skb;
    if (isIpv4Fragment(skb.memory.view, skb.network)) whole = this.#joints.fragments.input(skb);
    if (whole === null) return TRANSMIT.OK;
    return runHooks(this.#joints.hooks.input, whole, this.#deviceOf(whole), null);
  }

  #multicast(skb: Skb, destination: number): number {
    if (destination === ALL_HOSTS) return this.#deliver(skb);
    return drop(skb, this.#parts.drops['ipv4.no-group']);
  }

  #admits(skb: Skb): boolean {
    const { policy, current } = this.#parts;
    const caller = current.id;
    current.id = policy.owner;
    const admitted = policy.current.admit(skb, POLICY_DIRECTION.IN, this.#joints.layer);
    current.id = caller;
    return admitted;
  }

  /** False: it was dropped. Options are kept, but for source routes. */
  #takesOptions(skb: Skb, headerBytes: number): boolean {
    const { drops } = this.#parts;
    const at = skb.network;
    const found = checkOptions(skb.memory.view, at, at + IPV4_HEADER_BYTES, at + headerBytes);
    if (found === OPTIONS_GOOD) return true;
    if (found === OPTIONS_SOURCE_ROUTE) {
      drop(skb, drops['ipv4.source-route']);
      return false;
    }
    this.#joints.icmp.parameterProblem(skb, found);
    drop(skb, drops['ipv4.option']);
    return false;
  }

  #deviceOf(skb: Skb): NetDevice | null {
    return this.#parts.traffic.current.byIndex(skb.ifindex);
  }
}

/** The whole header lies in the head, as far as there is one: the rest is `ipv4Fault`'s. False: memory is out. */
function headerAtHand(skb: Skb): boolean {
  const { len } = skb;
  if (skb.fragments === null) return true;
  if (!gather(skb, Math.min(len, IPV4_HEADER_BYTES))) return false;
  if (skb.tail - skb.data < IPV4_HEADER_BYTES) return true;
  return gather(skb, Math.min(len, ipv4HeaderBytes(skb.memory.view, skb.data)));
}
