import { ADDRESS_FAMILY, ERRNO, IP_OPTION, IPV6_OPTION, MESSAGE_FLAG, SO, SOL } from '@softnet/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rawHosts } from './raw-hosts.ts';
import type { RawUser } from './raw-user.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const MINE = 253;
const ICMP = 1;
const ICMPV6 = 58;
const RAW = 255;
const PAYLOAD = [1, 2, 3, 4, 5, 6];
/** ICMP_FILTER of SOL_RAW, ICMP6_FILTER of SOL_ICMPV6. */
const FILTER = 1;

let net: Awaited<ReturnType<typeof rawHosts>>;
beforeAll(async () => {
  net = await rawHosts();
});
afterAll(async () => {
  expect(await net.end()).toEqual([]);
});

type Call = (user: RawUser) => unknown;
/** What the second of two calls says; the first went well. */
const then = (first: number, second: unknown): unknown => (first < 0 ? first : second);

const rows: readonly (readonly [string, number, number, Call, string | number | readonly number[]])[] = [
  ['send to nobody', INET, MINE, (u) => u.send(PAYLOAD), 'EDESTADDRREQ'],
  ['send to another family', INET, MINE, (u) => u.send(PAYLOAD, '[fd00::2]:0'), 'EAFNOSUPPORT'],
  ['send an IPv6 one to IPv4', INET6, MINE, (u) => u.send(PAYLOAD, '[::ffff:10.0.0.2]:0'), 'ENETUNREACH'],
  ['send where no way is', INET, MINE, (u) => u.send(PAYLOAD, '99.0.0.1:0'), 'ENETUNREACH'],
  ['send to all without SO_BROADCAST', INET, MINE, (u) => u.send(PAYLOAD, '10.0.0.255:0'), 'EACCES'],
  ['send nothing', INET, MINE, (u) => u.send([], '10.0.0.2:0'), 0],
  ['send the port of another protocol', INET6, MINE, (u) => u.send(PAYLOAD, '[fd00::2]:6'), 'EINVAL'],
  ['send the port of its own', INET6, MINE, (u) => u.send(PAYLOAD, `[fd00::2]:${MINE}`), 6],
  ['send any port over IPv4', INET, MINE, (u) => u.send(PAYLOAD, '10.0.0.2:6'), 6],
  ['send the port of no protocol', INET6, RAW, (u) => u.send([0x60, ...Array(39).fill(0)], '[fd00::2]:256'), 'EINVAL'],
  ['send the port of any, of IPPROTO_RAW', INET6, RAW, (u) => u.send([0x60, ...Array(39).fill(0)], '[fd00::2]:253'), 40],
  ['send more than there can be', INET, MINE, (u) => u.send(new Uint8Array(65_516), '10.0.0.2:0'), 'EMSGSIZE'],
  ['send as much as there can be', INET, MINE, (u) => u.send(new Uint8Array(65_515), '10.0.0.2:0'), 65_515],
  ['send an IPv6 one as much as there can be', INET6, MINE, (u) => u.send(new Uint8Array(65_535), '[fd00::2]:0'), 65_535],
  ['send with MSG_OOB', INET, MINE, (u) => u.send(PAYLOAD, '10.0.0.2:0', MESSAGE_FLAG.OOB), 'EOPNOTSUPP'],
  [
    'send a header of another version',
    INET,
    RAW,
    (u) => u.send([0x65, ...Array(8).fill(0), MINE, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], '10.0.0.2:0'),
    20,
  ],
  ['send a header without words', INET, RAW, (u) => u.send([0x40, ...Array(19).fill(0)], '10.0.0.2:0'), 'EINVAL'],
  ['send half an IPv6 header', INET6, RAW, (u) => u.send(Array(39).fill(0), '[fd00::2]:0'), 'EINVAL'],
  ['send more than the MTU', INET6, RAW, (u) => u.send([0x60, ...Array(1500).fill(0)], '[fd00::2]:0'), 'EMSGSIZE'],
  ['connect to all without SO_BROADCAST', INET, MINE, (u) => u.connect('10.0.0.255:0'), 'EACCES'],
  ['send where a checksum ends', INET6, MINE, (u) => then(u.set(SOL.IPV6, IPV6_OPTION.CHECKSUM, 4), u.send(PAYLOAD, '[fd00::2]:0')), 6],
  [
    'send where it does not',
    INET6,
    MINE,
    (u) => then(u.set(SOL.IPV6, IPV6_OPTION.CHECKSUM, 4), u.send([1, 2, 3, 4, 5], '[fd00::2]:0')),
    'EINVAL',
  ],
  ['send half of Mobile IPv6', INET6, 135, (u) => u.send([1, 2, 3, 4], '[fd00::2]:0'), 'EINVAL'],
  ['send less than has a checksum', INET6, ICMPV6, (u) => u.send([128, 0, 0], '[fd00::2]:0'), 'EINVAL'],
  ['receive, when there is nothing', INET, MINE, (u) => u.receive(), 'EAGAIN'],
  ['bind to an address of ours', INET, MINE, (u) => u.bind('10.0.0.1:0'), 0],
  ['bind again', INET, MINE, (u) => then(u.bind('10.0.0.1:0'), u.bind('0.0.0.0:0')), 0],
  ['bind, when it is connected', INET, MINE, (u) => then(u.connect('10.0.0.2:0'), u.bind('10.0.0.1:0')), 'EINVAL'],
  ['bind to an address of another', INET, MINE, (u) => u.bind('10.0.0.2:0'), 'EADDRNOTAVAIL'],
  ['shut, when it is not connected', INET, MINE, (u) => u.calls.shutdown(u.sock, 3), 'ENOTCONN'],
  ['bind to a group', INET, MINE, (u) => u.bind('224.0.0.5:0'), 0],
  ['bind to all on a link', INET, MINE, (u) => u.bind('10.0.0.255:0'), 0],
  ['bind to a group without its link', INET6, MINE, (u) => u.bind('[ff02::5]:0'), 'EINVAL'],
  ['bind to one of another host', INET6, MINE, (u) => u.bind('[fd00::9]:0'), 'EADDRNOTAVAIL'],
  ['connect again', INET, MINE, (u) => then(u.connect('10.0.0.2:0'), u.connect('10.0.0.9:0')), 0],
  ['shut both, and more', INET, MINE, (u) => then(u.connect('10.0.0.2:0'), u.calls.shutdown(u.sock, 6)), 'EINVAL'],
  ['SO_PEEK_OFF', INET, MINE, (u) => u.set(SOL.SOCKET, SO.PEEK_OFF, 0), 'EOPNOTSUPP'],
  ['read SO_REUSEADDR', INET, MINE, (u) => u.get(SOL.SOCKET, SO.REUSEADDR), [1, 0, 0, 0]],
  ['read SO_REUSEADDR', INET6, MINE, (u) => u.get(SOL.SOCKET, SO.REUSEADDR), [1, 0, 0, 0]],
  ['half of ICMP_FILTER', INET, ICMP, (u) => then(u.set(SOL.RAW, FILTER, [1, 2]), u.get(SOL.RAW, FILTER, 8)), [1, 2, 0, 0]],
  ['read half of it', INET, ICMP, (u) => then(u.set(SOL.RAW, FILTER, [1, 2, 3, 4]), u.get(SOL.RAW, FILTER, 2)), [1, 2]],
  ['more than ICMP_FILTER', INET, ICMP, (u) => u.set(SOL.RAW, FILTER, Array(40).fill(0)), 0],
  ['nothing of ICMP_FILTER', INET, ICMP, (u) => u.set(SOL.RAW, FILTER, []), 0],
  ['half of ICMP6_FILTER', INET6, ICMPV6, (u) => then(u.set(SOL.ICMPV6, FILTER, [1, 2]), u.get(SOL.ICMPV6, FILTER)), [1, 2, 0, 0]],
  ['what SOL_RAW does not have', INET, ICMP, (u) => u.set(SOL.RAW, 2, 1), 'ENOPROTOOPT'],
  ['what SOL_RAW does not have over IPv6', INET6, MINE, (u) => u.set(SOL.RAW, FILTER, 1), 'ENOPROTOOPT'],
  ['what SOL_ICMPV6 does not have', INET6, ICMPV6, (u) => u.set(SOL.ICMPV6, 2, 1), 'ENOPROTOOPT'],
  ['what it does not have, of another protocol', INET6, MINE, (u) => u.set(SOL.ICMPV6, 2, 1), 'EOPNOTSUPP'],
  ['read what it does not have, of another protocol', INET6, MINE, (u) => u.get(SOL.ICMPV6, 2), 'EOPNOTSUPP'],
  ['IPV6_HDRINCL', INET6, MINE, (u) => then(u.set(SOL.IPV6, IPV6_OPTION.HDRINCL, 2), u.get(SOL.IPV6, IPV6_OPTION.HDRINCL)), [1, 0, 0, 0]],
  [
    'IPV6_HDRINCL of SOL_RAW',
    INET6,
    MINE,
    (u) => then(u.set(SOL.RAW, IPV6_OPTION.HDRINCL, 2), u.get(SOL.RAW, IPV6_OPTION.HDRINCL)),
    [1, 0, 0, 0],
  ],
  [
    'no IPV6_CHECKSUM',
    INET6,
    MINE,
    (u) => then(u.set(SOL.IPV6, IPV6_OPTION.CHECKSUM, -3), u.get(SOL.IPV6, IPV6_OPTION.CHECKSUM)),
    [255, 255, 255, 255],
  ],
  ['half of IPV6_CHECKSUM', INET6, MINE, (u) => u.set(SOL.IPV6, IPV6_OPTION.CHECKSUM, [4, 0]), 'EINVAL'],
  ['IPV6_CHECKSUM of ICMPv6 by SOL_RAW', INET6, ICMPV6, (u) => u.set(SOL.RAW, IPV6_OPTION.CHECKSUM, 4), 0],
  ['listen', INET, MINE, (u) => u.calls.listen(u.sock, 1), 'EOPNOTSUPP'],
  ['ICMP_FILTER of another protocol', INET, MINE, (u) => u.set(SOL.RAW, FILTER, 1), 'EOPNOTSUPP'],
  ['ICMP6_FILTER of another protocol', INET6, MINE, (u) => u.set(SOL.ICMPV6, FILTER, 1), 'EOPNOTSUPP'],
  ['an odd IPV6_CHECKSUM', INET6, MINE, (u) => u.set(SOL.IPV6, IPV6_OPTION.CHECKSUM, 3), 'EINVAL'],
  ['IPV6_CHECKSUM of ICMPv6', INET6, ICMPV6, (u) => u.set(SOL.IPV6, IPV6_OPTION.CHECKSUM, 4), 'EINVAL'],
  ['read IPV6_CHECKSUM of ICMPv6', INET6, ICMPV6, (u) => u.get(SOL.RAW, IPV6_OPTION.CHECKSUM), [2, 0, 0, 0]],
  ['read IPV6_CHECKSUM of Mobile IPv6', INET6, 135, (u) => u.get(SOL.RAW, IPV6_OPTION.CHECKSUM), [4, 0, 0, 0]],
  ['IP_HDRINCL', INET, MINE, (u) => then(u.set(SOL.IP, IP_OPTION.HDRINCL, 1), u.get(SOL.IP, IP_OPTION.HDRINCL)), [1, 0, 0, 0]],
  ['IP_TTL', INET, MINE, (u) => then(u.set(SOL.IP, IP_OPTION.TTL, 3), u.get(SOL.IP, IP_OPTION.TTL)), [3, 0, 0, 0]],
  ['SO_TYPE', INET, MINE, (u) => u.get(SOL.SOCKET, SO.TYPE), [3, 0, 0, 0]],
  ['SO_PROTOCOL', INET, MINE, (u) => u.get(SOL.SOCKET, SO.PROTOCOL), [MINE, 0, 0, 0]],
  ['its port is its protocol', INET, MINE, (u) => u.sock.localPort, MINE],
];

// Each was asked of Linux 6.18 too (a veth pair, with the same addresses).
describe('as Linux answers', () => {
  test.each(rows)('%s', (_name, family, protocol, call, expected) => {
    const user = net.near(protocol, family);
    expect(call(user)).toEqual(typeof expected === 'string' ? -ERRNO[expected as keyof typeof ERRNO] : expected);
    user.close();
  });

  test.each([
    [0, 'EPROTONOSUPPORT'],
    [256, 'EINVAL'],
    [-2, 'EINVAL'],
  ])('socket of protocol %i', (protocol, code) => {
    expect(() => net.near(protocol)).toThrow(expect.objectContaining({ code }));
  });

  test('connect, and not: hears only its peer, then all again', async () => {
    const [from, to] = [net.near(MINE), net.far(MINE)];
    to.connect('10.0.0.9:0');
    from.send(PAYLOAD, '10.0.0.2:0');
    await net.settle();
    expect(to.all()).toEqual([]);
    to.calls.connect(to.sock, Object.assign(to.message.address, { family: ADDRESS_FAMILY.UNSPEC }));
    from.send(PAYLOAD, '10.0.0.2:0');
    await net.settle();
    expect(to.all()).toHaveLength(1);
    from.close();
    to.close();
  });
});
