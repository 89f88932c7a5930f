import type { SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, IP_PROTOCOL } from '@softnet/contract';
import { datagramOptions } from '@softnet/inet';

/** Types of ICMPv6: a bit each. */
const FILTER_WORDS = 8;
/** Where ICMPv6 has its checksum (RFC 3542 §3.1: the kernel's, not the user's), and Mobile IPv6 (RFC 6275 §6.1.1). */
const ICMPV6_SUM = 2;
const MOBILITY = 135;
const MOBILITY_SUM = 4;

/** What a raw socket has beside what all datagram sockets do. */
export class RawState {
  /** IP_HDRINCL, IPV6_HDRINCL: its user writes the IP header. */
  hasHeader = false;
  /** IPV6_CHECKSUM: where in its packets the checksum is; -1: nowhere. */
  sumOffset = -1;
  /** ICMP_FILTER, ICMP6_FILTER: a bit of a type that it is not given. */
  readonly blocked = new Int32Array(FILTER_WORDS);

  constructor(family: number, protocol: number) {
    this.hasHeader = protocol === IP_PROTOCOL.RAW;
    if (family !== ADDRESS_FAMILY.INET6) return;
    this.sumOffset = protocol === IP_PROTOCOL.ICMPV6 ? ICMPV6_SUM : protocol === MOBILITY ? MOBILITY_SUM : -1;
  }
}

/** Made at the first question. */
export function rawStateOf(sock: SockCommon): RawState {
  const options = datagramOptions(sock);
  if (options.own === null) options.own = new RawState(sock.family, sock.protocol);
  return options.own as RawState;
}
