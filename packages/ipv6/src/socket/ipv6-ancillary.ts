import type { ControlMessage, DeviceTraffic, PacketOptions, Port, Skb, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, clearControl, ERRNO, IPV4_WORD2, IPV6_OPTION, Message, putControl, SOL } from '@softnet/contract';
import { intAt, putInt, putPort, putWord, wordAt } from '@softnet/inet';
import {
  dstPort,
  extensionHeaderBytes,
  extensionNextHeader,
  IPV6_EXTENSION,
  IPV6_HEADER_BYTES,
  ipv4Dst,
  ipv6Dst,
  ipv6HopLimit,
  ipv6NextHeader,
  ipv6TrafficClass,
  isExtensionHeader,
} from '@softnet/wire';
import { isLinkLocal } from '../machine/address-kind.ts';
import { MTU_INFO_BYTES, putMtuInfo } from '../machine/mtu-info.ts';
import { optionsHeader, SentHeaders } from '../machine/sent-headers.ts';
import { sockOptions, WANTS_PATH_MTU } from '../machine/sock-options.ts';

const { EINVAL, ENODEV } = ERRNO;
const { HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS } = IPV6_EXTENSION;
const PKTINFO_BYTES = 20;
const IN6_BYTES = 28;
/** Traffic class and flow label. */
const FLOWINFO_MASK = 0x0fffffff;
const LABEL_MASK = 0xfffff;

/** Names of RFC 2292, which some programs still use. */
const OLD = Object.freeze({ PKTINFO: 2, HOPOPTS: 3, DSTOPTS: 4, RTHDR: 5, HOPLIMIT: 8 } as const);

const BIT = Object.freeze({
  PKTINFO: 0x1,
  HOPLIMIT: 0x2,
  TCLASS: 0x4,
  FLOWINFO: 0x8,
  HOPOPTS: 0x10,
  RTHDR: 0x20,
  DSTOPTS: 0x40,
  ORIGDSTADDR: 0x80,
  OLD_PKTINFO: 0x100,
  OLD_HOPLIMIT: 0x200,
  OLD_HOPOPTS: 0x400,
  OLD_RTHDR: 0x800,
  OLD_DSTOPTS: 0x1000,
} as const);
const ALL_HEADERS: number = BIT.HOPOPTS | BIT.RTHDR | BIT.DSTOPTS;
const ALL_OLD_HEADERS: number = BIT.OLD_HOPOPTS | BIT.OLD_RTHDR | BIT.OLD_DSTOPTS;

/** What a socket may want to be told of each packet, one bit each: `Ipv6SockOptions.ancillary`. */
export const ANCILLARY_BIT: Readonly<Record<number, number>> = Object.freeze({
  [IPV6_OPTION.RECVPKTINFO]: BIT.PKTINFO,
  [IPV6_OPTION.RECVHOPLIMIT]: BIT.HOPLIMIT,
  [IPV6_OPTION.RECVTCLASS]: BIT.TCLASS,
  [IPV6_OPTION.FLOWINFO]: BIT.FLOWINFO,
  [IPV6_OPTION.RECVHOPOPTS]: BIT.HOPOPTS,
  [IPV6_OPTION.RECVRTHDR]: BIT.RTHDR,
  [IPV6_OPTION.RECVDSTOPTS]: BIT.DSTOPTS,
  [IPV6_OPTION.ORIGDSTADDR]: BIT.ORIGDSTADDR,
  [OLD.PKTINFO]: BIT.OLD_PKTINFO,
  [OLD.HOPLIMIT]: BIT.OLD_HOPLIMIT,
  [OLD.HOPOPTS]: BIT.OLD_HOPOPTS,
  [OLD.RTHDR]: BIT.OLD_RTHDR,
  [OLD.DSTOPTS]: BIT.OLD_DSTOPTS,
  [IPV6_OPTION.RECVPATHMTU]: WANTS_PATH_MTU,
  // Kept; nothing is told: sizes of fragments that were put together are not known.
  [IPV6_OPTION.RECVFRAGSIZE]: 0x4000,
});

/** Control messages of SOL_IPV6, received and sent (RFC 3542): as `ip6_datagram_recv_ctl` and `ip6_datagram_send_ctl` have them. */
export class Ipv6Ancillary {
  readonly #traffic: Port<DeviceTraffic>;

  constructor(traffic: Port<DeviceTraffic>) {
    this.#traffic = traffic;
  }

