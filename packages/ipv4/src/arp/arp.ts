import type { EthertypeHandler, Neighbour, NeighbourProtocol, NetDevice, Skb } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  ADDRESS_TYPE,
  DEVICE_FLAG,
  ETHERTYPE,
  IPV4_WORD2,
  NEIGHBOUR_STATE,
  NEIGHBOUR_UPDATE,
  REFUSAL,
  SKB_TYPE,
} from '@softnet/contract';
import { gather } from '@softnet/skb';
import { ipv4Src } from '@softnet/wire';
import type { AddressClaims } from '../acd/address-claims.ts';
import type { Ipv4Drops } from '../drops.ts';
import type { Joints } from '../joints.ts';
import { announcedSource, isIgnored } from '../machine/arp-rules.ts';
import { isLinkLocal, isLoopback } from '../machine/special-address.ts';
import type { Ipv4Parts } from '../parts.ts';
import { drop } from '../parts.ts';
import type { ArpProxy } from './arp-proxy.ts';
import type { ArpSender } from './arp-sender.ts';
import { hasArp } from './arp-sender.ts';
import type { ProxyAnswers } from './proxy-answers.ts';
import { ARP_BYTES, ARP_OPERATION, ARP_SENDER_LINK, ARP_TARGET_LINK, arpFault, arpOperation, arpSender, arpTarget } from './wire.ts';

const { OVERRIDE, SOLICITED, CREATE } = NEIGHBOUR_UPDATE;

/** What ARP works with. */
export interface ArpWays {
  readonly sender: ArpSender;
  readonly proxy: ArpProxy;
  readonly delayed: ProxyAnswers;
  readonly claims: AddressClaims;
}

/** Address resolution on Ethernet (RFC 826, RFC 5227; Linux's arp.c): answers for this host's addresses, asks for others'. */
export class Arp implements EthertypeHandler, NeighbourProtocol {
  readonly name = 'arp';
  readonly ethertype: number = ETHERTYPE.ARP;
  readonly family: number = ADDRESS_FAMILY.INET;
  readonly dissect = null;
  readonly gro = null;
  readonly segment = null;
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #ways: ArpWays;

  constructor(parts: Ipv4Parts, joints: Joints, ways: ArpWays) {
    this.#parts = parts;
    this.#joints = joints;
    this.#ways = ways;
  }

  input(skb: Skb, device: NetDevice): void {
    const { drops } = this.#parts;
    if (!hasArp(device)) drop(skb, drops['arp.no-arp']);
    else if (!gather(skb, Math.min(skb.len, ARP_BYTES))) drop(skb, drops['ipv4.no-memory']);
    else {
      const fault =
        arpFault(skb.memory.view, skb.data, skb.tail - skb.data, device.type) ?? this.#fault(skb, device) ?? this.#process(skb, device);
      if (fault === null) skb.memory.pool.release(skb);
      else drop(skb, drops[fault]);
    }
  }

