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
  SkbStep,
  SockCommon,
} from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_SCOPE, ADDRESS_TYPE, ETHERTYPE, IPV4_WORD2, ROUTE_TYPE } from '@softnet/contract';
import type { LayerSteps } from '@softnet/inet';
import { IPV4_HEADER_BYTES, ipv4FragmentOffsetBytes, ipv4HeaderBytes, ipv4Protocol, ipv4Version, readIpv4Ends } from '@softnet/wire';
import type { Joints } from './joints.ts';
import type { Ipv4Parts } from './parts.ts';
import type { Forwarding } from './path/forwarding.ts';
import type { Input } from './path/input.ts';
import type { Ipv4Offload } from './path/offload.ts';
import type { Output } from './path/output.ts';

/** What is held by who goes by the layer, and what it keeps. */
export interface LayerObjects {
  readonly uses: Objects<DstUse>;
  readonly addresses: Objects<InterfaceAddress>;
}

/** The ways of the layer. */
export interface LayerWays {
  readonly input: Input;
  readonly forwarding: Forwarding;
  readonly output: Output;
  readonly offload: Ipv4Offload;
}

/** IPv4 (RFC 791, RFC 1122 §3, RFC 1812), as routes, protocols and devices see it. */
export class Ipv4Layer implements NetworkLayer, EthertypeHandler {
  readonly name = 'ipv4';
  readonly family: number = ADDRESS_FAMILY.INET;
  readonly ethertype: number = ETHERTYPE.IPV4;
  readonly headerBytes: number = IPV4_HEADER_BYTES;
  readonly minMtuBytes = 68;
  readonly gro: Gro;
  readonly segment: Segment;
  readonly uses: Objects<DstUse>;
  readonly addresses: Objects<InterfaceAddress>;
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #ways: LayerWays;

  constructor(parts: Ipv4Parts, joints: Joints, objects: LayerObjects, ways: LayerWays) {
    this.uses = objects.uses;
    this.addresses = objects.addresses;
    this.#parts = parts;
    this.#joints = joints;
    this.#ways = ways;
    this.gro = ways.offload;
    this.segment = (skb, features, out) => ways.offload.segment(skb, features, out);
  }

  /** What follows each hook point. */
  get steps(): LayerSteps {
    const { input, forwarding, output } = this.#ways;
    return {
      prerouting: (skb, device) => input.routed(skb, device),
      input: (skb) => input.admitted(skb),
      forward: (skb) => forwarding.forwarded(skb),
      output: (skb) => output.sent(skb),
      postrouting: (skb) => output.posted(skb),
    };
  }

  send(skb: Skb, flow: Flow, sock: SockCommon | null, packet: PacketOptions | null = null): number {
    return this.#ways.output.send(skb, flow, sock, null, packet);
  }

  reenter(skb: Skb): number {
    return this.#ways.output.reenter(skb);
  }

  input(skb: Skb, device: NetDevice): void {
    this.#ways.input.receive(skb, device);
  }

  receive(skb: Skb, device: NetDevice): void {
    this.#ways.input.receive(skb, device);
  }

  deliver(skb: Skb, protocol: number): void {
    this.#joints.delivery.deliver(skb, protocol);
  }

  prepare(dst: Dst): void {
    const { output } = this.#ways;
    dst.input = this.#inputOf(dst.type);
    dst.output = output.output;
    dst.finish = output.finish;
    dst.uses = this.uses;
    dst.headroomBytes += IPV4_HEADER_BYTES;
  }

  needsCarrier(device: NetDevice): boolean {
    return this.#parts.conf.value(device.ifindex, 'ignore_routes_with_linkdown') !== 0;
  }

  chooseSource(flow: Flow, dst: Dst): boolean {
    const { book } = this.#parts;
    // To oneself from oneself; else by what is on the link of the next hop.
    const isHere = dst.type === ROUTE_TYPE.LOCAL;
    const target = dst.gatewayFamily === ADDRESS_FAMILY.INET ? dst.gateway3 : flow.dst3;
    const scope = dst.gatewayFamily === 0 ? ADDRESS_SCOPE.LINK : ADDRESS_SCOPE.UNIVERSE;
    const source = isHere ? flow.dst3 : book.sourceFor(dst.device, target, scope);
    if (source === 0) return false;
    flow.src0 = 0;
    flow.src1 = 0;
    flow.src2 = IPV4_WORD2;
    flow.src3 = source;
    return true;
  }

  addressType(address0: number, address1: number, address2: number, address3: number, ifindex: number): number {
    if (address0 !== 0 || address1 !== 0) return ADDRESS_TYPE.INVALID;
    if (address2 === 0 && address3 === 0) return ADDRESS_TYPE.UNSPECIFIED;
    return address2 === IPV4_WORD2 ? this.#parts.book.typeOf(address3, ifindex) : ADDRESS_TYPE.INVALID;
  }

  readKey({ memory: { view }, network, ifindex }: Skb, key: FlowKey): void {
    key.protocol = ipv4Protocol(view, network);
    readIpv4Ends(view, network, key);
    key.ifindex = ifindex;
  }

  refuse(skb: Skb, refusal: number, info: number): void {
    this.#joints.icmp.refuse(skb, refusal, info);
  }

  /** Ports of the first fragment only: the others go by their addresses. */
  dissect(memory: PacketMemory, offset: number, endOffset: number, key: FlowKey): boolean {
    const { view } = memory;
    if (endOffset - offset < IPV4_HEADER_BYTES || ipv4Version(view, offset) !== 4) return false;
    const headerBytes = ipv4HeaderBytes(view, offset);
    if (headerBytes < IPV4_HEADER_BYTES || endOffset - offset < headerBytes) return false;
    key.protocol = ipv4Protocol(view, offset);
    readIpv4Ends(view, offset, key);
    key.localPort = 0;
    key.remotePort = 0;
    if (ipv4FragmentOffsetBytes(view, offset) === 0) {
      this.#joints.delivery.dissect(memory, key.protocol, offset + headerBytes, endOffset, key);
    }
    return true;
  }

  #inputOf(type: number): SkbStep {
    const { input, forwarding } = this.#ways;
    return type === ROUTE_TYPE.UNICAST ? forwarding.forward : input.deliver;
  }
}
