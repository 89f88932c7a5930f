import { isIPv4, isIPv6 } from 'node:net';
import { ADDRESS_FAMILY, ERRNO, IP_OPTION, IPV6_OPTION, SOL, SockAddress } from '@softnet/contract';
import { fillAddress } from '../endpoint/address-text.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { NodeHost } from '../endpoint/node-host.ts';

const ANY = '0.0.0.0';
/** `struct group_source_req`: an interface, and two `sockaddr_storage`. */
const GROUP_SOURCE_BYTES = 264;
const GROUP_AT = 8;
const SOURCE_AT = 136;

/** Joins or leaves a group on an interface, which IPv4 knows by one of its addresses, IPv6 by '::%eth0'. 0, or -errno. */
export function setMembership(host: NodeHost, endpoint: Endpoint, joins: boolean, group: string, via: string | undefined): number {
  if (endpoint.family === ADDRESS_FAMILY.INET) {
    const bytes = packed4([group, via || ANY]);
    return bytes === null ? -ERRNO.EINVAL : endpoint.setBytes(SOL.IP, joins ? IP_OPTION.ADD_MEMBERSHIP : IP_OPTION.DROP_MEMBERSHIP, bytes);
  }
  const address = new SockAddress();
  const scope = scopeOf(host, via);
  if (scope < 0 || fillAddress(address, ADDRESS_FAMILY.INET6, group, 0, host.scopeOf) < 0) return -ERRNO.EINVAL;
  const bytes = new Uint8Array(20);
  put6(new DataView(bytes.buffer), 0, address);
  new DataView(bytes.buffer).setInt32(16, scope, true);
  return endpoint.setBytes(SOL.IPV6, joins ? IPV6_OPTION.ADD_MEMBERSHIP : IPV6_OPTION.DROP_MEMBERSHIP, bytes);
}

/** The same of one source's packets to it (RFC 4607). */
export function setSourceMembership(
  host: NodeHost,
  endpoint: Endpoint,
  joins: boolean,
  source: string,
  group: string,
  via: string | undefined,
): number {
  if (endpoint.family === ADDRESS_FAMILY.INET) {
    const bytes = packed4([group, via || ANY, source]);
    const name = joins ? IP_OPTION.ADD_SOURCE_MEMBERSHIP : IP_OPTION.DROP_SOURCE_MEMBERSHIP;
    return bytes === null ? -ERRNO.EINVAL : endpoint.setBytes(SOL.IP, name, bytes);
  }
  const scope = scopeOf(host, via);
  const bytes = new Uint8Array(GROUP_SOURCE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, Math.max(scope, 0), true);
  const address = new SockAddress();
  for (const [at, text] of [
    [GROUP_AT, group],
    [SOURCE_AT, source],
  ] as const) {
    if (scope < 0 || fillAddress(address, ADDRESS_FAMILY.INET6, text, 0, host.scopeOf) < 0) return -ERRNO.EINVAL;
    view.setUint16(at, ADDRESS_FAMILY.INET6, true);
    put6(view, at + 8, address);
  }
  return endpoint.setBytes(SOL.IPV6, joins ? IP_OPTION.MCAST_JOIN_SOURCE_GROUP : IP_OPTION.MCAST_LEAVE_SOURCE_GROUP, bytes);
}

/** By which interface what it sends to groups leaves. 0, or -errno. */
export function setMulticastInterface(host: NodeHost, endpoint: Endpoint, via: string): number {
  if (endpoint.family === ADDRESS_FAMILY.INET) {
    const bytes = packed4([via]);
    return bytes === null ? -ERRNO.EINVAL : endpoint.setBytes(SOL.IP, IP_OPTION.MULTICAST_IF, bytes);
  }
  const scope = scopeOf(host, via);
  return scope < 0 ? scope : endpoint.setInt(SOL.IPV6, IPV6_OPTION.MULTICAST_IF, scope);
}

/** An interface from '::%eth0'; 0: any. Or -EINVAL. */
function scopeOf(host: NodeHost, via: string | undefined): number {
  if (!via) return 0;
  const [address, zone] = via.split('%');
  if (!isIPv6(address!)) return -ERRNO.EINVAL;
  if (zone === undefined) return 0;
  return host.scopeOf(zone) || -ERRNO.EINVAL;
}

/** IPv4 addresses one behind the other; null: one of them is none. */
function packed4(addresses: readonly string[]): Uint8Array | null {
  if (!addresses.every((each) => isIPv4(each))) return null;
  return Uint8Array.from(addresses.flatMap((each) => each.split('.').map(Number)));
}

function put6(view: DataView, at: number, { address0, address1, address2, address3 }: SockAddress): void {
  for (const [index, word] of [address0, address1, address2, address3].entries()) view.setInt32(at + 4 * index, word);
}