  /** What is wrong with it on this host and link. */
  #fault(skb: Skb, device: NetDevice): keyof Ipv4Drops | null {
    const { book, conf } = this.#parts;
    const { view, bytes } = skb.memory;
    const sender = arpSender(view, skb.data);
    const target = arpTarget(view, skb.data);
    const asks = arpOperation(view, skb.data) === ARP_OPERATION.REQUEST;
    if (this.#isOwnLink(bytes, skb.data + ARP_SENDER_LINK)) return 'arp.own';
    const isHere = isLoopback(target) && conf.value(device.ifindex, 'route_localnet') === 0;
    if (isHere || target >>> 29 === 7 || (asks && target === 0)) return 'arp.target';
    if (sender !== 0 && book.isBroadcast(sender, device.ifindex)) return 'arp.sender';
    const wasOurs = sender !== 0 && book.isLocal(sender, 0);
    if (this.#ways.claims.heard(device, sender, target) || wasOurs) return 'arp.conflict';
    if (sender !== 0 && sender === target && conf.value(device.ifindex, 'drop_gratuitous_arp') !== 0) return 'arp.gratuitous';
    return null;
  }

  /** RFC 826 "Packet Reception", with RFC 5227's probes and Linux's rules of what is learnt. */
  #process(skb: Skb, device: NetDevice): keyof Ipv4Drops | null {
    const { view } = skb.memory;
    const sender = arpSender(view, skb.data);
    const target = arpTarget(view, skb.data);
    if (arpOperation(view, skb.data) === ARP_OPERATION.REPLY) return this.#answered(skb, device, sender, target);
    if (this.#isOurs(target, device)) return this.#answer(skb, device, sender, target);
    if (sender === 0) return null;
    if (this.#ways.proxy.answersFor(device, sender, target)) this.#standIn(skb, device, sender, target);
    else this.#learn(skb, device, sender, sender === target && this.#makesNeighbours(device, sender) ? CREATE : 0);
    return null;
  }

  /** A link-local address is one of its own link only (RFC 3927 §2.6.2, §7). */
  #isOurs(target: number, { ifindex }: NetDevice): boolean {
    return this.#parts.book.isLocal(target, isLinkLocal(target) ? ifindex : 0);
  }

  #answer(skb: Skb, device: NetDevice, sender: number, target: number): keyof Ipv4Drops | null {
    const { book, conf } = this.#parts;
    if (isIgnored(book, conf.value(device.ifindex, 'arp_ignore'), device.ifindex, sender, target)) return 'arp.ignored';
    const isFiltered = sender !== 0 && conf.value(device.ifindex, 'arp_filter') !== 0;
    if (isFiltered && this.#ways.proxy.leavesElsewhere(device, sender, target)) return 'arp.filtered';
    if (sender !== 0) this.#learn(skb, device, sender, CREATE);
    this.#ways.sender.reply(device, target, sender, skb.memory.bytes, skb.data + ARP_SENDER_LINK);
    return null;
  }

  /** Who asked one host is answered at once; who asked all, after a while, so that the host itself comes first. */
  #standIn(skb: Skb, device: NetDevice, sender: number, target: number): void {
    const { bytes } = skb.memory;
    const at = skb.data + ARP_SENDER_LINK;
    this.#learn(skb, device, sender, CREATE);
    if (skb.type === SKB_TYPE.HOST || !this.#ways.delayed.delay(device, target, sender, bytes, at)) {
      this.#ways.sender.reply(device, target, sender, bytes, at);
    }
  }

  /** Of whom nobody asked for, and of who announces himself, only what is known is kept up to date (RFC 5227 §3). */
  #answered(skb: Skb, device: NetDevice, sender: number, target: number): keyof Ipv4Drops | null {
    // To a probe of ours that nobody waits for any more, or of nobody.
    if (sender === 0) return 'arp.sender';
    const isGratuitous = sender === target;
    const isForUs = skb.type === SKB_TYPE.HOST;
    if (isForUs && !isGratuitous && !this.#parts.book.isLocal(target, 0)) return 'arp.target-mismatch';
    if (isGratuitous && !isForUs && !isToNobody(skb)) return 'arp.target-mismatch';
    const answers = isForUs && !isGratuitous ? SOLICITED : 0;
    const known = this.#learn(skb, device, sender, answers | (this.#makesNeighbours(device, sender) ? CREATE : 0));
    return known || !isForUs ? null : 'arp.unasked';
  }

