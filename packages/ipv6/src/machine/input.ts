import type { NetDevice, NetworkLayer, Skb } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  CHECKSUM,
  DEVICE_FLAG,
  Flow,
  FlowKey,
  IP_PROTOCOL,
  POLICY_DIRECTION,
  REFUSAL,
  ROUTE_TYPE,
  runHooks,
  SKB_TYPE,
  TRANSMIT,
} from '@softnet/contract';
import type { Delivery, LayerHooks } from '@softnet/inet';
import { gather, pull, trim } from '@softnet/skb';
import {
  IPV6_EXTENSION,
  IPV6_HEADER_BYTES,
  Ipv6HeaderChain,
  ipv6Dst,
  ipv6Fault,
  ipv6NextHeader,
  ipv6PayloadBytes,
  ipv6Src,
  isExtensionHeader,
} from '@softnet/wire';
import { isLinkLocal, isLoopback, isMapped, isMulticast, isUnspecified, multicastScope, SCOPE, SOLICITED_NODE } from './address-kind.ts';
import type { ExtensionHeaders } from './extension-headers.ts';
import { readFlow } from './flow-of.ts';
import { walkHeaders } from './header-walk.ts';
import type { Ipv6Reason } from './reasons.ts';
import type { Links, Surroundings } from './surroundings.ts';

/** Headers and ports are looked for so far. */
const PORTS_WITHIN_BYTES = 256;

/** The way in: validation, hooks, routes, headers, delivery. */
export class Ipv6Input {
  readonly #around: Surroundings;
  readonly #layer: NetworkLayer;
  readonly #hooks: LayerHooks;
  readonly #links: Links;
  readonly #headers: ExtensionHeaders;
  readonly #delivery: Delivery;
  readonly #flow = new Flow();
  readonly #chain = new Ipv6HeaderChain();
  readonly #key = new FlowKey();

  constructor(around: Surroundings, layer: NetworkLayer, hooks: LayerHooks, links: Links, headers: ExtensionHeaders, delivery: Delivery) {
    this.#around = around;
    this.#layer = layer;
    this.#hooks = hooks;
    this.#links = links;
    this.#headers = headers;
    this.#delivery = delivery;
  }

