// What Linux 6.18 gives to who has little room, as `room:bytes given` or an errno: connected UDP sockets of IPv4 and, where the level is IPv6's, of IPv6.
import { ADDRESS_FAMILY, ERRNO, SOCK_TYPE } from '@softnet/contract';
import { constants, intValue, readInt, socketAddress } from '@softnet/posix';
import { expect, test } from 'vitest';
import { CLEAN, posixHost } from './posix-host.ts';

/** Of an int: 0:0 1:1 2:2 3:3 4:4 5:4 16:4. */
const INT = [0, 1, 2, 3, 4, 4, 4];
/** One that fits into a byte, of IPv4's level. */
const BYTE = [0, 1, 1, 1, 4, 4, 4];
const ROOMS = [0, 1, 2, 3, 4, 5, 16];

const ROWS: readonly [level: string, name: string, given: readonly number[]][] = [
  ['SOL_SOCKET', 'SO_TYPE', INT],
  ['SOL_SOCKET', 'SO_RCVBUF', INT],
  ['SOL_SOCKET', 'SO_REUSEADDR', INT],
  ['SOL_SOCKET', 'SO_ERROR', INT],
  ['SOL_SOCKET', 'SO_DOMAIN', INT],
  ['SOL_SOCKET', 'SO_LINGER', [0, 1, 2, 3, 4, 5, 8]],
  ['SOL_SOCKET', 'SO_RCVTIMEO', [0, 1, 2, 3, 4, 5, 16]],
  ['SOL_SOCKET', 'SO_MEMINFO', [0, 1, 2, 3, 4, 5, 16]],
  ['SOL_SOCKET', 'SO_BINDTODEVICE', [0, 0, 0, 0, 0, 0, 0]],
  ['SOL_IP', 'IP_TTL', BYTE],
  ['SOL_IP', 'IP_TOS', BYTE],
  ['SOL_IP', 'IP_MTU_DISCOVER', BYTE],
  ['SOL_IP', 'IP_MULTICAST_TTL', BYTE],
  ['SOL_IP', 'IP_RECVERR', BYTE],
  ['SOL_IP', 'IP_UNICAST_IF', BYTE],
  ['SOL_IP', 'IP_MULTICAST_IF', INT],
  ['SOL_IP', 'IP_MTU', INT],
  ['SOL_IP', 'IP_OPTIONS', [0, 0, 0, 0, 0, 0, 0]],
  ['SOL_IPV6', 'IPV6_V6ONLY', INT],
  ['SOL_IPV6', 'IPV6_UNICAST_HOPS', INT],
  ['SOL_IPV6', 'IPV6_MTU_DISCOVER', INT],
  ['SOL_IPV6', 'IPV6_TCLASS', INT],
  ['SOL_IPV6', 'IPV6_MULTICAST_IF', INT],
  ['SOL_IPV6', 'IPV6_MTU', INT],
  ['SOL_IPV6', 'IPV6_RECVPKTINFO', INT],
  ['SOL_IPV6', 'IPV6_PATHMTU', Array(7).fill(-ERRNO.EINVAL)],
  ['SOL_UDP', 'UDP_SEGMENT', INT],
  ['SOL_UDP', 'UDP_CORK', INT],
];

test('values are cut to the room that there is, and nothing is written behind it', async () => {
  const { posix, end } = await posixHost();
  const connect = (family: number, host: string): number => {
    const fd = posix.socket(family, SOCK_TYPE.DGRAM);
    expect(posix.connect(fd, socketAddress(host, 9)!)).toBe(0);
    return fd;
  };
  const [four, six] = [connect(ADDRESS_FAMILY.INET, '127.0.0.1'), connect(ADDRESS_FAMILY.INET6, '::1')];
  for (const [level, name, given] of ROWS) {
    const fd = level === 'SOL_IPV6' ? six : four;
    const whole = new Uint8Array(64);
    const count = posix.getsockopt(fd, constants[level]!, constants[name]!, whole);
    const seen = ROOMS.map((room) => {
      const value = new Uint8Array(24).fill(0xee);
      const answer = posix.getsockopt(fd, constants[level]!, constants[name]!, value.subarray(0, room));
      const written = Math.max(0, answer);
      expect([name, room, [...value.subarray(0, written)]]).toEqual([name, room, [...whole.subarray(0, written)]]);
      expect([name, room, value.subarray(written).every((byte) => byte === 0xee)]).toEqual([name, room, true]);
      return answer;
    });
    expect([level, name, seen]).toEqual([level, name, given]);
    expect(count < 0 || count <= 64).toBe(true);
  }
  expect(await end()).toEqual(CLEAN);
});

test('an error is told once, though there is no room for it', async () => {
  const { posix, pass, end } = await posixHost();
  const fd = posix.socket(ADDRESS_FAMILY.INET, SOCK_TYPE.DGRAM);
  posix.connect(fd, socketAddress('127.0.0.1', 9)!);
  posix.send(fd, Uint8Array.of(1));
  await pass(100);
  const [short, whole] = [new Uint8Array(1), intValue(7)];
  expect([posix.getsockopt(fd, 1, 4, short), short[0], posix.getsockopt(fd, 1, 4, whole), readInt(whole)]).toEqual([
    1,
    ERRNO.ECONNREFUSED,
    4,
    0,
  ]);
  expect(posix.getsockopt(fd, 1, 57, short)).toBe(-ERRNO.ENOPROTOOPT);
  expect(posix.getsockopt(77, 1, 4, short)).toBe(-ERRNO.EBADF);
  expect(await end()).toEqual(CLEAN);
});