  /** Linux's `arp_accept`. */
  #makesNeighbours({ ifindex }: NetDevice, sender: number): boolean {
    const { conf, book } = this.#parts;
    const accepts = conf.value(ifindex, 'arp_accept');
    return accepts === 1 || (accepts === 2 && book.areOnLink(ifindex, sender, sender));
  }

  #learn(skb: Skb, device: NetDevice, sender: number, bits: number): boolean {
    const { neighbours, current } = this.#parts;
    const { bytes } = skb.memory;
    const caller = current.id;
    current.id = neighbours.owner;
    const at = skb.data + ARP_SENDER_LINK;
    const known = neighbours.current.learn(device, this.family, 0, 0, IPV4_WORD2, sender, bytes, at, OVERRIDE | bits);
    current.id = caller;
    return known;
  }

  begin(neighbour: Neighbour): number {
    const { device, address3, linkAddress } = neighbour;
    const type = this.#parts.book.typeOf(address3, device.ifindex);
    if (type === ADDRESS_TYPE.UNSPECIFIED) return NEIGHBOUR_STATE.FAILED;
    if (device.addressLen === 0) return NEIGHBOUR_STATE.NOARP;
    if (type === ADDRESS_TYPE.MULTICAST && device.addressLen === 6) putGroup(linkAddress, address3);
    else if (!hasArp(device)) linkAddress.set(device.address);
    else if (type === ADDRESS_TYPE.BROADCAST || (device.flags & DEVICE_FLAG.POINTOPOINT) !== 0) linkAddress.set(device.broadcast);
    else return NEIGHBOUR_STATE.NONE;
    return NEIGHBOUR_STATE.NOARP;
  }

  solicit({ device, address3, linkAddress, state }: Neighbour, skb: Skb | null): void {
    const { book, conf } = this.#parts;
    const asked = skb !== null && skb.network >= 0 ? ipv4Src(skb.memory.view, skb.network) : 0;
    const source = announcedSource(book, conf.value(device.ifindex, 'arp_announce'), device, asked, address3);
    this.#ways.sender.request(device, source, address3, state === NEIGHBOUR_STATE.PROBE ? linkAddress : null);
  }

  /** Linux's `arp_error_report`. */
  failed({ address3 }: Neighbour, skb: Skb): void {
    this.#joints.redirects.failed(address3);
    this.#joints.icmp.refuse(skb, REFUSAL.HOST_UNREACHABLE, 0);
    drop(skb, this.#parts.drops['ipv4.neighbour-failed']);
  }

  /** Nobody advertises times of ARP: the core's settings hold. */
  reachableMs(): number {
    return 0;
  }

  retransMs(): number {
    return 0;
  }

  /** What this host has sent itself, and a bridge or a hub brings back. */
  #isOwnLink(bytes: Uint8Array, at: number): boolean {
    const devices = this.#parts.traffic.current.all();
    for (let i = 0; i < devices.length; i++) if (isSameLink(devices[i]!, bytes, at)) return true;
    return false;
  }
}

function isSameLink({ address, addressLen }: NetDevice, bytes: Uint8Array, at: number): boolean {
  if (addressLen !== 6) return false;
  for (let i = 0; i < 6; i++) if (address[i] !== bytes[at + i]) return false;
  return true;
}

/** A reply that announces its sender to all names nobody, or its sender again (Linux's `arp_is_garp`). */
function isToNobody({ data, memory: { bytes } }: Skb): boolean {
  let isNone = true;
  let isSender = true;
  let isAll = true;
  for (let i = 0; i < 6; i++) {
    const byte = bytes[data + ARP_TARGET_LINK + i];
    if (byte !== 0) isNone = false;
    if (byte !== 0xff) isAll = false;
    if (byte !== bytes[data + ARP_SENDER_LINK + i]) isSender = false;
  }
  return isNone || isSender || isAll;
}

/** 01:00:5e and the lower 23 bits (RFC 1112 §6.4). */
function putGroup(linkAddress: Uint8Array, group: number): void {
  linkAddress[0] = 0x01;
  linkAddress[1] = 0x00;
  linkAddress[2] = 0x5e;
  linkAddress[3] = (group >>> 16) & 0x7f;
  linkAddress[4] = (group >>> 8) & 0xff;
  linkAddress[5] = group & 0xff;
}