  /** `EthertypeHandler.input`: takes a packet with `data` = `network`. Linux's `ip6_rcv`. */
  receive(skb: Skb, device: NetDevice): void {
    this.#around.counters.inReceives.value++;
    const fault = this.#faultOf(skb, device);
    if (fault !== null) {
      this.#drop(skb, fault);
      return;
    }
    const { view } = skb.memory;
    const hasHopByHop = ipv6NextHeader(view, skb.network) === IPV6_EXTENSION.HOP_BY_HOP;
    const lenBytes = IPV6_HEADER_BYTES + ipv6PayloadBytes(view, skb.network);
    // With a hop-by-hop header, no length may mean a jumbogram: its options say.
    if (lenBytes < skb.len && !(hasHopByHop && lenBytes === IPV6_HEADER_BYTES)) {
      trim(skb, lenBytes);
      // The sum was over the link's padding too.
      if (skb.checksum === CHECKSUM.COMPLETE) skb.checksum = CHECKSUM.NONE;
    }
    skb.transport = skb.network + IPV6_HEADER_BYTES;
    if (hasHopByHop && !this.#headers.hopByHop(skb)) return;
    runHooks(this.#hooks.prerouting, skb, device, null);
  }

  /** What follows the prerouting hook, which may have chosen a route. */
  route(skb: Skb): number {
    if (skb.dst !== null) return skb.dst.input(skb);
    const { route, current } = this.#around;
    const flow = this.#flow;
    readFlow(skb, flow);
    const caller = current.id;
    current.id = route.owner;
    if (route.current.wantsPorts(ADDRESS_FAMILY.INET6)) this.#readPorts(skb);
    const dst = route.current.lookupInput(flow);
    current.id = caller;
    skb.dst = dst;
    if (dst.error !== 0) this.#refuse(skb, dst.type);
    return dst.input(skb);
  }

  /** Rules ask for them (Linux's `fib6_rules_early_flow_dissect`). What is cut has none, nor has ICMP. */
  #readPorts(skb: Skb): void {
    if (skb.fragments !== null && !gather(skb, Math.min(skb.len, PORTS_WITHIN_BYTES))) return;
    const chain = this.#chain;
    if (walkHeaders(skb, this.#around.settings.limits, chain) !== null) return;
    const { protocol, transport } = chain;
    this.#flow.protocol = protocol;
    if (transport < 0 || protocol === IP_PROTOCOL.ICMPV6) return;
    const key = this.#key;
    if (!this.#delivery.dissect(skb.memory, protocol, transport, skb.tail, key)) return;
    this.#flow.srcPort = key.remotePort;
    this.#flow.dstPort = key.localPort;
  }

  /** `Dst.input` of what is for this host. */
  readonly accept = (skb: Skb): number => {
    const { network } = skb;
    const { view } = skb.memory;
    if (isLinkLocal(ipv6Dst(view, network, 0)) && !this.#isHere(skb)) return this.#drop(skb, 'ipv6.not-here');
    return this.#take(skb);
  };

  /** `Dst.input` of groups: a clone for each router, and the packet itself for us. */
  readonly acceptGroup = (skb: Skb): number => {
    const { network, ifindex } = skb;
    const { view } = skb.memory;
    const word0 = ipv6Dst(view, network, 0);
    const link = this.#links.of(ifindex);
    // Who is answered for by proxy is in groups of his own.
    if (this.#around.conf.value(ifindex, 'proxy_ndp') !== 0 && isSolicitedNode(skb)) return this.#take(skb);
    const isRouted = multicastScope(word0) > SCOPE.LINK && link !== null && this.#toRouters(skb, link.device);
    return this.#around.groups.admits(skb, isRouted) ? this.#take(skb) : TRANSMIT.DROPPED;
  };

  /** What this host has sent to a group comes back to members of its own. */
  takeCopy(skb: Skb): number {
    const first = ipv6NextHeader(skb.memory.view, skb.network);
    skb.transport = skb.network + IPV6_HEADER_BYTES;
    return first === IPV6_EXTENSION.HOP_BY_HOP && !this.#headers.hopByHop(skb) ? TRANSMIT.DROPPED : this.#take(skb);
  }

  /** What follows the input hook. */
  admit(skb: Skb): number {
    const { policy, current } = this.#around;
    const caller = current.id;
    current.id = policy.owner;
    const isAdmitted = policy.current.admit(skb, POLICY_DIRECTION.IN, this.#layer);
    current.id = caller;
    if (!isAdmitted) return TRANSMIT.DROPPED;
    // Whoever keeps the packet keeps no route, which nobody counts.
    skb.dst = null;
    this.#around.counters.inDelivers.value++;
    const protocol = this.#upperProtocol(skb);
    pull(skb, skb.transport - skb.data);
    this.#delivery.deliver(skb, protocol);
    return TRANSMIT.OK;
  }

  #faultOf(skb: Skb, device: NetDevice): Ipv6Reason | null {
    if (skb.type === SKB_TYPE.OTHERHOST) return 'ipv6.other-host';
    if (this.#links.of(device.ifindex) === null) return 'ipv6.device';
    if (!gather(skb, IPV6_HEADER_BYTES)) return 'ipv6.truncated';
    skb.network = skb.data;
    skb.ifindex = device.ifindex;
    const fault = ipv6Fault(skb.memory.view, skb.network, skb.tail - skb.data, skb.len) ?? addressFault(skb, device);
    return fault === null && this.#isStray(skb) ? 'ipv6.unicast-by-multicast' : fault;
  }

  /** To one, in a frame to many. */
  #isStray({ type, memory: { view }, network, ifindex }: Skb): boolean {
    if (type !== SKB_TYPE.MULTICAST && type !== SKB_TYPE.BROADCAST) return false;
    return !isMulticast(ipv6Dst(view, network, 0)) && this.#around.conf.value(ifindex, 'drop_unicast_in_l2_multicast') !== 0;
  }

  #take(skb: Skb): number {
    const whole = this.#headers.walk(skb);
    if (whole === null) return TRANSMIT.DROPPED;
    return runHooks(this.#hooks.input, whole, this.#around.traffic.current.byIndex(whole.ifindex), null);
  }

  /** What the last Next Header says, also after hooks have changed the packet. */
  #upperProtocol(skb: Skb): number {
    const first = ipv6NextHeader(skb.memory.view, skb.network);
    if (!isExtensionHeader(first)) return first;
    walkHeaders(skb, this.#around.settings.limits, this.#chain);
    return this.#chain.protocol;
  }

  #isHere(skb: Skb): boolean {
    const { network, ifindex } = skb;
    const { view } = skb.memory;
    const device = this.#links.of(ifindex)?.device;
    const any = device !== undefined && (device.flags & DEVICE_FLAG.LOOPBACK) !== 0;
    const word0 = ipv6Dst(view, network, 0);
    const word1 = ipv6Dst(view, network, 1);
    return this.#links.find(word0, word1, ipv6Dst(view, network, 2), ipv6Dst(view, network, 3), any ? 0 : ifindex) !== null;
  }

  #toRouters(skb: Skb, device: NetDevice): boolean {
    const { items, owners } = this.#around.routers;
    const { current } = this.#around;
    const caller = current.id;
    let isRouted = false;
    for (let i = 0; i < items.length; i++) {
      if (items[i]!.family !== this.#layer.family) continue;
      isRouted = true;
      current.id = owners[i]!;
      items[i]!.forward(skb, device);
    }
    current.id = caller;
    return isRouted;
  }

  /** There is no way. Hosts say nothing: it was no business of theirs (RFC 4443 §3.1 speaks of routers). */
  #refuse(skb: Skb, type: number): void {
    if (this.#around.conf.value(skb.ifindex, 'forwarding') === 0 || type === ROUTE_TYPE.BLACKHOLE) return;
    this.#layer.refuse(skb, type === ROUTE_TYPE.PROHIBIT ? REFUSAL.PROHIBITED : REFUSAL.NET_UNREACHABLE, 0);
  }

  #drop(skb: Skb, name: Ipv6Reason): number {
    skb.memory.pool.drop(skb, this.#around.reasons[name]);
    return TRANSMIT.DROPPED;
  }
}

/** To a solicited-node group (RFC 4291 §2.7.1)? */
function isSolicitedNode({ memory: { view }, network }: Skb): boolean {
  const [word0, word1, word2] = SOLICITED_NODE;
  if (ipv6Dst(view, network, 0) !== word0 || ipv6Dst(view, network, 1) !== word1 || ipv6Dst(view, network, 2) !== word2) return false;
  return ipv6Dst(view, network, 3) >>> 24 === 0xff;
}

/** Addresses that no packet on a wire may have (RFC 4291 §2.5.2, §2.5.3, §2.7; RFC 4942 §2.2). */
function addressFault(skb: Skb, device: NetDevice): Ipv6Reason | null {
  const { network } = skb;
  const { view } = skb.memory;
  const fromOutside = (device.flags & DEVICE_FLAG.LOOPBACK) === 0;
  const src0 = ipv6Src(view, network, 0);
  const src1 = ipv6Src(view, network, 1);
  const src2 = ipv6Src(view, network, 2);
  const src3 = ipv6Src(view, network, 3);
  if (isMulticast(src0) || isMapped(src0, src1, src2)) return 'ipv6.source';
  if (fromOutside && isLoopback(src0, src1, src2, src3)) return 'ipv6.source';
  const dst0 = ipv6Dst(view, network, 0);
  const dst1 = ipv6Dst(view, network, 1);
  const dst2 = ipv6Dst(view, network, 2);
  const dst3 = ipv6Dst(view, network, 3);
  if (isMulticast(dst0)) {
    const scope = multicastScope(dst0);
    return scope === 0 || (fromOutside && scope === SCOPE.INTERFACE) ? 'ipv6.destination' : null;
  }
  if (isUnspecified(dst0, dst1, dst2, dst3) || isMapped(dst0, dst1, dst2)) return 'ipv6.destination';
  return fromOutside && isLoopback(dst0, dst1, dst2, dst3) ? 'ipv6.destination' : null;
}
