import type { InterfaceAddress, Neighbour, NeighbourProtocol, NetDevice, Skb } from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_FLAG, Flow, IP_PROTOCOL, NEIGHBOUR_STATE, NEIGHBOUR_UPDATE } from '@softnet/contract';
import { gather } from '@softnet/skb';
import { ICMPV6_TYPE, IPV6_SRC, icmpRest, icmpType, ipv6Src, readAddress } from '@softnet/wire';
import type { OwnAddressNews } from '../dad/own-address-news.ts';
import { NA_FLAG, ND_TARGET, NdMessage, readNdMessage } from '../wire/neighbour-message.ts';
import { ND_OPTION } from '../wire/neighbour-option.ts';
import {
  ALL_NODES,
  commonPrefixLen,
  isLinkLocal,
  isMulticast,
  isUnspecified,
  SOLICITED_NODE,
  solicitedNodeWord3,
  writeMulticastMac,
} from './address-kind.ts';
import { hasFailed, isSettled, isTentative, isUsable } from './address-use.ts';
import { beginIcmpFlow } from './flow-of.ts';
import type { NeighbourSender } from './neighbour-sender.ts';
import type { Ipv6Reason } from './reasons.ts';
import type { RouterMessages } from './router-messages.ts';
import type { Link, Links, Surroundings } from './surroundings.ts';

/** What becomes of packets whose neighbour did not answer. */
export interface Unreachable {
  /** Tells the sender. Does not take the packet. */
  unreachable(skb: Skb): void;
}

const { CREATE, OVERRIDE, SOLICITED, IS_ROUTER, ANSWER } = NEIGHBOUR_UPDATE;

/** Address resolution and unreachability detection on the wire (RFC 4861 §7); states and timers are the neighbour core's. */
export class NeighbourDiscovery implements NeighbourProtocol {
  readonly family = ADDRESS_FAMILY.INET6;
  readonly #around: Surroundings;
  readonly #links: Links;
  readonly #sender: NeighbourSender;
  readonly #news: OwnAddressNews;
  readonly #unreachable: Unreachable;
  readonly #routers: RouterMessages;
  readonly #flow = new Flow();
  /** Not the same: what is learnt may send what waited, which may solicit others. */
  readonly #answer = new Flow();
  readonly #message = new NdMessage();

  constructor(
    around: Surroundings,
    links: Links,
    sender: NeighbourSender,
    news: OwnAddressNews,
    routers: RouterMessages,
    unreachable: Unreachable,
  ) {
    this.#around = around;
    this.#routers = routers;
    this.#links = links;
    this.#sender = sender;
    this.#news = news;
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
    this.#sender.send(link, flow, 0, address0, address1, address2, address3, ND_OPTION.SOURCE_LINK_ADDRESS, null);
  }

  failed(_neighbour: Neighbour, skb: Skb): void {
    this.#unreachable.unreachable(skb);
    skb.memory.pool.drop(skb, this.#around.reasons['ipv6.address-unreachable']);
  }

  reachableMs({ ifindex }: NetDevice): number {
    return this.#links.of(ifindex)?.reachableMs ?? 0;
  }

  retransMs({ ifindex }: NetDevice): number {
    return this.#links.of(ifindex)?.retransMs ?? 0;
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
    if (type === ICMPV6_TYPE.NEIGHBOR_ADVERTISEMENT) return this.#advertised(skb, link, message);
    const reason = this.#ofRouters(type, skb, link, message);
    if (reason === null) skb.memory.pool.release(skb);
    return reason;
  }

  #ofRouters(type: number, skb: Skb, link: Link, message: NdMessage): Ipv6Reason | null {
    if (type === ICMPV6_TYPE.ROUTER_SOLICITATION) return this.#routers.solicited(skb, link, message);
    if (type === ICMPV6_TYPE.ROUTER_ADVERTISEMENT) return this.#routers.advertised(skb, link, message);
    return this.#routers.redirected(skb, link, message);
  }

