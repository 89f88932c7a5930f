import type { InterfaceAddress, Neighbour, NeighbourProtocol, NetDevice, Skb } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  ADDRESS_FLAG,
  DEVICE_FLAG,
  Flow,
  IP_PROTOCOL,
  NEIGHBOUR_STATE,
  NEIGHBOUR_UPDATE,
  SKB_TYPE,
} from '@softnet/contract';
import { gather, put } from '@softnet/skb';
import {
  finishIcmpv6,
  ICMPV6_TYPE,
  icmpRest,
  icmpType,
  ipv6Src,
  pseudoHeaderSum,
  putAddress,
  setIcmpRest,
  setIcmpTypeAndCode,
} from '@softnet/wire';
import { NA_FLAG, ND_HOP_LIMIT, ND_NEIGHBOUR_BYTES, ND_TARGET, NdMessage, readNdMessage } from '../wire/neighbour-message.ts';
import { linkAddressOptionBytes, ND_OPTION, writeLinkAddressOption } from '../wire/neighbour-option.ts';
import {
  ALL_NODES,
  isLinkLocal,
  isMulticast,
  isUnspecified,
  SOLICITED_NODE,
  solicitedNodeWord3,
  writeMulticastMac,
} from './address-kind.ts';
import { beginIcmpFlow } from './flow-of.ts';
import type { Ipv6Output } from './output.ts';
import type { Ipv6Reason } from './reasons.ts';
import type { Link, Links, Surroundings } from './surroundings.ts';

/** What becomes of packets whose neighbour did not answer. */
export interface Unreachable {
  /** Tells the sender. Does not take the packet. */
  unreachable(skb: Skb): void;
}

const { CREATE, OVERRIDE, SOLICITED, IS_ROUTER } = NEIGHBOUR_UPDATE;
const HAS_LINK_ADDRESS = NEIGHBOUR_STATE.REACHABLE | NEIGHBOUR_STATE.STALE | NEIGHBOUR_STATE.DELAY | NEIGHBOUR_STATE.PROBE;

/** Address resolution and unreachability detection on the wire (RFC 4861 §7); states and timers are the neighbour core's. */
export class NeighbourDiscovery implements NeighbourProtocol {
  readonly family = ADDRESS_FAMILY.INET6;
  readonly #around: Surroundings;
  readonly #links: Links;
  readonly #output: Ipv6Output;
  readonly #unreachable: Unreachable;
  readonly #flow = new Flow();
  readonly #message = new NdMessage();

  constructor(around: Surroundings, links: Links, output: Ipv6Output, unreachable: Unreachable) {
    this.#around = around;
    this.#links = links;
    this.#output = output;
    this.#unreachable = unreachable;
  }

  // NeighbourProtocol.

  begin(neighbour: Neighbour): number {
    const { device, linkAddress, address0, address3 } = neighbour;
    if (device.addressLen === 0) return NEIGHBOUR_STATE.NOARP;
    if (isMulticast(address0)) {
      if (device.addressLen === 6) writeMulticastMac(linkAddress, address3);
      else linkAddress.set(device.broadcast.subarray(0, linkAddress.length));
      return NEIGHBOUR_STATE.NOARP;
    }
    if ((device.flags & (DEVICE_FLAG.LOOPBACK | DEVICE_FLAG.NOARP)) !== 0) {
      linkAddress.set(device.address.subarray(0, linkAddress.length));
      return NEIGHBOUR_STATE.NOARP;
    }
    if ((device.flags & DEVICE_FLAG.POINTOPOINT) === 0) return NEIGHBOUR_STATE.NONE;
    linkAddress.set(device.broadcast.subarray(0, linkAddress.length));
    return NEIGHBOUR_STATE.NOARP;
  }