  /** Of IPv4 packets a dual-stack socket is told the place, in mapped form; the rest is SOL_IP's. */
  received(sock: SockCommon, skb: Skb, message: Message): void {
    const options = sockOptions(sock);
    if (options === null || options.ancillary === 0) return;
    const { ancillary } = options;
    if ((ancillary & BIT.PKTINFO) !== 0) putPlace(skb, putControl(message, SOL.IPV6, IPV6_OPTION.PKTINFO, PKTINFO_BYTES));
    const { network, memory } = skb;
    const { view } = memory;
    if (view.getUint8(network) >>> 4 !== 6) return;
    if ((ancillary & BIT.HOPLIMIT) !== 0) putInt(putControl(message, SOL.IPV6, IPV6_OPTION.HOPLIMIT, 4), 0, ipv6HopLimit(view, network));
    if ((ancillary & BIT.TCLASS) !== 0) putInt(putControl(message, SOL.IPV6, IPV6_OPTION.TCLASS, 4), 0, ipv6TrafficClass(view, network));
    const flowInfo = view.getInt32(network) & FLOWINFO_MASK;
    if ((ancillary & BIT.FLOWINFO) !== 0 && flowInfo !== 0) putWord(putControl(message, SOL.IPV6, IPV6_OPTION.FLOWINFO, 4), 0, flowInfo);
    if ((ancillary & ALL_HEADERS) !== 0) tellHeaders(skb, ancillary, false, message);
    if ((ancillary & BIT.OLD_PKTINFO) !== 0) putPlace(skb, putControl(message, SOL.IPV6, OLD.PKTINFO, PKTINFO_BYTES));
    if ((ancillary & BIT.OLD_HOPLIMIT) !== 0) putInt(putControl(message, SOL.IPV6, OLD.HOPLIMIT, 4), 0, ipv6HopLimit(view, network));
    if ((ancillary & ALL_OLD_HEADERS) !== 0) tellHeaders(skb, ancillary, true, message);
    if ((ancillary & BIT.ORIGDSTADDR) !== 0) tellDestination(skb, message);
  }

  /** Of a stream: for {@link tellLatest}. */
  noted(sock: SockCommon, skb: Skb): void {
    const options = sockOptions(sock);
    if (options === null || options.ancillary === 0) return;
    options.latest ??= new Message();
    clearControl(options.latest);
    this.received(sock, skb, options.latest);
  }

  /** 0, or -errno. */
  sending({ type, data }: ControlMessage, packet: PacketOptions): number {
    switch (type) {
      case IPV6_OPTION.PKTINFO:
      case OLD.PKTINFO:
        return this.#sendFrom(data, packet);
      case IPV6_OPTION.HOPLIMIT:
      case OLD.HOPLIMIT:
        packet.hopLimit = intIn(data, -1, 255);
        return packet.hopLimit < -1 ? -EINVAL : 0;
      case IPV6_OPTION.TCLASS:
        packet.trafficClass = intIn(data, -1, 255);
        return packet.trafficClass < -1 ? -EINVAL : 0;
      case IPV6_OPTION.DONTFRAG:
        packet.dontFragment = intIn(data, 0, 1);
        return packet.dontFragment < 0 ? -EINVAL : 0;
      case IPV6_OPTION.FLOWINFO:
        if (data.length < 4) return -EINVAL;
        packet.flowLabel = wordAt(data, 0) & LABEL_MASK;
        return 0;
      case IPV6_OPTION.HOPOPTS:
      case OLD.HOPOPTS:
        return sendHeader(packet, 'hopByHop', data);
      case IPV6_OPTION.DSTOPTS:
      case OLD.DSTOPTS:
        return sendHeader(packet, 'destination', data);
      case IPV6_OPTION.RTHDRDSTOPTS:
        return sendHeader(packet, 'beforeRouting', data);
      default:
        // Routing headers among them: Linux sends type 2 alone, where it is built with mobile IPv6.
        return -EINVAL;
    }
  }

  /** `in6_pktinfo`. That the source is ours is looked at where the packet's way is. */
  #sendFrom(data: Uint8Array, packet: PacketOptions): number {
    if (data.length < PKTINFO_BYTES) return -EINVAL;
    const ifindex = intAt(data, 16);
    if (ifindex !== 0 && this.#traffic.current.byIndex(ifindex) === null) return -ENODEV;
    if (ifindex === 0 && isLinkLocal(wordAt(data, 0))) return -EINVAL;
    packet.ifindex = ifindex;
    packet.source0 = wordAt(data, 0);
    packet.source1 = wordAt(data, 4);
    packet.source2 = wordAt(data, 8);
    packet.source3 = wordAt(data, 12);
    return 0;
  }
}

