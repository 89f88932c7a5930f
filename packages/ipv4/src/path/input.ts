import type { DropReason, Dst, NetDevice, Skb, SkbStep } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  CHECKSUM,
  ERRNO,
  Flow,
  FlowKey,
  IP_PROTOCOL,
  POLICY_DIRECTION,
  ROUTE_TYPE,
  runHooks,
  SKB_TYPE,
  SOURCE_CHECK,
  TRANSMIT,
} from '@softnet/contract';
import { gather, pull, trim } from '@softnet/skb';
import {
  IPV4_HEADER_BYTES,
  ipv4Dst,
  ipv4Fault,
  ipv4FragmentOffsetBytes,
  ipv4HeaderBytes,
  ipv4Protocol,
  ipv4Src,
  ipv4Tos,
  ipv4TotalBytes,
  isIpv4Fragment,
} from '@softnet/wire';
import type { Joints } from '../joints.ts';
import { isLoopbackDevice } from '../machine/address-book.ts';
import { isZeroBroadcast } from '../machine/broadcast-forms.ts';
import { aim } from '../machine/flow.ts';
import { isMartianDestination, isMartianSource, isMulticast, LIMITED_BROADCAST } from '../machine/special-address.ts';
import type { Ipv4Parts } from '../parts.ts';
import { drop } from '../parts.ts';
import type { MartianLog } from './martian-log.ts';
import { hasOptions } from './options.ts';

/** Of an upper header, what has its ports. */
const PORTS_BYTES = 8;

/** The way in: validation, prerouting, route, then delivery here; or forwarding, which the route decides. */
export class Input {
  /** `dst.input` of what is for this host. */
  readonly deliver: SkbStep = (skb) => this.#deliver(skb);
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #martians: MartianLog;
  readonly #flow = new Flow();
  readonly #key = new FlowKey();

  constructor(parts: Ipv4Parts, joints: Joints, martians: MartianLog) {
    this.#parts = parts;
    this.#joints = joints;
    this.#martians = martians;
  }

