import type { DeviceTraffic, Port, SockOps } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, IPV6_OPTION as NAME, SOCK_FLAG, SOCK_TYPE, SockCommon, SockOptions } from '@softnet/contract';
import { expect, test } from 'vitest';
import { sockOptions } from '../machine/sock-options.ts';
import { Ipv6Options } from './ipv6-options.ts';

const devices = { owner: 0, current: { byIndex: () => null } } as unknown as Port<DeviceTraffic>;
/** Those about groups want a layer: test/stack/ipv6/group-options.test.ts. */
const level = new Ipv6Options(
  { autoLabels: { value: 1 }, hopLimit: () => 64, pathMtu: (sock) => sock.dst?.dst?.mtuBytes ?? -ERRNO.ENOTCONN },
  { set: () => null, get: () => null, closed: () => {} },
  devices,
);

function socket(family: number = ADDRESS_FAMILY.INET6, type: number = SOCK_TYPE.DGRAM): SockCommon {
  const sock = new SockCommon({ type } as SockOps);
  sock.family = family;
  return sock;
}

function int(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

function get(sock: SockCommon, name: number): number {
  const bytes = new Uint8Array(4);
  const result = level.get(sock, name, bytes);
  return result < 0 ? result : new DataView(bytes.buffer).getInt32(0, true);
}

test.each([
  ['UNICAST_HOPS', 64, [0, 7, 255], [-2, 256]],
  ['MULTICAST_HOPS', 1, [0, 7, 255], [-2, 256]],
  ['MULTICAST_LOOP', 1, [0, 1], [2]],
  ['TCLASS', 0, [0, 0xb8], [256]],
  ['MTU_DISCOVER', 1, [0, 2, 5], [-1, 6]],
  ['RECVERR', 0, [1, 0], []],
  ['V6ONLY', 0, [1, 0], []],
  ['DONTFRAG', 0, [1, 0], []],
  ['AUTOFLOWLABEL', 1, [0, 1], []],
] as const)('IPV6_%s is %i, and takes what it may', (name, usual, good, bad) => {
  const sock = socket();
  expect(get(sock, NAME[name])).toBe(usual);
  expect(sock.options).toBeNull();
  for (const value of good) expect([level.set(sock, NAME[name], int(value)), get(sock, NAME[name])]).toEqual([0, value]);
  const before = get(sock, NAME[name]);
  for (const value of bad) expect([level.set(sock, NAME[name], int(value)), get(sock, NAME[name])]).toEqual([-ERRNO.EINVAL, before]);
});

test('-1 is the usual value again', () => {
  const sock = socket();
  for (const name of [NAME.UNICAST_HOPS, NAME.MULTICAST_HOPS, NAME.TCLASS]) {
    level.set(sock, name, int(9));
    level.set(sock, name, int(-1));
  }
  expect([get(sock, NAME.UNICAST_HOPS), get(sock, NAME.MULTICAST_HOPS), get(sock, NAME.TCLASS)]).toEqual([64, 1, 0]);
});

test('V6ONLY is set before bind only; RECVERR and V6ONLY are flags', () => {
  const sock = socket();
  level.set(sock, NAME.RECVERR, int(1));
  level.set(sock, NAME.V6ONLY, int(1));
  expect(sock.flags).toBe(SOCK_FLAG.RECVERR | SOCK_FLAG.V6ONLY);
  sock.localPort = 7;
  expect(level.set(sock, NAME.V6ONLY, int(0))).toBe(-ERRNO.EINVAL);
});

test('what is refused: other families, short values, names that are not known, the MTU of a socket without a route', () => {
  expect(level.set(socket(ADDRESS_FAMILY.INET), NAME.TCLASS, int(1))).toBe(-ERRNO.ENOPROTOOPT);
  expect(level.get(socket(ADDRESS_FAMILY.INET), NAME.TCLASS, int(1))).toBe(-ERRNO.EOPNOTSUPP);
  expect(level.set(socket(), NAME.TCLASS, new Uint8Array(3))).toBe(-ERRNO.EINVAL);
  expect(level.get(socket(), NAME.TCLASS, new Uint8Array(3))).toBe(-ERRNO.EINVAL);
  expect([level.set(socket(), 999, int(1)), level.set(socket(), 999, new Uint8Array(3)), get(socket(), 999)]).toEqual(
    [1, 2, 3].map(() => -ERRNO.ENOPROTOOPT),
  );
  expect(get(socket(), NAME.MTU)).toBe(-ERRNO.ENOTCONN);
});

test("another layer's options are not taken for these, and those of another build are", () => {
  const sock = socket();
  sock.options = new SockOptions();
  sock.options.layer = { ttl: 3 };
  expect(sockOptions(sock)).toBeNull();
  const other = { level: 41, unicastHops: 5 };
  sock.options.layer = other;
  expect(sockOptions(sock)).toBe(other);
});
