import { SockOptions } from '@softnet/contract';
import { IP_GROUP_OPTION } from '@softnet/ipv4';
import type { DatagramUser } from '@softnet/testkit';
import { parseIpv4 } from '@softnet/wire';

// Values of options about groups, as programs lay them out for Linux.

const SOL_IP = 0;
export const G = IP_GROUP_OPTION;

const INET = 2;

/** `in_addr`s in a row, network order. */
export function addresses(...texts: string[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * texts.length));
  for (const [i, text] of texts.entries()) view.setInt32(4 * i, parseIpv4(text)!);
  return new Uint8Array(view.buffer);
}

export function ints(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [i, value] of values.entries()) view.setInt32(4 * i, value, true);
  return new Uint8Array(view.buffer);
}

export function bytes(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** `ip_mreqn`. */
export function mreqn(group: string, ifindex = 0, address = '0.0.0.0'): Uint8Array {
  return bytes(addresses(group, address), ints(ifindex));
}

/** A `sockaddr_in` in a `sockaddr_storage`. */
export function sockaddr(text: string, family = INET): Uint8Array {
  const whole = new Uint8Array(128);
  whole[0] = family;
  whole.set(addresses(text), 4);
  return whole;
}

/** `group_req`, `group_source_req`: an interface, and whatever addresses. */
export function groupReq(ifindex: number, ...sockaddrs: Uint8Array[]): Uint8Array {
  return bytes(ints(ifindex, 0), ...sockaddrs);
}

/** 0, or -errno. */
export function set(user: DatagramUser, name: number, value: Uint8Array): number {
  return user.sock.ops.calls!.setOption(user.sock, SOL_IP, name, value);
}

/** What is answered, or -errno. @param value what it asks, and its room. */
export function get(user: DatagramUser, name: number, value: Uint8Array): Uint8Array | number {
  const room = value.slice();
  const result = user.sock.ops.calls!.getOption(user.sock, SOL_IP, name, room);
  return result < 0 ? result : room.slice(0, result);
}

/** Joins and never mind. @throws when it is refused. */
export function join(user: DatagramUser, group: string, ifindex: number): void {
  const result = set(user, G.ADD_MEMBERSHIP, mreqn(group, ifindex));
  if (result !== 0) throw new Error(`join of ${group}: ${result}`);
}

/** Several sockets may have one port. */
export function sharePort(user: DatagramUser): DatagramUser {
  user.sock.options ??= new SockOptions();
  user.sock.flags |= 0x1;
  return user;
}