  solicit(neighbour: Neighbour, waiting: Skb | null): void {
    const { device, address0, address1, address2, address3, state } = neighbour;
    const link = this.#links.of(device.ifindex);
    if (link === null) return;
    const flow = this.#flow;
    beginIcmpFlow(flow, IP_PROTOCOL.ICMPV6, ICMPV6_TYPE.NEIGHBOR_SOLICITATION, 0);
    if (!this.#sourceOf(link, waiting, flow)) return;
    const isProbe = state === NEIGHBOUR_STATE.PROBE;
    flow.dst0 = isProbe ? address0 : SOLICITED_NODE[0];
    flow.dst1 = isProbe ? address1 : SOLICITED_NODE[1];
    flow.dst2 = isProbe ? address2 : SOLICITED_NODE[2];
    flow.dst3 = isProbe ? address3 : solicitedNodeWord3(address3);
    this.#send(link, 0, address0, address1, address2, address3, ND_OPTION.SOURCE_LINK_ADDRESS);
  }

  failed(_neighbour: Neighbour, skb: Skb): void {
    this.#unreachable.unreachable(skb);
    skb.memory.pool.drop(skb, this.#around.reasons['ipv6.address-unreachable']);
  }

  /** No router has said them: the core's settings hold. */
  reachableMs(_device: NetDevice): number {
    return 0;
  }

  retransMs(_device: NetDevice): number {
    return 0;
  }

  // Received messages.

  /** A message whose checksum is right, `data` = `transport`. Null: it is taken; else why it is to be dropped. */
  receive(skb: Skb): Ipv6Reason | null {
    const link = this.#links.of(skb.ifindex);
    if (link === null || !gather(skb, skb.len)) return 'ipv6.no-memory';
    const { view } = skb.memory;
    const message = this.#message;
    const fault = readNdMessage(view, skb.network, skb.transport, skb.tail, link.device.addressLen, message);
    if (fault !== null) return fault;
    const type = icmpType(view, skb.transport);
    if (type === ICMPV6_TYPE.NEIGHBOR_SOLICITATION) return this.#solicited(skb, link, message);
    return type === ICMPV6_TYPE.NEIGHBOR_ADVERTISEMENT ? this.#advertised(skb, link, message) : 'nd.router';
  }

  /** RFC 4861 §7.2.3, §7.2.4. */
  #solicited(skb: Skb, link: Link, { sourceLinkAddress }: NdMessage): Ipv6Reason | null {
    const { network, transport } = skb;
    const { bytes, view } = skb.memory;
    const at = transport + ND_TARGET;
    const target0 = view.getInt32(at);
    const target1 = view.getInt32(at + 4);
    const target2 = view.getInt32(at + 8);
    const target3 = view.getInt32(at + 12);
    const ours = this.#links.find(target0, target1, target2, target3, link.device.ifindex);
    if (!isAnswered(ours, link)) return 'nd.not-ours';
    const src0 = ipv6Src(view, network, 0);
    const src1 = ipv6Src(view, network, 1);
    const src2 = ipv6Src(view, network, 2);
    const src3 = ipv6Src(view, network, 3);
    const isAnonymous = isUnspecified(src0, src1, src2, src3);
    if (!isAnonymous && this.#links.find(src0, src1, src2, src3, link.device.ifindex) !== null) return 'nd.conflict';
    if (sourceLinkAddress >= 0) this.#learn(link.device, src0, src1, src2, src3, bytes, sourceLinkAddress, CREATE | OVERRIDE);
    const flow = this.#flow;
    beginIcmpFlow(flow, IP_PROTOCOL.ICMPV6, ICMPV6_TYPE.NEIGHBOR_ADVERTISEMENT, 0);
    flow.src0 = target0;
    flow.src1 = target1;
    flow.src2 = target2;
    flow.src3 = target3;
    flow.dst0 = isAnonymous ? ALL_NODES[0] : src0;
    flow.dst1 = isAnonymous ? ALL_NODES[1] : src1;
    flow.dst2 = isAnonymous ? ALL_NODES[2] : src2;
    flow.dst3 = isAnonymous ? ALL_NODES[3] : src3;
    const router = this.#around.conf.value(link.device.ifindex, 'forwarding') !== 0 ? NA_FLAG.ROUTER : 0;
    const flags = router | NA_FLAG.OVERRIDE | (isAnonymous ? 0 : NA_FLAG.SOLICITED);
    skb.memory.pool.release(skb);
    this.#send(link, flags, target0, target1, target2, target3, ND_OPTION.TARGET_LINK_ADDRESS);
    return null;
  }

  /** RFC 4861 §7.2.5. */
  #advertised(skb: Skb, link: Link, { targetLinkAddress }: NdMessage): Ipv6Reason | null {
    const { device } = link;
    const { bytes, view } = skb.memory;
    const at = skb.transport + ND_TARGET;
    const target0 = view.getInt32(at);
    const target1 = view.getInt32(at + 4);
    const target2 = view.getInt32(at + 8);
    const target3 = view.getInt32(at + 12);
    if (this.#links.find(target0, target1, target2, target3, device.ifindex) !== null) return 'nd.conflict';
    const flags = icmpRest(view, skb.transport);
    const bits = updateOf(flags);
    if (targetLinkAddress >= 0) this.#learn(device, target0, target1, target2, target3, bytes, targetLinkAddress, bits);
    else {
      // Who was asked by unicast need not say it: what is known is confirmed, or nothing is (RFC 4861 §4.4, §7.2.5).
      const known = this.#known(device, target0, target1, target2, target3);
      if (known === null) return 'nd.no-link-address';
      this.#learn(device, target0, target1, target2, target3, known.linkAddress, 0, bits);
    }
    skb.memory.pool.release(skb);
    return null;
  }

  #learn(
    device: NetDevice,
    word0: number,
    word1: number,
    word2: number,
    word3: number,
    bytes: Uint8Array,
    offset: number,
    bits: number,
  ): void {
    const { neighbours, current } = this.#around;
    const caller = current.id;
    current.id = neighbours.owner;
    neighbours.current.learn(device, this.family, word0, word1, word2, word3, bytes, offset, bits);
    current.id = caller;
  }

  /** One whose link address is known. Looks at all there are (which are bounded): it must not be made for the asking. */
  #known(device: NetDevice, word0: number, word1: number, word2: number, word3: number): Neighbour | null {
    for (const neighbour of this.#around.neighbours.current.entries(this.family)) {
      const { address0, address1, address2, address3, state } = neighbour;
      if (address3 !== word3 || address2 !== word2 || address1 !== word1 || address0 !== word0 || neighbour.device !== device) continue;
      return (state & HAS_LINK_ADDRESS) !== 0 ? neighbour : null;
    }
    return null;
  }