  /** RFC 4861 §7.2.3, §7.2.4. */
  #solicited(skb: Skb, link: Link, message: NdMessage): Ipv6Reason | null {
    const { sourceLinkAddress, nonce, nonceBytes } = message;
    const { bytes } = skb.memory;
    const { device } = link;
    const answer = this.#answer;
    beginIcmpFlow(answer, IP_PROTOCOL.ICMPV6, ICMPV6_TYPE.NEIGHBOR_ADVERTISEMENT, 0);
    readEnds(skb, answer);
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = answer;
    const ours = this.#links.find(src0, src1, src2, src3, device.ifindex);
    const isAnycast = ours === null && link.isAnycast(src0, src1, src2, src3);
    if (!isAnycast && ours?.device !== device) return this.#askedForOther(skb, link, message);
    const isAnonymous = isUnspecified(dst0, dst1, dst2, dst3);
    if (isAnonymous && ours !== null && isTentative(ours)) return this.#news.probed(ours, bytes, nonce, nonceBytes);
    // One that is still being tried answers nobody (RFC 4862 §5.4), unless it is optimistic (RFC 4429 §3.3).
    if (ours !== null && !isUsable(ours)) return 'nd.not-ours';
    if (!isAnonymous && this.#own(dst0, dst1, dst2, dst3, device) !== null) return 'nd.conflict';
    if (sourceLinkAddress >= 0) this.#learn(device, dst0, dst1, dst2, dst3, bytes, sourceLinkAddress, CREATE | OVERRIDE);
    skb.memory.pool.release(skb);
    // What others may have too, or perhaps have, overrides nothing (RFC 4861 §7.2.4, RFC 4429 §3.3).
    this.#advertise(link, isAnycast, isAnycast || isTentative(ours!) ? 0 : NA_FLAG.OVERRIDE);
    return null;
  }

