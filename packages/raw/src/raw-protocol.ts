import type { DropReason, Flow, Message, NetworkLayer, Random, Skb, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, CHECKSUM, ERRNO, ETHERTYPE, IP_PROTOCOL } from '@softnet/contract';
import type { DatagramProtocol } from '@softnet/inet';
import { sentByte } from '@softnet/inet';
import { gather, SkbReader, sumOf } from '@softnet/skb';
import {
  addSums,
  checksumOf,
  finishIpv4,
  ICMP_HEADER_BYTES,
  INTACT,
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  ipv4HeaderBytes,
  ipv4Id,
  ipv4Src,
  ipv6PseudoHeaderSum,
  pseudoHeaderSum,
  setIpv4Id,
  setIpv4Src,
  setIpv4TotalBytes,
} from '@softnet/wire';
import { getRawOption, setRawOption } from './raw-options.ts';
import { rawStateOf } from './raw-state.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
/** Of an ICMP message, and of an ICMPv6 one, without which it has no type to be asked for. */
const ICMPV6_LEAST_BYTES = 4;
const MAX_PROTOCOL = 255;
/** IPV6_CHECKSUM further behind is not written: what comes before it must fit into a packet's head. */
const MAX_SUM_OFFSET = 1024;

/** Raw sockets as what datagram sockets do with packets: no header of ours, or IP's by its user. Linux's `raw.c`. */
export class RawProtocol implements DatagramProtocol {
  readonly name = 'raw';
  readonly number: (family: number, asked: number) => number = (_family, asked) => asked;
  readonly headerBytes = 0;
  readonly peerPorts = false;
  readonly portless = true;
  readonly setOption: NonNullable<DatagramProtocol['setOption']> = setRawOption;
  readonly getOption: NonNullable<DatagramProtocol['getOption']> = getRawOption;
  readonly #random: Random;
  readonly #badSum: DropReason;
  readonly #reader = new SkbReader();

  constructor(random: Random, badSum: DropReason) {
    this.#random = random;
    this.#badSum = badSum;
  }

  hasNetworkHeader(sock: SockCommon): boolean {
    return rawStateOf(sock).hasHeader;
  }

  /**
   * -EINVAL: half an IP header, a checksum that lies behind the end, or, over IPv6, a port that is no protocol of this socket's (RFC 3542 §3).
   * DEVIATION: or a checksum behind {@link MAX_SUM_OFFSET}.
   */
  check(sock: SockCommon, lenBytes: number, message: Message): number {
    const { hasHeader, sumOffset } = rawStateOf(sock);
    const { hasAddress, address } = message;
    const isIpv6 = sock.family === INET6;
    if (hasAddress && isIpv6 && !mayName(sock, address.port)) return -ERRNO.EINVAL;
    if (!hasHeader) return sumOffset >= 0 && sumOffset > Math.min(lenBytes - 2, MAX_SUM_OFFSET) ? -ERRNO.EINVAL : 0;
    if (lenBytes < (isIpv6 ? IPV6_HEADER_BYTES : IPV4_HEADER_BYTES)) return -ERRNO.EINVAL;
    if (isIpv6) return 0;
    const headerBytes = (sentByte(message, 0) & 0xf) * 4;
    return headerBytes < IPV4_HEADER_BYTES || headerBytes > lenBytes ? -ERRNO.EINVAL : 0;
  }

  write(skb: Skb, sock: SockCommon, flow: Flow, layer: NetworkLayer): void {
    const { hasHeader, sumOffset } = rawStateOf(sock);
    if (hasHeader) this.#finishHeader(skb, flow, layer);
    else if (sumOffset >= 0) this.#writeSum(skb, flow, sumOffset);
  }

  /** IPv4's header comes along, IPv6's does not. False: its checksum, which the socket has asked to be looked at, is wrong. */
  read(skb: Skb, sock: SockCommon): boolean {
    if (sock.family === INET) {
      // Not by `push`, as nothing is written there: the head is shared.
      skb.len += skb.data - skb.network;
      skb.data = skb.network;
      return true;
    }
    if (rawStateOf(sock).sumOffset < 0 || skb.checksum === CHECKSUM.UNNECESSARY || skb.checksum === CHECKSUM.PARTIAL) return true;
    this.#reader.open(skb);
    const pseudo = ipv6PseudoHeaderSum(skb.memory.view, skb.network, sock.protocol, skb.len);
    if (addSums(pseudo, sumOf(this.#reader)) === INTACT) return true;
    skb.memory.pool.drop(skb, this.#badSum);
    return false;
  }

  remotePort(): number {
    return 0;
  }

  /**
   * Does its filter of ICMP types keep this packet, `data` = `transport`, from a socket? Of IPv4's it knows the first 32 (raw(7)): the rest of the bits are never set.
   * Half a header is kept from all, as in Linux.
   */
  blocks(sock: SockCommon, skb: Skb): boolean {
    const isIpv4 = sock.family === INET;
    if (sock.protocol !== (isIpv4 ? IP_PROTOCOL.ICMP : IP_PROTOCOL.ICMPV6)) return false;
    if (skb.len < (isIpv4 ? ICMP_HEADER_BYTES : ICMPV6_LEAST_BYTES)) return true;
    // Its header may lie on a page; without memory nobody knows its type.
    if (!gather(skb, 1)) return true;
    const type = skb.memory.bytes[skb.data]!;
    return ((rawStateOf(sock).blocked[type >>> 5]! >>> (type & 31)) & 1) !== 0;
  }

  /** What is always written of the user's IPv4 header: length and checksum; where they are zero, source and identification (raw(7)). IPv6's stays as it is. */
  #finishHeader(skb: Skb, flow: Flow, layer: NetworkLayer): void {
    skb.network = skb.data;
    skb.transport = skb.data;
    skb.protocol = layer.ethertype;
    if (layer.ethertype !== ETHERTYPE.IPV4) {
      if (gather(skb, IPV6_HEADER_BYTES)) skb.transport = skb.data + IPV6_HEADER_BYTES;
      return;
    }
    // Without memory it goes as it is, and is refused by its receiver.
    if (!gather(skb, IPV4_HEADER_BYTES)) return;
    const headerBytes = ipv4HeaderBytes(skb.memory.view, skb.data);
    if (!gather(skb, headerBytes)) return;
    const { view } = skb.memory;
    const at = skb.data;
    skb.network = at;
    skb.transport = at + headerBytes;
    setIpv4TotalBytes(view, at, skb.len);
    if (ipv4Src(view, at) === 0) setIpv4Src(view, at, flow.src3);
    if (ipv4Id(view, at) === 0) setIpv4Id(view, at, 1 + this.#random.below(0xffff));
    finishIpv4(view, at);
  }

  #writeSum(skb: Skb, flow: Flow, sumOffset: number): void {
    if (!gather(skb, sumOffset + 2)) return;
    const { view } = skb.memory;
    const at = skb.data + sumOffset;
    view.setUint16(at, 0);
    this.#reader.open(skb);
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = flow;
    const pseudo = pseudoHeaderSum(src0, src1, src2, src3, dst0, dst1, dst2, dst3, flow.protocol, skb.len);
    view.setUint16(at, checksumOf(addSums(pseudo, sumOf(this.#reader))));
  }
}

/** The protocol that an IPv6 address's port says: none, the socket's own, or, of IPPROTO_RAW, any. */
function mayName({ protocol }: SockCommon, port: number): boolean {
  return port === 0 || port === protocol || (protocol === IP_PROTOCOL.RAW && port <= MAX_PROTOCOL);
}
