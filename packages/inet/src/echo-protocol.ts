import type { DropReason, Flow, FlowKey, Message, NetworkLayer, PacketMemory, Skb, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, CHECKSUM, ERRNO, IP_PROTOCOL, SO, SOL } from '@softnet/contract';
import { gather, SkbReader, sumOf } from '@softnet/skb';
import {
  addSums,
  checksumOf,
  ICMP_HEADER_BYTES,
  ICMPV4_TYPE,
  ICMPV6_TYPE,
  INTACT,
  icmpEchoId,
  icmpType,
  ipv6PseudoHeaderSum,
  pseudoHeaderSum,
  setIcmpChecksum,
  setIcmpEchoId,
} from '@softnet/wire';
import type { DatagramProtocol } from './datagram/datagram-protocol.ts';
import { sentByte } from './datagram/sent-byte.ts';

/** Why replies are dropped that a ping socket was to get. */
export interface EchoReasons {
  readonly truncated: DropReason;
  readonly checksum: DropReason;
}

/**
 * Ping sockets of a layer (Linux's `socket(family, SOCK_DGRAM, IPPROTO_ICMP)`, and ICMPV6): the user's bytes begin with the ICMP
 * header, only echo requests are sent, and their identifier is the socket's port, which we write with the checksum.
 */
export class EchoProtocol implements DatagramProtocol {
  readonly name: string;
  readonly number: (family: number) => number = (family) => (family === ADDRESS_FAMILY.INET ? IP_PROTOCOL.ICMP : IP_PROTOCOL.ICMPV6);
  readonly headerBytes = 0;
  readonly peerPorts = false;
  readonly bindsToHosts = true;
  readonly #family: number;
  readonly #reasons: EchoReasons;
  readonly #reader = new SkbReader();

  /** @param name of its sockets: 'ping'. @param family of the layer. */
  constructor(name: string, family: number, reasons: EchoReasons) {
    this.name = name;
    this.#family = family;
    this.#reasons = reasons;
  }

  /** -EINVAL: shorter than the header, or no echo request. */
  check(_sock: SockCommon, lenBytes: number, message: Message): number {
    if (lenBytes < ICMP_HEADER_BYTES) return -ERRNO.EINVAL;
    const request = this.#family === ADDRESS_FAMILY.INET ? ICMPV4_TYPE.ECHO : ICMPV6_TYPE.ECHO_REQUEST;
    return sentByte(message, 0) === request && sentByte(message, 1) === 0 ? 0 : -ERRNO.EINVAL;
  }

  write(skb: Skb, sock: SockCommon, flow: Flow, _layer: NetworkLayer): void {
    // A packet of the user's own may have its header on a page. Without memory it goes as it is, and is refused by its receiver.
    if (!gather(skb, ICMP_HEADER_BYTES)) return;
    const { view } = skb.memory;
    setIcmpEchoId(view, skb.data, sock.localPort);
    setIcmpChecksum(view, skb.data, 0);
    this.#reader.open(skb);
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = flow;
    const pseudo =
      this.#family === ADDRESS_FAMILY.INET
        ? 0
        : pseudoHeaderSum(src0, src1, src2, src3, dst0, dst1, dst2, dst3, IP_PROTOCOL.ICMPV6, skb.len);
    setIcmpChecksum(view, skb.data, checksumOf(addSums(pseudo, sumOf(this.#reader))));
  }

  /** The user gets the ICMP header too. */
  read(skb: Skb): boolean {
    if (skb.len < ICMP_HEADER_BYTES) return drop(skb, this.#reasons.truncated);
    if (skb.checksum === CHECKSUM.UNNECESSARY) return true;
    this.#reader.open(skb);
    const pseudo =
      this.#family === ADDRESS_FAMILY.INET ? 0 : ipv6PseudoHeaderSum(skb.memory.view, skb.network, IP_PROTOCOL.ICMPV6, skb.len);
    return addSums(pseudo, sumOf(this.#reader)) === INTACT || drop(skb, this.#reasons.checksum);
  }

  remotePort(): number {
    return 0;
  }

  setOption(_sock: SockCommon, level: number, name: number): number | null {
    return isPeekOffset(level, name) ? -ERRNO.EOPNOTSUPP : null;
  }

  getOption(_sock: SockCommon, level: number, name: number): number | null {
    return isPeekOffset(level, name) ? -ERRNO.EOPNOTSUPP : null;
  }
}

/**
 * `Protocol.dissect` of either ICMP, so that the flow table finds ping sockets: of a reply, the identifier is the local port. Of a
 * request it is the remote one: requests from outside find no socket, while an error about a request of ours, whose key is
 * turned round, does. False: too short, or no echo.
 */
export function dissectEcho(
  memory: PacketMemory,
  offset: number,
  endOffset: number,
  key: FlowKey,
  requestType: number,
  replyType: number,
): boolean {
  if (endOffset - offset < ICMP_HEADER_BYTES) return false;
  const { view } = memory;
  const type = icmpType(view, offset);
  if (type !== requestType && type !== replyType) return false;
  const id = icmpEchoId(view, offset);
  key.localPort = type === replyType ? id : 0;
  key.remotePort = type === replyType ? 0 : id;
  return true;
}

/** As in Linux, they have no stream to look into. */
function isPeekOffset(level: number, name: number): boolean {
  return level === SOL.SOCKET && name === SO.PEEK_OFF;
}

function drop(skb: Skb, reason: DropReason): false {
  skb.memory.pool.drop(skb, reason);
  return false;
}