  // Sent messages.

  /** The source of the packet that waits, if it is one of the link's, else a link-local address of it, else any. False: it has none. */
  #sourceOf(link: Link, waiting: Skb | null, flow: Flow): boolean {
    const own = waiting === null ? null : this.#ownSource(waiting, link);
    const address = own ?? link.addresses.find(({ address: [word0] }) => isLinkLocal(word0)) ?? link.addresses[0];
    if (address === undefined) return false;
    flow.src0 = address.address[0];
    flow.src1 = address.address[1];
    flow.src2 = address.address[2];
    flow.src3 = address.address[3];
    return true;
  }

  #ownSource({ memory, network }: Skb, { device }: Link): InterfaceAddress | null {
    const { view } = memory;
    const word0 = ipv6Src(view, network, 0);
    const word1 = ipv6Src(view, network, 1);
    const word2 = ipv6Src(view, network, 2);
    const address = this.#links.find(word0, word1, word2, ipv6Src(view, network, 3), device.ifindex);
    return address?.device === device ? address : null;
  }

  /** To both ends of the flow, about this target. @param rest flags. @param option which link address option says ours. */
  #send(link: Link, rest: number, target0: number, target1: number, target2: number, target3: number, option: number): void {
    const { device, dst } = link;
    const flow = this.#flow;
    const optionBytes = device.addressLen === 0 ? 0 : linkAddressOptionBytes(device.addressLen);
    const lenBytes = ND_NEIGHBOUR_BYTES + optionBytes;
    const skb = this.#around.pool.current.alloc(dst.headroomBytes, lenBytes + dst.tailroomBytes);
    if (skb === null) return;
    const at = put(skb, lenBytes);
    const { view } = skb.memory;
    setIcmpTypeAndCode(view, at, flow.srcPort, 0);
    setIcmpRest(view, at, rest);
    putAddress(view, at + ND_TARGET, this.family, target0, target1, target2, target3);
    if (optionBytes > 0) writeLinkAddressOption(view, at + ND_NEIGHBOUR_BYTES, option, device.address, device.addressLen);
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = flow;
    finishIcmpv6(view, at, lenBytes, pseudoHeaderSum(src0, src1, src2, src3, dst0, dst1, dst2, dst3, IP_PROTOCOL.ICMPV6, lenBytes));
    skb.transport = at;
    skb.type = SKB_TYPE.OUTGOING;
    skb.dst = dst;
    flow.oif = device.ifindex;
    this.#output.emit(skb, flow, ND_HOP_LIMIT, 0);
  }
}

/** One that is still being tried answers nobody (RFC 4862 §5.4). */
function isAnswered(ours: InterfaceAddress | null, { device }: Link): boolean {
  if (ours === null || ours.device !== device) return false;
  return (ours.flags & (ADDRESS_FLAG.TENTATIVE | ADDRESS_FLAG.DAD_FAILED)) === 0;
}

/** Bits of `Neighbours.learn` for the flags of an advertisement. */
function updateOf(flags: number): number {
  const override = (flags & NA_FLAG.OVERRIDE) !== 0 ? OVERRIDE : 0;
  const solicited = (flags & NA_FLAG.SOLICITED) !== 0 ? SOLICITED : 0;
  return override | solicited | ((flags & NA_FLAG.ROUTER) !== 0 ? IS_ROUTER : 0);
}
