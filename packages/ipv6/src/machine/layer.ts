import type {
  Dst,
  DstUse,
  EthertypeHandler,
  Flow,
  FlowKey,
  Gro,
  InterfaceAddress,
  NetDevice,
  NetworkLayer,
  Objects,
  PacketMemory,
  PacketOptions,
  Segment,
  Skb,
  SockCommon,
} from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_TYPE, DEVICE_FLAG, ETHERTYPE, ROUTE_TYPE, TRANSMIT } from '@softnet/contract';
import type { Delivery } from '@softnet/inet';
import {
  IPV6_HEADER_BYTES,
  IPV6_NEXT_HEADER,
  Ipv6HeaderChain,
  ipv6NextHeader,
  ipv6Version,
  isExtensionHeader,
  readIpv6Ends,
  walkExtensionHeaders,
} from '@softnet/wire';
import { isLinkLocal, isMapped, isMulticast, isUnspecified } from './address-kind.ts';
import { isUsable } from './address-use.ts';
import type { Ipv6Forward } from './forward.ts';
import type { IcmpErrors } from './icmp-errors.ts';
import type { Ipv6Input } from './input.ts';
import { mtuOn } from './link-values.ts';
import type { Ipv6Offload } from './offload.ts';
import type { Ipv6Output } from './output.ts';
import { IPV6_MIN_MTU } from './output.ts';
import { isBetterSource, isCandidate, SourceWish } from './source-selection.ts';
import type { Links, Surroundings } from './surroundings.ts';

/** The parts of the way, which call one another by the layer. */
export interface Ipv6Path {
  readonly input: Ipv6Input;
  readonly output: Ipv6Output;
  readonly forward: Ipv6Forward;
  readonly errors: IcmpErrors;
  readonly delivery: Delivery;
}

/** Of `use_tempaddr`. */
const PREFERS_TEMPORARY = 2;

/** IPv6 (RFC 8200), as protocols, routes and devices see it. */
export class Ipv6Layer implements NetworkLayer, EthertypeHandler {
  readonly name = 'ipv6';
  readonly family = ADDRESS_FAMILY.INET6;
  readonly ethertype = ETHERTYPE.IPV6;
  readonly headerBytes = IPV6_HEADER_BYTES;
  readonly minMtuBytes = IPV6_MIN_MTU;
  readonly gro: Gro;
  readonly segment: Segment;
  readonly uses: Objects<DstUse>;
  readonly addresses: Objects<InterfaceAddress>;
  /** Set once, before the first packet. */
  path!: Ipv6Path;
  readonly #around: Surroundings;
  readonly #links: Links;
  readonly #wish = new SourceWish();
  readonly #chain = new Ipv6HeaderChain();

  constructor(around: Surroundings, links: Links, uses: Objects<DstUse>, addresses: Objects<InterfaceAddress>, offload: Ipv6Offload) {
    this.gro = offload;
    this.segment = (skb, features, out) => offload.segment(skb, features, out);
    this.#around = around;
    this.#links = links;
    this.uses = uses;
    this.addresses = addresses;
    this.#wish.labels = around.labels;
  }

  input(skb: Skb, device: NetDevice): void {
    this.path.input.receive(skb, device);
  }

  receive(skb: Skb, device: NetDevice): void {
    skb.protocol = ETHERTYPE.IPV6;
    this.path.input.receive(skb, device);
  }

  send(skb: Skb, flow: Flow, sock: SockCommon | null, packet: PacketOptions | null = null): number {
    return this.path.output.send(skb, flow, sock, packet);
  }

  reenter(skb: Skb): number {
    return this.path.output.reenter(skb);
  }

  deliver(skb: Skb, protocol: number): void {
    this.path.delivery.deliver(skb, protocol);
  }

  refuse(skb: Skb, refusal: number, info: number): void {
    this.path.errors.refuse(skb, refusal, info);
  }