/** IPV6_RECVPATHMTU (RFC 3542 §11.3), once: a message without bytes, from whom the packet was for that was too big. False: there was none. */
export function tellTooBig(sock: SockCommon, message: Message): boolean {
  const options = sockOptions(sock);
  if (options === null || options.tooBig === null || (options.ancillary & WANTS_PATH_MTU) === 0) return false;
  const { tooBig } = options;
  options.tooBig = null;
  const { address } = message;
  address.family = ADDRESS_FAMILY.INET6;
  address.address0 = tooBig.word0;
  address.address1 = tooBig.word1;
  address.address2 = tooBig.word2;
  address.address3 = tooBig.word3;
  address.port = 0;
  address.ifindex = tooBig.ifindex;
  message.hasAddress = true;
  putMtuInfo(putControl(message, SOL.IPV6, IPV6_OPTION.PATHMTU, MTU_INFO_BYTES), tooBig);
  return true;
}

/** `in6_pktinfo`. */
function putPlace({ network, ifindex, memory: { view } }: Skb, bytes: Uint8Array): void {
  const isIpv4 = view.getUint8(network) >>> 4 === 4;
  putWord(bytes, 0, isIpv4 ? 0 : ipv6Dst(view, network, 0));
  putWord(bytes, 4, isIpv4 ? 0 : ipv6Dst(view, network, 1));
  putWord(bytes, 8, isIpv4 ? IPV4_WORD2 : ipv6Dst(view, network, 2));
  putWord(bytes, 12, isIpv4 ? ipv4Dst(view, network) : ipv6Dst(view, network, 3));
  putInt(bytes, 16, ifindex);
}

/** Extension headers in their order, whole. @param old by the names of RFC 2292. */
function tellHeaders({ network, tail, memory: { view } }: Skb, ancillary: number, old: boolean, message: Message): void {
  let protocol = ipv6NextHeader(view, network);
  for (let at = network + IPV6_HEADER_BYTES; isExtensionHeader(protocol); ) {
    const lenBytes = extensionHeaderBytes(view, protocol, at, tail);
    if (lenBytes === 0) return;
    const name = nameOf(protocol, ancillary, old);
    if (name !== 0) {
      const bytes = putControl(message, SOL.IPV6, name, lenBytes);
      for (let i = 0; i < lenBytes; i++) bytes[i] = view.getUint8(at + i);
    }
    protocol = extensionNextHeader(view, at);
    at += lenBytes;
  }
}

/** 0: nobody wants to know. */
function nameOf(protocol: number, ancillary: number, old: boolean): number {
  switch (protocol) {
    case HOP_BY_HOP:
      if (old) return (ancillary & BIT.OLD_HOPOPTS) === 0 ? 0 : OLD.HOPOPTS;
      return (ancillary & BIT.HOPOPTS) === 0 ? 0 : IPV6_OPTION.HOPOPTS;
    case DESTINATION_OPTIONS:
      if (old) return (ancillary & BIT.OLD_DSTOPTS) === 0 ? 0 : OLD.DSTOPTS;
      return (ancillary & BIT.DSTOPTS) === 0 ? 0 : IPV6_OPTION.DSTOPTS;
    case ROUTING:
      if (old) return (ancillary & BIT.OLD_RTHDR) === 0 ? 0 : OLD.RTHDR;
      return (ancillary & BIT.RTHDR) === 0 ? 0 : IPV6_OPTION.RTHDR;
    default:
      return 0;
  }
}

function tellDestination({ network, transport, ifindex, memory: { view } }: Skb, message: Message): void {
  const bytes = putControl(message, SOL.IPV6, IPV6_OPTION.ORIGDSTADDR, IN6_BYTES);
  bytes.fill(0);
  bytes[0] = ADDRESS_FAMILY.INET6;
  putPort(bytes, 2, dstPort(view, transport));
  for (const word of [0, 1, 2, 3] as const) putWord(bytes, 8 + 4 * word, ipv6Dst(view, network, word));
  if (isLinkLocal(ipv6Dst(view, network, 0))) putInt(bytes, 24, ifindex);
}

/** An int in this range; -2: it is none. */
function intIn(data: Uint8Array, min: number, max: number): number {
  const value = data.length === 4 ? intAt(data, 0) : -2;
  return value < min || value > max ? -2 : value;
}

/** Each of them once. */
function sendHeader(packet: PacketOptions, field: 'hopByHop' | 'beforeRouting' | 'destination', data: Uint8Array): number {
  const header = optionsHeader(data);
  const headers = packet.headers instanceof SentHeaders ? packet.headers : new SentHeaders();
  if (header === null || headers[field] !== null) return -EINVAL;
  headers[field] = header;
  packet.headers = headers;
  return 0;
}
