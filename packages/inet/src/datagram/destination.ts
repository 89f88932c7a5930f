import type { Flow, SockAddress, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, IPV4_WORD2, isGroup, SOCK_FLAG } from '@softnet/contract';
import { aimAtGroup } from '../multicast/socket-groups.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const LOOPBACK_IPV4 = 0x7f000001;

/** An IPv4 address, or its mapped form of an IPv6 socket. */
export function isIpv4(word0: number, word1: number, word2: number): boolean {
  return word0 === 0 && word1 === 0 && word2 === IPV4_WORD2;
}

/** `::`, and what stands for it: 0.0.0.0. */
export function isUnspecified(word0: number, word1: number, word2: number, word3: number): boolean {
  return (word0 | word1 | word3) === 0 && (word2 === 0 || word2 === IPV4_WORD2);
}

/** Link-local, and multicast of interface or link: means nothing without an interface (RFC 4007 §6). */
export function needsScope(family: number, word0: number): boolean {
  if (family !== INET6) return false;
  if ((word0 & 0xffc00000) === (0xfe800000 | 0)) return true;
  const scope = (word0 >>> 16) & 0xf;
  return word0 >>> 24 === 0xff && (scope === 1 || scope === 2);
}

/** The family by which a socket reaches this address: a dual-stack one IPv4's by IPv4. -EAFNOSUPPORT, -EINVAL, -ENETUNREACH. */
export function pathFamily(sock: SockCommon, address: SockAddress): number {
  const { family, address0, address1, address2, address3 } = address;
  const mapped = isIpv4(address0, address1, address2);
  if (sock.family !== INET6) {
    if (family !== sock.family) return -ERRNO.EAFNOSUPPORT;
    return family !== INET || mapped || isUnspecified(address0, address1, address2, address3) ? family : -ERRNO.EINVAL;
  }
  if (family === INET6 && !mapped) return INET6;
  if (family !== INET6 && family !== INET) return -ERRNO.EAFNOSUPPORT;
  return (sock.flags & SOCK_FLAG.V6ONLY) === 0 ? INET : -ERRNO.ENETUNREACH;
}

/**
 * The interface that a flow to this address must leave by, 0: any. -EINVAL: it has no scope, or another than the socket's.
 * @param ifindex of the socket; 0: any. @param groupIfindex that it has chosen for groups, where it may be meant; 0: none.
 */
export function scopeOf(ifindex: number, address: SockAddress, family: number, groupIfindex = 0): number {
  if (!needsScope(family, address.address0)) return ifindex;
  if (ifindex !== 0 && address.ifindex !== 0 && ifindex !== address.ifindex) return -ERRNO.EINVAL;
  return ifindex || address.ifindex || (address.address0 >>> 24 === 0xff && groupIfindex) || -ERRNO.EINVAL;
}

/** Whether what the socket is bound to can be a source of flows of this family. */
export function sourceFits(sock: SockCommon, family: number): boolean {
  const { local0, local1, local2, local3 } = sock;
  return isUnspecified(local0, local1, local2, local3) || isIpv4(local0, local1, local2) === (family === INET);
}

/** All of a flow that its socket says: who sends, and the marks. */
export function beginFlow(flow: Flow, sock: SockCommon, family: number, oif: number): void {
  const { options, local0, local1, local2, local3 } = sock;
  // Who is bound to a group, or to all, hears there; nothing comes from there (RFC 1122 §3.2.1.3).
  const isMany = isGroup(local0, local1, local2, local3) || (isIpv4(local0, local1, local2) && local3 === -1);
  flow.family = family;
  flow.protocol = sock.protocol;
  flow.src0 = isMany ? 0 : local0;
  flow.src1 = isMany ? 0 : local1;
  flow.src2 = isMany ? 0 : local2;
  flow.src3 = isMany ? 0 : local3;
  flow.srcPort = sock.localPort;
  flow.mark = options === null ? 0 : options.mark;
  flow.uid = options === null ? 0 : options.uid;
  flow.oif = oif;
  flow.iif = 0;
  flow.table = 0;
  flow.tos = 0;
  flow.label = 0;
  flow.hash = 0;
}

/** To whom: an address of a user's; the unspecified one means this host, as in Linux. */
export function aimAtAddress(flow: Flow, address: SockAddress, family: number, peerPorts: boolean): void {
  const { address0, address1, address2, address3 } = address;
  const here = isUnspecified(address0, address1, address2, address3);
  flow.dst0 = address0;
  flow.dst1 = address1;
  flow.dst2 = here && family === INET ? IPV4_WORD2 : address2;
  flow.dst3 = !here ? address3 : family === INET ? LOOPBACK_IPV4 : 1;
  flow.dstPort = peerPorts ? address.port : 0;
}

/** To whom: the socket's peer. */
export function aimAtPeer(flow: Flow, sock: SockCommon): void {
  flow.dst0 = sock.remote0;
  flow.dst1 = sock.remote1;
  flow.dst2 = sock.remote2;
  flow.dst3 = sock.remote3;
  flow.dstPort = sock.remotePort;
}

/** By which interface, where neither socket nor packet is bound to one: what the options say of groups, and of single hosts (IP_UNICAST_IF). */
export function aimByOptions(flow: Flow, sock: SockCommon): void {
  const { options } = sock;
  if (options === null) return;
  aimAtGroup(flow, sock);
  if (flow.oif !== 0 || isGroup(flow.dst0, flow.dst1, flow.dst2, flow.dst3)) return;
  flow.oif = flow.family === INET ? options.unicastIfindex : options.unicastIfindex6;
}
