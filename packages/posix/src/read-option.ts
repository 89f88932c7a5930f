import { ERRNO, IP_OPTION, IPV6_OPTION, SO, SOL } from '@softnet/contract';
import { readInt } from './option-values.ts';
import type { SocketFile } from './socket-file.ts';

/** More than any value has that is cut. */
const ROOM_BYTES = 512;

/** Values that are given whole or not at all: -EINVAL where there is no room for them. */
const WHOLE: Readonly<Record<number, readonly number[]>> = Object.freeze({
  [SOL.SOCKET]: [SO.BINDTODEVICE, SO.COOKIE],
  [SOL.IP]: [IP_OPTION.MSFILTER, IP_OPTION.MCAST_MSFILTER],
  [SOL.IPV6]: [IPV6_OPTION.PATHMTU, IPV6_OPTION.FLOWLABEL_MGR, IP_OPTION.MCAST_MSFILTER],
});

/** `getsockopt`: what does not fit into `value` is cut, as Linux does. Bytes written, or -errno. */
export function readOption({ calls, sock }: SocketFile, level: number, name: number, value: Uint8Array): number {
  const count = calls.getOption(sock, level, name, value);
  if (count !== -ERRNO.EINVAL || value.length >= ROOM_BYTES || WHOLE[level]?.includes(name) === true) return count;
  const room = new Uint8Array(ROOM_BYTES);
  const whole = calls.getOption(sock, level, name, room);
  if (whole < 0) return whole;
  const given = level === SOL.IP && isByte(name, room, whole) ? Math.min(1, value.length) : Math.min(whole, value.length);
  value.set(room.subarray(0, given));
  return given;
}

/** Linux's `do_ip_getsockopt`: who has no room for an int is given a byte where that is enough; not of addresses. */
function isByte(name: number, room: Uint8Array, lenBytes: number): boolean {
  const int = lenBytes === 4 && name !== IP_OPTION.MULTICAST_IF ? readInt(room) : -1;
  return int >= 0 && int <= 255;
}