  /** An address of this host. One that was found to be another's is not: who has it is a neighbour (RFC 4862 §5.4.5). */
  #own(word0: number, word1: number, word2: number, word3: number, device: NetDevice): InterfaceAddress | null {
    const found = this.#links.find(word0, word1, word2, word3, device.ifindex);
    return found === null || hasFailed(found) ? null : found;
  }

  #askedForOther(skb: Skb, link: Link, message: NdMessage): Ipv6Reason | null {
    const reason = this.#routers.askedForOther(skb, link, message);
    if (reason === null) skb.memory.pool.release(skb);
    return reason;
  }

  /** To who asked; to all, if that was nobody by name. */
  #advertise(link: Link, isAnycast: boolean, override: number): void {
    const answer = this.#answer;
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = answer;
    const isAnonymous = isUnspecified(dst0, dst1, dst2, dst3);
    if (isAnonymous) {
      answer.dst0 = ALL_NODES[0];
      answer.dst3 = ALL_NODES[3];
    }
    const router = this.#around.conf.value(link.device.ifindex, 'forwarding') !== 0 ? NA_FLAG.ROUTER : 0;
    const flags = router | override | (isAnonymous ? 0 : NA_FLAG.SOLICITED);
    if (isAnycast) this.#news.askedAnycast(link, answer, flags);
    else this.#sender.send(link, answer, flags, src0, src1, src2, src3, ND_OPTION.TARGET_LINK_ADDRESS, null);
  }

  /** RFC 4861 §7.2.5. */
  #advertised(skb: Skb, link: Link, { targetLinkAddress }: NdMessage): Ipv6Reason | null {
    const { device } = link;
    const { bytes, view } = skb.memory;
    const { conf } = this.#around;
    const at = skb.transport + ND_TARGET;
    const target0 = view.getInt32(at);
    const target1 = view.getInt32(at + 4);
    const target2 = view.getInt32(at + 8);
    const target3 = view.getInt32(at + 12);
    const ours = this.#own(target0, target1, target2, target3, device);
    if (ours !== null) return ours.device === device ? this.#news.claimed(ours) : 'nd.conflict';
    const flags = icmpRest(view, skb.transport);
    if ((flags & NA_FLAG.SOLICITED) === 0 && conf.value(device.ifindex, 'drop_unsolicited_na') !== 0) return 'nd.unsolicited';
    const update = updateOf(flags) | (this.#routers.isAwaited(link, target0, target1, target2, target3) ? 0 : ANSWER);
    const isKnown = this.#learn(device, target0, target1, target2, target3, bytes, targetLinkAddress, update);
    if (!isKnown && targetLinkAddress >= 0 && this.#takesUntracked(skb, link)) {
      const made = (update & IS_ROUTER) | CREATE | OVERRIDE;
      this.#learn(device, target0, target1, target2, target3, bytes, targetLinkAddress, made);
    }
    // Who was asked by unicast need not say it: what is known is confirmed, or nothing is (RFC 4861 §4.4, §7.2.5).
    if (!isKnown && targetLinkAddress < 0) return 'nd.no-link-address';
    skb.memory.pool.release(skb);
    return null;
  }

  /** A router knows hosts before it has a packet for them, where that is wanted (RFC 9131 §6.1.1). Linux's `accept_untracked_na`. */
  #takesUntracked({ memory: { view }, network }: Skb, { device: { ifindex }, addresses }: Link): boolean {
    const { conf } = this.#around;
    const accepts = conf.value(ifindex, 'accept_untracked_na');
    if (accepts === 0 || conf.value(ifindex, 'forwarding') === 0) return false;
    const source = readAddress(view, network + IPV6_SRC, ADDRESS_FAMILY.INET6);
    return accepts === 1 || addresses.some(({ address, prefixLen }) => commonPrefixLen(address, ...source) >= prefixLen);
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
  ): boolean {
    const { neighbours, current } = this.#around;
    const caller = current.id;
    current.id = neighbours.owner;
    const isThere = neighbours.current.learn(device, this.family, word0, word1, word2, word3, bytes, offset, bits);
    current.id = caller;
    return isThere;
  }

  // Sent messages.

  /** The source of the packet that waits, if it is one of the link's, else a link-local address of it, else any. False: it has none. */
  #sourceOf(link: Link, waiting: Skb | null, flow: Flow): boolean {
    const own = waiting === null ? null : this.#ownSource(waiting, link);
    const address = own ?? this.#anySource(link);
    if (address === null) return false;
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
    return address?.device === device && isSettled(address) ? address : null;
  }

  /** A link-local one, if it may be used. None that may be another's: it would be learnt (RFC 4429 §3.2). */
  #anySource({ addresses }: Link): InterfaceAddress | null {
    let any: InterfaceAddress | null = null;
    for (let i = 0; i < addresses.length; i++) {
      const each = addresses[i]!;
      if (!isSettled(each)) continue;
      if (isLinkLocal(each.address[0])) return each;
      any ??= each;
    }
    return any;
  }
}

/** An answer's ends: from the target of what came, to its source. */
function readEnds({ memory: { view }, network, transport }: Skb, flow: Flow): void {
  const at = transport + ND_TARGET;
  flow.src0 = view.getInt32(at);
  flow.src1 = view.getInt32(at + 4);
  flow.src2 = view.getInt32(at + 8);
  flow.src3 = view.getInt32(at + 12);
  flow.dst0 = ipv6Src(view, network, 0);
  flow.dst1 = ipv6Src(view, network, 1);
  flow.dst2 = ipv6Src(view, network, 2);
  flow.dst3 = ipv6Src(view, network, 3);
}

/** Bits of `Neighbours.learn` for the flags of an advertisement. */
function updateOf(flags: number): number {
  const override = (flags & NA_FLAG.OVERRIDE) !== 0 ? OVERRIDE : 0;
  const solicited = (flags & NA_FLAG.SOLICITED) !== 0 ? SOLICITED : 0;
  return override | solicited | ((flags & NA_FLAG.ROUTER) !== 0 ? IS_ROUTER : 0);
}
