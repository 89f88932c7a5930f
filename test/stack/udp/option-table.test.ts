import { ADDRESS_FAMILY, ERRNO, IP_OPTION, IPV6_OPTION, SOCK_FLAG, SOL, UDP_OPTION } from '@softnet/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { get, int, ip, sendWith, set } from './control.ts';
import { CLEAN } from './host.ts';
import { realHost } from './real-host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
/** What each option is set to. */
const VALUES = [int(0), int(1), int(-1), int(256), [1], []];
const BIG = int(70_000);

let host: Awaited<ReturnType<typeof realHost>>;
beforeAll(async () => {
  host = await realHost();
});
afterAll(async () => {
  expect(await host.end()).toEqual(CLEAN);
});

/**
 * What Linux 6.18 answers to setsockopt with 0, 1, -1, 256, a byte and nothing (SOL_UDP: 70,000 for 256, and not nothing), on a fresh UDP socket of the level's
 * family: recorded by a program in Python. The interfaces 1, -1 and 256 that UNICAST_IF is given are in host order, so there are none such.
 */
const ANSWERS: readonly (readonly [level: number, name: number, answers: string])[] = [
  [SOL.IP, IP_OPTION.TOS, '0 0 0 0 0 0'],
  [SOL.IP, IP_OPTION.TTL, 'EINVAL 0 0 EINVAL 0 EINVAL'],
  [SOL.IP, IP_OPTION.RECVOPTS, '0 0 0 0 0 0'],
  [SOL.IP, IP_OPTION.RETOPTS, '0 0 0 0 0 0'],
  [SOL.IP, IP_OPTION.PKTINFO, '0 0 0 0 0 0'],
  [SOL.IP, IP_OPTION.MTU_DISCOVER, '0 0 EINVAL EINVAL 0 0'],
  [SOL.IP, IP_OPTION.RECVERR, '0 0 0 0 0 0'],
  [SOL.IP, IP_OPTION.RECVTTL, '0 0 0 0 0 0'],
  [SOL.IP, IP_OPTION.RECVTOS, '0 0 0 0 0 0'],
  [SOL.IP, IP_OPTION.MTU, 'ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT'],
  [SOL.IP, IP_OPTION.FREEBIND, '0 0 0 0 0 EINVAL'],
  [SOL.IP, IP_OPTION.PASSSEC, '0 0 0 0 0 0'],
  [SOL.IP, IP_OPTION.TRANSPARENT, '0 0 0 0 0 EINVAL'],
  [SOL.IP, IP_OPTION.ORIGDSTADDR, '0 0 0 0 0 0'],
  [SOL.IP, IP_OPTION.MINTTL, '0 0 EINVAL EINVAL 0 EINVAL'],
  [SOL.IP, IP_OPTION.CHECKSUM, '0 0 0 0 0 0'],
  [SOL.IP, IP_OPTION.BIND_ADDRESS_NO_PORT, '0 0 0 0 0 0'],
  [SOL.IP, IP_OPTION.RECVFRAGSIZE, '0 0 0 0 0 0'],
  [SOL.IP, IP_OPTION.RECVERR_RFC4884, '0 0 EINVAL EINVAL 0 0'],
  [SOL.IP, IP_OPTION.UNICAST_IF, '0 EADDRNOTAVAIL EADDRNOTAVAIL EADDRNOTAVAIL EINVAL EINVAL'],
  [SOL.IPV6, 2, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, 3, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, 4, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, 5, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, 8, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.FLOWINFO, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.UNICAST_HOPS, '0 0 0 EINVAL EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.MTU_DISCOVER, '0 0 EINVAL EINVAL EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.RECVERR, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.V6ONLY, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.RECVERR_RFC4884, '0 0 EINVAL EINVAL EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.FLOWINFO_SEND, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.RECVPKTINFO, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.RECVHOPLIMIT, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.RECVHOPOPTS, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.HOPOPTS, 'EINVAL EINVAL EINVAL EINVAL EINVAL 0'],
  [SOL.IPV6, IPV6_OPTION.RTHDRDSTOPTS, 'EINVAL EINVAL EINVAL EINVAL EINVAL 0'],
  [SOL.IPV6, IPV6_OPTION.RECVRTHDR, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.RTHDR, 'EINVAL EINVAL EINVAL EINVAL EINVAL 0'],
  [SOL.IPV6, IPV6_OPTION.RECVDSTOPTS, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.DSTOPTS, 'EINVAL EINVAL EINVAL EINVAL EINVAL 0'],
  [SOL.IPV6, IPV6_OPTION.RECVPATHMTU, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.PATHMTU, 'ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT'],
  [SOL.IPV6, IPV6_OPTION.DONTFRAG, '0 0 0 0 0 0'],
  [SOL.IPV6, IPV6_OPTION.RECVTCLASS, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.TCLASS, '0 0 0 EINVAL EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.AUTOFLOWLABEL, '0 0 0 0 0 0'],
  [SOL.IPV6, IPV6_OPTION.MINHOPCOUNT, '0 0 EINVAL EINVAL EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.ORIGDSTADDR, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.TRANSPARENT, '0 0 0 0 EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.UNICAST_IF, '0 EADDRNOTAVAIL EADDRNOTAVAIL EADDRNOTAVAIL EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.RECVFRAGSIZE, '0 0 0 0 0 0'],
  [SOL.IPV6, IPV6_OPTION.FREEBIND, '0 0 0 0 EINVAL EINVAL'],
  [SOL.UDP, UDP_OPTION.CORK, '0 0 0 0 EINVAL'],
  [SOL.UDP, UDP_OPTION.NO_CHECK6_TX, '0 0 0 0 EINVAL'],
  [SOL.UDP, UDP_OPTION.NO_CHECK6_RX, '0 0 0 0 EINVAL'],
  [SOL.UDP, UDP_OPTION.SEGMENT, '0 0 EINVAL EINVAL EINVAL'],
  [SOL.UDP, UDP_OPTION.GRO, '0 0 0 0 EINVAL'],
];
test.each(ANSWERS)('level %i, option %i: %s', (level, name, answers) => {
  const values = level === SOL.UDP ? [...VALUES.slice(0, 3), BIG, [1]] : VALUES;
  const got = values.map((value) => {
    const user = host.user(level === SOL.IPV6 ? INET6 : INET);
    const answer = set(user, level, name, value);
    user.close();
    return answer;
  });
  const expected = answers.split(' ').map((answer) => (answer === '0' ? 0 : -ERRNO[answer as keyof typeof ERRNO]));
  expect(got).toEqual(expected);
});

/** Those that Linux answers so on a fresh socket. */
const USUAL: readonly (readonly [level: number, name: number, value: number[] | number])[] = [
  [SOL.IP, IP_OPTION.TTL, int(64)],
  [SOL.IP, IP_OPTION.MTU_DISCOVER, int(1)],
  [SOL.IP, IP_OPTION.MTU, -ERRNO.ENOTCONN],
  [SOL.IP, IP_OPTION.PKTINFO, int(0)],
  [SOL.IP, IP_OPTION.UNICAST_IF, int(0)],
  [SOL.IPV6, IPV6_OPTION.MTU, -ERRNO.ENOTCONN],
  [SOL.IPV6, IPV6_OPTION.PATHMTU, -ERRNO.EINVAL],
  [SOL.IPV6, IPV6_OPTION.RECVPKTINFO, int(0)],
  [SOL.IPV6, IPV6_OPTION.HOPOPTS, []],
  [SOL.IPV6, IPV6_OPTION.RTHDR, []],
  [SOL.IPV6, IPV6_OPTION.HOPLIMIT, -ERRNO.ENOPROTOOPT],
  [SOL.UDP, UDP_OPTION.CORK, int(0)],
  [SOL.UDP, UDP_OPTION.NO_CHECK6_RX, int(0)],
  [SOL.UDP, 99, -ERRNO.ENOPROTOOPT],
];
test.each(USUAL)('level %i, option %i is as usual', (level, name, value) => {
  const user = host.user(level === SOL.IPV6 ? INET6 : INET);
  expect(get(user, level, name)).toEqual(value);
  user.close();
});

test('what was set is what is got; in one byte, its lowest', () => {
  const [a, b] = [host.user(INET), host.user(INET6)];
  for (const [name, value] of [
    [IP_OPTION.TOS, 0xb8],
    [IP_OPTION.MINTTL, 3],
    [IP_OPTION.FREEBIND, 1],
    [IP_OPTION.RECVTTL, 1],
    [IP_OPTION.RECVERR, 1],
    [IP_OPTION.BIND_ADDRESS_NO_PORT, 1],
  ] as const) {
    expect([set(a, SOL.IP, name, int(value)), get(a, SOL.IP, name), get(a, SOL.IP, name, 1)]).toEqual([0, int(value), [value]]);
  }
  expect([set(a, SOL.IP, IP_OPTION.UNICAST_IF, [0, 0, 0, 1]), get(a, SOL.IP, IP_OPTION.UNICAST_IF)]).toEqual([0, [0, 0, 0, 1]]);
  for (const [name, value] of [
    [IPV6_OPTION.MINHOPCOUNT, 3],
    [IPV6_OPTION.TRANSPARENT, 1],
    [IPV6_OPTION.RECVDSTOPTS, 1],
    [IPV6_OPTION.FLOWINFO_SEND, 1],
  ] as const) {
    expect([set(b, SOL.IPV6, name, int(value)), get(b, SOL.IPV6, name)]).toEqual([0, int(value)]);
  }
  const padding = [0, 0, 1, 4, 0, 0, 0, 0];
  expect([
    set(b, SOL.IPV6, IPV6_OPTION.DSTOPTS, padding),
    get(b, SOL.IPV6, IPV6_OPTION.DSTOPTS, 40),
    get(b, SOL.IPV6, IPV6_OPTION.DSTOPTS, 3),
  ]).toEqual([0, padding, [0, 0, 1]]);
  // Both levels of a dual-stack socket, apart.
  expect([set(b, SOL.IP, IP_OPTION.TTL, int(5)), set(b, SOL.IPV6, IPV6_OPTION.UNICAST_HOPS, int(6))]).toEqual([0, 0]);
  expect([get(b, SOL.IP, IP_OPTION.TTL), get(b, SOL.IPV6, IPV6_OPTION.UNICAST_HOPS)]).toEqual([int(5), int(6)]);
  expect(b.connect('[::1]:9')).toBe(0);
  expect((get(b, SOL.IPV6, IPV6_OPTION.PATHMTU, 32) as number[]).slice(8, 28)).toEqual([...ip('::1'), 0, 0, 0, 0]);
  a.close();
  b.close();
});

test('a foreign address is bound by who may; an address without a port gets one with its first use', async () => {
  const [a, b, c] = [host.user(INET), host.user(INET6), host.user(INET)];
  expect(a.bind('9.9.9.9:5')).toBe(-ERRNO.EADDRNOTAVAIL);
  expect([set(a, SOL.IP, IP_OPTION.FREEBIND, int(1)), a.bind('9.9.9.9:5')]).toEqual([0, 0]);
  expect([set(a, SOL.IP, IP_OPTION.TRANSPARENT, int(1)), set(a, SOL.IP, IP_OPTION.FREEBIND, int(0))]).toEqual([0, 0]);
  expect(a.sock.flags & SOCK_FLAG.FREEBIND, 'either is enough').toBe(SOCK_FLAG.FREEBIND);
  expect([set(b, SOL.IPV6, IPV6_OPTION.FREEBIND, int(1)), b.bind('[2001:db8::9]:5')]).toEqual([0, 0]);
  expect([set(c, SOL.IP, IP_OPTION.BIND_ADDRESS_NO_PORT, int(1)), c.bind('127.0.0.1:0'), c.sock.localPort]).toEqual([0, 0, 0]);
  expect(sendWith(c, [1], [], '127.0.0.1:9')).toBe(1);
  expect(c.sock.localPort).toBeGreaterThan(0);
  await host.settle();
  for (const user of [a, b, c]) user.close();
});