  /** Takes a packet with `data` = `network`. Linux's `ip_rcv`. */
  receive(skb: Skb, device: NetDevice): void {
    const { counters, drops } = this.#parts;
    counters.inReceives.value++;
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
    if (headerBytes > IPV4_HEADER_BYTES && !this.#joints.options.accept(skb)) return;
    runHooks(this.#joints.hooks.prerouting, skb, device, null);
  }

  /** Behind prerouting. Linux's `ip_rcv_finish` and `ip_route_input_slow`. */
  routed(skb: Skb, device: NetDevice | null): number {
    if (skb.dst !== null) return skb.dst.input(skb);
    const { view } = skb.memory;
    const source = ipv4Src(view, skb.network);
    const destination = ipv4Dst(view, skb.network);
    const isHere = device !== null && isLoopbackDevice(device);
    const loopbackToo = isHere || this.#parts.conf.value(skb.ifindex, 'route_localnet') !== 0;
    if (isMartianSource(source, destination, loopbackToo) || (!isHere && this.#isForged(skb, source))) {
      return this.#martian(skb, device, this.#parts.drops['ipv4.martian-source'], 'martian source');
    }
    if (destination === LIMITED_BROADCAST || isMulticast(destination)) return this.#toMany(skb, device, source, destination);
    if (skb.type === SKB_TYPE.BROADCAST && isZeroBroadcast(this.#parts.book.entries, destination, skb.ifindex)) {
      return this.#toMany(skb, device, source, LIMITED_BROADCAST);
    }
    if (isMartianDestination(destination, loopbackToo)) {
      return this.#martian(skb, device, this.#parts.drops['ipv4.martian-destination'], 'martian destination');
    }
    let dst = this.#lookup(skb, source, destination, isHere);
    if (dst.error === 0 && hasOptions(skb)) {
      const way = this.#joints.options.follow(skb, dst, this.#flow);
      if (way === null) return TRANSMIT.DROPPED;
      dst = way;
    }
    return this.#routedTo(skb, device, dst);
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

  /** Its way is known. */
  #routedTo(skb: Skb, device: NetDevice | null, dst: Dst): number {
    const { drops, conf } = this.#parts;
    if (dst.error === ERRNO.EXDEV) return this.#martian(skb, device, drops['ipv4.reverse-path'], 'source by another way');
    if (dst.error !== 0) return this.#joints.icmp.unroutable(skb, dst.error);
    const isBroadcast = dst.type === ROUTE_TYPE.BROADCAST;
    const isInFrameToMany = skb.type === SKB_TYPE.BROADCAST || skb.type === SKB_TYPE.MULTICAST;
    if (isInFrameToMany && !isBroadcast && conf.value(skb.ifindex, 'drop_unicast_in_l2_multicast') !== 0) {
      return drop(skb, drops['ipv4.unicast-by-broadcast']);
    }
    skb.dst = dst;
    if (isBroadcast) {
      // All of another subnet (RFC 2644).
      if (dst.device !== device && conf.value(skb.ifindex, 'bc_forwarding') !== 0) return this.#joints.forwarding.forward(skb);
      // Above here there is no route: that all on the link are meant is seen by this.
      skb.type = SKB_TYPE.BROADCAST;
    }
    return dst.input(skb);
  }

  #lookup(skb: Skb, source: number, destination: number, isHere: boolean): Dst {
    const { route, current, conf } = this.#parts;
    const { view } = skb.memory;
    aim(this.#flow, ipv4Protocol(view, skb.network), source, destination, ipv4Tos(view, skb.network), skb.mark);
    this.#flow.iif = skb.ifindex;
    const caller = current.id;
    current.id = route.owner;
    if (route.current.wantsPorts(ADDRESS_FAMILY.INET)) this.#readPorts(skb);
    const dst = route.current.lookupInput(this.#flow, isHere ? SOURCE_CHECK.NONE : conf.value(skb.ifindex, 'rp_filter'));
    current.id = caller;
    return dst;
  }

  /** Rules ask for them (Linux's `fib4_rules_early_flow_dissect`). Later fragments have none, nor has ICMP. */
  #readPorts(skb: Skb): void {
    const { memory, network } = skb;
    const protocol = ipv4Protocol(memory.view, network);
    if (protocol === IP_PROTOCOL.ICMP || ipv4FragmentOffsetBytes(memory.view, network) !== 0) return;
    const headerBytes = ipv4HeaderBytes(memory.view, network);
    // Where memory is out, the packet has no ports.
    if (skb.fragments !== null && !gather(skb, Math.min(skb.len, headerBytes + PORTS_BYTES))) return;
    const key = this.#key;
    if (!this.#joints.delivery.dissect(skb.memory, protocol, skb.network + headerBytes, skb.tail, key)) return;
    this.#flow.srcPort = key.remotePort;
    this.#flow.dstPort = key.localPort;
  }

  /** To all on the link, or to a group. */
  #toMany(skb: Skb, device: NetDevice | null, source: number, destination: number): number {
    if (!this.#isSourceBack(skb, device, source)) {
      return this.#martian(skb, device, this.#parts.drops['ipv4.reverse-path'], 'source by another way');
    }
    if (destination !== LIMITED_BROADCAST) {
      return this.#joints.groups.admits(skb, device, source, destination) ? this.#deliver(skb) : TRANSMIT.DROPPED;
    }
    skb.type = SKB_TYPE.BROADCAST;
    return this.#deliver(skb);
  }

  /** Such packets have no route: their source is looked at by one to this host. Who has no address yet comes from nowhere. */
  #isSourceBack(skb: Skb, device: NetDevice | null, source: number): boolean {
    const { conf, book } = this.#parts;
    if (source === 0 || device === null || isLoopbackDevice(device) || conf.value(skb.ifindex, 'rp_filter') === 0) return true;
    const here = book.sourceFor(device, source);
    return here === 0 || this.#lookup(skb, source, here, false).error !== ERRNO.EXDEV;
  }

  /** From an address of this host, or one that means all of a subnet. */
  #isForged(skb: Skb, source: number): boolean {
    const { book, conf } = this.#parts;
    if (!book.isOwn(source)) return false;
    return conf.value(skb.ifindex, 'accept_local') === 0 || !book.isLocal(source, 0);
  }

  #martian(skb: Skb, device: NetDevice | null, reason: DropReason, what: string): number {
    this.#martians.tell(skb, device, what);
    return drop(skb, reason);
  }

  /** Linux's `ip_local_deliver`. */
  #deliver(skb: Skb): number {
    if (hasOptions(skb) && !this.#joints.options.arrived(skb, this.#deviceOf(skb))) return TRANSMIT.DROPPED;
    let whole: Skb | null = skb;
    if (isIpv4Fragment(skb.memory.view, skb.network)) whole = this.#joints.fragments.input(skb);
    if (whole === null) return TRANSMIT.OK;
    return runHooks(this.#joints.hooks.input, whole, this.#deviceOf(whole), null);
  }

  #admits(skb: Skb): boolean {
    const { policy, current } = this.#parts;
    const caller = current.id;
    current.id = policy.owner;
    const admitted = policy.current.admit(skb, POLICY_DIRECTION.IN, this.#joints.layer);
    current.id = caller;
    return admitted;
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
