import { IPV6_GROUP_OPTION } from '@softnet/ipv6';
import type { DatagramUser } from '@softnet/testkit';
import { parseIpv6 } from '@softnet/wire';
import { bytes, groupReq, ints, sharePort } from '../ipv4/group-values.ts';

// Values of options about groups, as programs lay them out for Linux.

export { bytes, groupReq, ints, sharePort };

const SOL_IPV6 = 41;
export const G = IPV6_GROUP_OPTION;

const INET6 = 10;

/** `in6_addr`s in a row. */
function addresses(...texts: string[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(16 * texts.length));
  for (const [i, text] of texts.entries()) for (const [n, word] of parseIpv6(text)!.entries()) view.setInt32(16 * i + 4 * n, word);
  return new Uint8Array(view.buffer);
}

/** `ipv6_mreq`. */
export function mreq(group: string, ifindex = 0): Uint8Array {
  return bytes(addresses(group), ints(ifindex));
}

/** A `sockaddr_in6` in a `sockaddr_storage`. */
export function sockaddr(text: string, family = INET6): Uint8Array {
  const whole = new Uint8Array(128);
  whole[0] = family;
  whole.set(addresses(text), 8);
  return whole;
}

/** 0, or -errno. */
export function set(user: DatagramUser, name: number, value: Uint8Array): number {
  return user.sock.ops.calls!.setOption(user.sock, SOL_IPV6, name, value);
}

/** What is answered, or -errno. @param value what it asks, and its room. */
export function get(user: DatagramUser, name: number, value: Uint8Array): Uint8Array | number {
  const room = value.slice();
  const result = user.sock.ops.calls!.getOption(user.sock, SOL_IPV6, name, room);
  return result < 0 ? result : room.slice(0, result);
}

/** Joins and never mind. @throws when it is refused. */
export function join(user: DatagramUser, group: string, ifindex: number): void {
  const result = set(user, G.JOIN_GROUP, mreq(group, ifindex));
  if (result !== 0) throw new Error(`join of ${group}: ${result}`);
}

/** One source more or less. */
export function source(name: number, group: string, from: string, ifindex: number): [number, Uint8Array] {
  return [name, groupReq(ifindex, sockaddr(group), sockaddr(from))];
}