  prepare(dst: Dst): void {
    const { input, output, forward } = this.path;
    dst.uses = this.uses;
    dst.headroomBytes += IPV6_HEADER_BYTES;
    if (dst.device !== null) dst.mtuBytes = mtuOn(this.#around, this.#links, dst.device.ifindex, dst.mtuBytes);
    dst.output = dst.error === 0 ? output.output : this.#noWay;
    dst.finish = output.finish;
    if (dst.error !== 0) dst.input = this.#noWay;
    else if (dst.type === ROUTE_TYPE.LOCAL || dst.type === ROUTE_TYPE.ANYCAST) dst.input = input.accept;
    else if (dst.type === ROUTE_TYPE.MULTICAST) dst.input = input.acceptGroup;
    else dst.input = forward.forward;
  }

  needsCarrier(device: NetDevice): boolean {
    return this.#around.conf.value(device.ifindex, 'ignore_routes_with_linkdown') !== 0;
  }

  chooseSource(flow: Flow, dst: Dst): boolean {
    const wish = this.#wish;
    wish.word0 = flow.dst0;
    wish.word1 = flow.dst1;
    wish.word2 = flow.dst2;
    wish.word3 = flow.dst3;
    wish.ifindex = dst.device === null ? flow.oif : dst.device.ifindex;
    wish.hasGateway = dst.gatewayFamily === ADDRESS_FAMILY.INET6;
    wish.gateway0 = dst.gateway0;
    wish.gateway1 = dst.gateway1;
    wish.gateway2 = dst.gateway2;
    wish.gateway3 = dst.gateway3;
    wish.prefersTemporary = this.#around.conf.value(wish.ifindex, 'use_tempaddr') >= PREFERS_TEMPORARY;
    wish.takesOptimistic = this.#around.conf.value(wish.ifindex, 'use_optimistic') !== 0;
    let best: InterfaceAddress | null = null;
    const { addresses } = this.#links;
    for (let i = 0; i < addresses.length; i++) {
      const each = addresses[i]!;
      if (isCandidate(each, wish) && (best === null || isBetterSource(each, best, wish))) best = each;
    }
    if (best === null) return false;
    const { address } = best;
    flow.src0 = address[0];
    flow.src1 = address[1];
    flow.src2 = address[2];
    flow.src3 = address[3];
    return true;
  }

  addressType(address0: number, address1: number, address2: number, address3: number, ifindex: number): number {
    if (isUnspecified(address0, address1, address2, address3)) return ADDRESS_TYPE.UNSPECIFIED;
    if (isMulticast(address0)) return ADDRESS_TYPE.MULTICAST;
    if (isMapped(address0, address1, address2)) return ADDRESS_TYPE.INVALID;
    const own = this.#links.find(address0, address1, address2, address3, ifindex);
    return own === null || !isUsable(own) ? ADDRESS_TYPE.UNICAST : ADDRESS_TYPE.LOCAL;
  }

  readKey(skb: Skb, key: FlowKey): void {
    const { network } = skb;
    const { view } = skb.memory;
    const first = ipv6NextHeader(view, network);
    key.protocol = isExtensionHeader(first) ? this.#lastProtocol(skb, first) : first;
    readIpv6Ends(view, network, key);
    key.ifindex = this.#scopeOf(skb.ifindex, key);
  }

  dissect(memory: PacketMemory, offset: number, endOffset: number, key: FlowKey): boolean {
    const { view } = memory;
    if (endOffset - offset < IPV6_HEADER_BYTES || ipv6Version(view, offset) !== 6) return false;
    const chain = this.#chain;
    const start = offset + IPV6_HEADER_BYTES;
    const first = ipv6NextHeader(view, offset);
    const fault = walkExtensionHeaders(view, first, offset + IPV6_NEXT_HEADER, start, endOffset, this.#around.settings.limits, chain);
    if (fault !== null || chain.transport < 0) return false;
    key.protocol = chain.protocol;
    readIpv6Ends(view, offset, key);
    return this.path.delivery.dissect(memory, chain.protocol, chain.transport, endOffset, key);
  }

  #lastProtocol(skb: Skb, first: number): number {
    const { network, tail } = skb;
    const start = network + IPV6_HEADER_BYTES;
    walkExtensionHeaders(skb.memory.view, first, network + IPV6_NEXT_HEADER, start, tail, this.#around.settings.limits, this.#chain);
    return this.#chain.protocol;
  }

  /** What a host sends to a link-local address of its own comes in by the loopback device, but belongs to the address's link (RFC 4007 §6). */
  #scopeOf(ifindex: number, { local0, local1, local2, local3 }: FlowKey): number {
    if (!isLinkLocal(local0)) return ifindex;
    const device = this.#links.of(ifindex)?.device;
    if (device === undefined || (device.flags & DEVICE_FLAG.LOOPBACK) === 0) return ifindex;
    return this.#links.find(local0, local1, local2, local3, 0)?.device.ifindex ?? ifindex;
  }

  readonly #noWay = (skb: Skb): number => {
    const { reasons } = this.#around;
    skb.memory.pool.drop(skb, skb.dst?.type === ROUTE_TYPE.BLACKHOLE ? reasons['ipv6.blackhole'] : reasons['ipv6.no-route']);
    return TRANSMIT.DROPPED;
  };
}
