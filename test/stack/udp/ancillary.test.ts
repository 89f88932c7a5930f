import { ADDRESS_FAMILY, ERRNO, IP_OPTION, IPV6_OPTION, SOL, UDP_OPTION } from '@softnet/contract';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Row } from './control.ts';
import { int, ip, receiveAll, sendWith, set } from './control.ts';
import type { User } from './host.ts';
import { CLEAN } from './host.ts';
import { realHost } from './real-host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const { EINVAL, ENODEV, ENETUNREACH } = ERRNO;
/** A header of options: a PadN of six bytes. */
const PADDING = [0, 0, 1, 4, 0, 0, 0, 0];

let host: Awaited<ReturnType<typeof realHost>>;
beforeAll(async () => {
  host = await realHost();
});
afterAll(async () => {
  expect(await host.end()).toEqual(CLEAN);
});

/** Two sockets, which are closed behind `what`. */
async function withSockets(family: number, to: string, what: (a: User, b: User) => void | Promise<void>): Promise<void> {
  const [a, b] = [host.user(family), host.user(to.startsWith('[') && !to.includes('ffff') ? INET6 : INET)];
  expect(b.bind(to)).toBe(0);
  await what(a, b);
  a.close();
  b.close();
}

// What Linux 6.18 answers to the same message, taken from it by a program in Python. `1`: it is sent.
const SENT: readonly (readonly [what: string, row: Row, answer: number])[] = [
  ['no ttl', [SOL.IP, IP_OPTION.TTL, int(0)], -EINVAL],
  ['too large a ttl', [SOL.IP, IP_OPTION.TTL, int(256)], -EINVAL],
  ['a ttl', [SOL.IP, IP_OPTION.TTL, int(5)], 1],
  ['a ttl of one byte', [SOL.IP, IP_OPTION.TTL, [5]], -EINVAL],
  ['too large a tos', [SOL.IP, IP_OPTION.TOS, int(256)], -EINVAL],
  ['a negative tos', [SOL.IP, IP_OPTION.TOS, int(-1)], -EINVAL],
  ['a tos of one byte', [SOL.IP, IP_OPTION.TOS, [16]], 1],
  ['a tos', [SOL.IP, IP_OPTION.TOS, int(8)], 1],
  ['pktinfo that says nothing', [SOL.IP, IP_OPTION.PKTINFO, new Array(12).fill(0)], 1],
  ['pktinfo that is short', [SOL.IP, IP_OPTION.PKTINFO, new Array(11).fill(0)], -EINVAL],
  ['pktinfo that is long', [SOL.IP, IP_OPTION.PKTINFO, new Array(13).fill(0)], -EINVAL],
  ['pktinfo with no such interface', [SOL.IP, IP_OPTION.PKTINFO, [...int(999), 0, 0, 0, 0, 0, 0, 0, 0]], -ENODEV],
  ['pktinfo with a foreign source', [SOL.IP, IP_OPTION.PKTINFO, [...int(0), ...ip('9.9.9.9'), 0, 0, 0, 0]], -ENETUNREACH],
  ['pktinfo with an interface', [SOL.IP, IP_OPTION.PKTINFO, [...int(1), 0, 0, 0, 0, 0, 0, 0, 0]], 1],
  ['options', [SOL.IP, IP_OPTION.RETOPTS, [1, 1, 1, 1]], 1],
  ['malformed options', [SOL.IP, IP_OPTION.RETOPTS, [7, 2]], -EINVAL],
  ['an unknown type of SOL_IP', [SOL.IP, 99, int(1)], -EINVAL],
  ['a type that is only received', [SOL.IP, IP_OPTION.RECVERR, int(1)], -EINVAL],
  ['a level that is nobody’s', [77, 1, int(1)], 1],
  ['the other family’s pktinfo', [SOL.IPV6, IPV6_OPTION.PKTINFO, new Array(20).fill(0)], 1],
  ['the other family’s hop limit', [SOL.IPV6, IPV6_OPTION.HOPLIMIT, int(3)], 1],
  ['a size of segments', [SOL.UDP, UDP_OPTION.SEGMENT, [100, 0]], 1],
  ['a size of segments, an int', [SOL.UDP, UDP_OPTION.SEGMENT, int(100)], -EINVAL],
  ['no size of segments', [SOL.UDP, UDP_OPTION.SEGMENT, [0, 0]], 1],
  ['an unknown type of SOL_UDP', [SOL.UDP, 99, int(1)], -EINVAL],
  ['an option of SOL_UDP', [SOL.UDP, UDP_OPTION.CORK, int(1)], -EINVAL],
  ['SOL_TCP', [SOL.TCP, 1, int(1)], 1],
];
test.each(SENT)('IPv4: %s', async (_what, row, answer) => {
  await withSockets(INET, '127.0.0.1:5007', async (a, b) => {
    expect(sendWith(a, [7], [row], '127.0.0.1:5007')).toBe(answer);
    await host.settle();
    expect(b.receive()).toEqual(answer < 0 ? -ERRNO.EAGAIN : expect.objectContaining({ bytes: [7] }));
  });
});

const SENT6: readonly (readonly [what: string, row: Row, answer: number])[] = [
  ['pktinfo that says nothing', [SOL.IPV6, IPV6_OPTION.PKTINFO, new Array(20).fill(0)], 1],
  ['pktinfo that is short', [SOL.IPV6, IPV6_OPTION.PKTINFO, new Array(19).fill(0)], -EINVAL],
  ['pktinfo with a source', [SOL.IPV6, IPV6_OPTION.PKTINFO, [...ip('::1'), ...int(0)]], 1],
  ['pktinfo with a foreign source', [SOL.IPV6, IPV6_OPTION.PKTINFO, [...ip('2001:db8::9'), ...int(0)]], -EINVAL],
  ['pktinfo with no such interface', [SOL.IPV6, IPV6_OPTION.PKTINFO, [...ip('::'), ...int(999)]], -ENODEV],
  ['pktinfo with a source of a link, which it does not name', [SOL.IPV6, IPV6_OPTION.PKTINFO, [...ip('fe80::1'), ...int(0)]], -EINVAL],
  ['pktinfo with a source that the link has not', [SOL.IPV6, IPV6_OPTION.PKTINFO, [...ip('fe80::1'), ...int(1)]], -EINVAL],
  ['the usual hop limit', [SOL.IPV6, IPV6_OPTION.HOPLIMIT, int(-1)], 1],
  ['a hop limit that is none', [SOL.IPV6, IPV6_OPTION.HOPLIMIT, int(-2)], -EINVAL],
  ['too large a hop limit', [SOL.IPV6, IPV6_OPTION.HOPLIMIT, int(256)], -EINVAL],
  ['a hop limit of one byte', [SOL.IPV6, IPV6_OPTION.HOPLIMIT, [1]], -EINVAL],
  ['the usual class', [SOL.IPV6, IPV6_OPTION.TCLASS, int(-1)], 1],
  ['too large a class', [SOL.IPV6, IPV6_OPTION.TCLASS, int(256)], -EINVAL],
  ['a class of one byte', [SOL.IPV6, IPV6_OPTION.TCLASS, [1]], -EINVAL],
  ['no fragments, or what?', [SOL.IPV6, IPV6_OPTION.DONTFRAG, int(2)], -EINVAL],
  ['no fragments', [SOL.IPV6, IPV6_OPTION.DONTFRAG, int(1)], 1],
  ['a flow label', [SOL.IPV6, IPV6_OPTION.FLOWINFO, [0, 1, 0x23, 0x45]], 1],
  ['a flow label that is short', [SOL.IPV6, IPV6_OPTION.FLOWINFO, [1, 1]], -EINVAL],
  ['hop-by-hop options', [SOL.IPV6, IPV6_OPTION.HOPOPTS, PADDING], 1],
  ['hop-by-hop options that say they are longer', [SOL.IPV6, IPV6_OPTION.HOPOPTS, [0, 1, 1, 4, 0, 0, 0, 0]], -EINVAL],
  ['destination options', [SOL.IPV6, IPV6_OPTION.DSTOPTS, PADDING], 1],
  ['destination options before a routing header', [SOL.IPV6, IPV6_OPTION.RTHDRDSTOPTS, PADDING], 1],
  ['a routing header', [SOL.IPV6, IPV6_OPTION.RTHDR, [0, 2, 0, 1, 0, 0, 0, 0, ...ip('::1')]], -EINVAL],
  ['an unknown type of SOL_IPV6', [SOL.IPV6, 99, int(1)], -EINVAL],
  ['IPv4’s ttl', [SOL.IP, IP_OPTION.TTL, int(5)], 1],
  ['an unknown type of SOL_IP', [SOL.IP, 99, int(5)], 1],
  ['a level that is nobody’s', [77, 1, int(1)], 1],
  ['a size of segments', [SOL.UDP, UDP_OPTION.SEGMENT, [100, 0]], 1],
];
test.each(SENT6)('IPv6: %s', async (_what, row, answer) => {
  await withSockets(INET6, '[::1]:5008', async (a, b) => {
    expect(sendWith(a, [7], [row], '[::1]:5008')).toBe(answer);
    await host.settle();
    expect(b.receive()).toEqual(answer < 0 ? -ERRNO.EAGAIN : expect.objectContaining({ bytes: [7] }));
  });
});

const MAPPED: readonly (readonly [what: string, row: Row, answer: number])[] = [
  ['pktinfo with a mapped source', [SOL.IPV6, IPV6_OPTION.PKTINFO, [...ip('::ffff:127.0.0.1'), ...int(0)]], 1],
  ['pktinfo with a foreign mapped source', [SOL.IPV6, IPV6_OPTION.PKTINFO, [...ip('::ffff:9.9.9.9'), ...int(0)]], -ENETUNREACH],
  ['pktinfo with an IPv6 source', [SOL.IPV6, IPV6_OPTION.PKTINFO, [...ip('::1'), ...int(0)]], -EINVAL],
  ['a hop limit, whatever it is', [SOL.IPV6, IPV6_OPTION.HOPLIMIT, int(999)], 1],
  ['a ttl', [SOL.IP, IP_OPTION.TTL, int(5)], 1],
  ['too large a ttl', [SOL.IP, IP_OPTION.TTL, int(500)], -EINVAL],
  ['an unknown type of SOL_IPV6', [SOL.IPV6, 99, int(1)], 1],
  ['IPv4’s pktinfo', [SOL.IP, IP_OPTION.PKTINFO, new Array(12).fill(0)], 1],
];
test.each(MAPPED)('IPv4 of an IPv6 socket: %s', async (_what, row, answer) => {
  await withSockets(INET6, '127.0.0.1:5007', (a) => {
    expect(sendWith(a, [7], [row], '[::ffff:127.0.0.1]:5007')).toBe(answer);
  });
  await host.settle();
});

test('IPv4: what is asked for is told, in Linux’s order and layout', async () => {
  await withSockets(INET, '127.0.0.1:5007', async (a, b) => {
    for (const name of [6, 7, 8, 12, 13, 20, 23, 25]) expect(set(b, SOL.IP, name, int(1))).toBe(0);
    expect(set(a, SOL.IP, IP_OPTION.OPTIONS, [7, 7, 4, 0, 0, 0, 0, 1])).toBe(0);
    const rows: Row[] = [
      [SOL.IP, IP_OPTION.TTL, int(9)],
      [SOL.IP, IP_OPTION.TOS, int(0xb8)],
    ];
    expect(sendWith(a, [1, 2], rows, '127.0.0.1:5007')).toBe(2);
    await host.settle();
    const place = [...int(1), ...ip('127.0.0.1'), ...ip('127.0.0.1')];
    const destination = [2, 0, 0x13, 0x8f, ...ip('127.0.0.1'), 0, 0, 0, 0, 0, 0, 0, 0];
    const got = receiveAll(b);
    expect(got).toMatchObject({ bytes: [1, 2], flags: 0 });
    const control = typeof got === 'number' ? [] : got.control;
    expect(control.filter(([, type]) => type !== 6 && type !== 7)).toEqual([
      [SOL.IP, IP_OPTION.PKTINFO, place],
      [SOL.IP, IP_OPTION.TTL, int(9)],
      [SOL.IP, IP_OPTION.TOS, [0xb8]],
      [SOL.IP, IP_OPTION.ORIGDSTADDR, destination],
    ]);
    // The route that was recorded is as it came, and as an answer would have it.
    expect(control.map(([, type]) => type)).toEqual([8, 2, 1, 6, 7, 20]);
    expect(control[3]![2].slice(0, 7)).toEqual([7, 7, 8, ...ip('127.0.0.1')]);
    expect(control[4]![2].slice(0, 7)).toEqual([7, 7, 8, ...ip('127.0.0.1')]);
    // Nothing is told any more.
    for (const name of [6, 7, 8, 12, 13, 20]) expect(set(b, SOL.IP, name, int(0))).toBe(0);
    expect(sendWith(a, [3], [], '127.0.0.1:5007')).toBe(1);
    await host.settle();
    expect(receiveAll(b)).toMatchObject({ bytes: [3], control: [] });
  });
});

test('IPv6: what is asked for is told, extension headers in their order, also by their names of RFC 2292', async () => {
  await withSockets(INET6, '[::1]:5008', async (a, b) => {
    for (const name of [49, 51, 66, 53, 56, 58, 11, 60, 74, 77]) expect(set(b, SOL.IPV6, name, int(1))).toBe(0);
    for (const name of [IPV6_OPTION.HOPOPTS, IPV6_OPTION.DSTOPTS]) expect(set(a, SOL.IPV6, name, PADDING)).toBe(0);
    const rows: Row[] = [
      [SOL.IPV6, IPV6_OPTION.HOPLIMIT, int(9)],
      [SOL.IPV6, IPV6_OPTION.TCLASS, int(5)],
      [SOL.IPV6, IPV6_OPTION.FLOWINFO, [0, 1, 0x23, 0x45]],
    ];
    expect(sendWith(a, [1, 2], rows, '[::1]:5008')).toBe(2);
    await host.settle();
    const place = [...ip('::1'), ...int(1)];
    const told: Row[] = [
      [SOL.IPV6, IPV6_OPTION.PKTINFO, place],
      [SOL.IPV6, IPV6_OPTION.HOPLIMIT, int(9)],
      [SOL.IPV6, IPV6_OPTION.TCLASS, int(5)],
      [SOL.IPV6, IPV6_OPTION.FLOWINFO, [0, 0x51, 0x23, 0x45]],
      [SOL.IPV6, IPV6_OPTION.HOPOPTS, [60, 0, 1, 4, 0, 0, 0, 0]],
      [SOL.IPV6, IPV6_OPTION.DSTOPTS, [17, 0, 1, 4, 0, 0, 0, 0]],
    ];
    const destination: Row = [SOL.IPV6, IPV6_OPTION.ORIGDSTADDR, [10, 0, 0x13, 0x90, 0, 0, 0, 0, ...ip('::1'), 0, 0, 0, 0]];
    expect(receiveAll(b)).toMatchObject({ bytes: [1, 2], control: [...told, destination], flags: 0 });
    for (const name of [2, 3, 4, 5, 8]) expect(set(b, SOL.IPV6, name, int(1))).toBe(0);
    expect(sendWith(a, [3], rows, '[::1]:5008')).toBe(1);
    await host.settle();
    const old: Row[] = [
      [SOL.IPV6, 2, place],
      [SOL.IPV6, 8, int(9)],
      [SOL.IPV6, 3, [60, 0, 1, 4, 0, 0, 0, 0]],
      [SOL.IPV6, 4, [17, 0, 1, 4, 0, 0, 0, 0]],
    ];
    expect(receiveAll(b)).toMatchObject({ bytes: [3], control: [...told, ...old, destination] });
    // A message's own headers are instead of the socket's; those are taken back by none.
    expect(sendWith(a, [4], [[SOL.IPV6, IPV6_OPTION.DSTOPTS, [0, 1, 0x1e, 12, ...new Array(12).fill(0)]]], '[::1]:5008')).toBe(1);
    for (const name of [IPV6_OPTION.HOPOPTS, IPV6_OPTION.DSTOPTS]) expect(set(a, SOL.IPV6, name, [])).toBe(0);
    expect(sendWith(a, [5], [], '[::1]:5008')).toBe(1);
    await host.settle();
    const headers = [IPV6_OPTION.HOPOPTS, IPV6_OPTION.DSTOPTS] as readonly number[];
    const told2 = [receiveAll(b), receiveAll(b)].map((got) =>
      typeof got === 'number' ? [] : got.control.filter(([, type]) => headers.includes(type)),
    );
    expect(told2).toEqual([[[SOL.IPV6, IPV6_OPTION.DSTOPTS, [17, 1, 0x1e, 12, ...new Array(12).fill(0)]]], []]);
  });
});

test('a dual-stack socket is told of IPv4 by both levels, as in Linux', async () => {
  const [a, b] = [host.user(INET), host.user(INET6)];
  expect(b.bind('[::]:5009')).toBe(0);
  for (const name of [49, 51, 66]) expect(set(b, SOL.IPV6, name, int(1))).toBe(0);
  for (const name of [8, 12, 13]) expect(set(b, SOL.IP, name, int(1))).toBe(0);
  expect(a.send(Uint8Array.of(1), '127.0.0.1:5009')).toBe(1);
  await host.settle();
  expect(receiveAll(b)).toMatchObject({
    control: [
      [SOL.IP, IP_OPTION.PKTINFO, [...int(1), ...ip('127.0.0.1'), ...ip('127.0.0.1')]],
      [SOL.IP, IP_OPTION.TTL, int(64)],
      [SOL.IP, IP_OPTION.TOS, [0]],
      [SOL.IPV6, IPV6_OPTION.PKTINFO, [...ip('::ffff:127.0.0.1'), ...int(1)]],
    ],
  });
  a.close();
  b.close();
});

test('an IPv6 socket’s IPv4 packets go by its options of SOL_IP, its others by those of SOL_IPV6', async () => {
  const [a, b, c] = [host.user(INET6), host.user(INET), host.user(INET6)];
  b.bind('127.0.0.1:5010');
  c.bind('[::1]:5010');
  expect([set(b, SOL.IP, IP_OPTION.RECVTTL, int(1)), set(c, SOL.IPV6, IPV6_OPTION.RECVHOPLIMIT, int(1))]).toEqual([0, 0]);
  expect([set(a, SOL.IP, IP_OPTION.TTL, int(7)), set(a, SOL.IPV6, IPV6_OPTION.UNICAST_HOPS, int(8))]).toEqual([0, 0]);
  expect([a.send(Uint8Array.of(1), '[::ffff:127.0.0.1]:5010'), a.send(Uint8Array.of(1), '[::1]:5010')]).toEqual([1, 1]);
  await host.settle();
  expect(receiveAll(b)).toMatchObject({ control: [[SOL.IP, IP_OPTION.TTL, int(7)]] });
  expect(receiveAll(c)).toMatchObject({ control: [[SOL.IPV6, IPV6_OPTION.HOPLIMIT, int(8)]] });
  for (const user of [a, b, c]) user.close();
});

test('what a message says of its packet is what its receiver is told', async () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const [a, b, a6, b6] = [host.user(INET), host.user(INET), host.user(INET6), host.user(INET6)];
  expect([b.bind('127.0.0.1:5011'), b6.bind('[::1]:5011')]).toEqual([0, 0]);
  for (const name of [IP_OPTION.PKTINFO, IP_OPTION.RECVTTL, IP_OPTION.RECVTOS]) set(b, SOL.IP, name, int(1));
  for (const name of [IPV6_OPTION.RECVHOPLIMIT, IPV6_OPTION.RECVTCLASS, IPV6_OPTION.FLOWINFO, IPV6_OPTION.RECVDSTOPTS])
    set(b6, SOL.IPV6, name, int(1));
  const source = fc.tuple(byte, byte, fc.integer({ min: 1, max: 254 }));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 255 }), byte, source, async (ttl, tos, [x, y, z]) => {
      const rows: Row[] = [
        [SOL.IP, IP_OPTION.TTL, int(ttl)],
        [SOL.IP, IP_OPTION.PKTINFO, [...int(0), 127, x, y, z, 0, 0, 0, 0]],
        [SOL.IP, IP_OPTION.TOS, int(tos)],
      ];
      expect(sendWith(a, [1], rows, '127.0.0.1:5011')).toBe(1);
      await host.settle();
      const place = [...int(1), ...ip('127.0.0.1'), ...ip('127.0.0.1')];
      const control: Row[] = [
        [SOL.IP, IP_OPTION.PKTINFO, place],
        [SOL.IP, IP_OPTION.TTL, int(ttl)],
        [SOL.IP, IP_OPTION.TOS, [tos]],
      ];
      expect(receiveAll(b)).toMatchObject({ from: `127.${x}.${y}.${z}:${a.sock.localPort}`, control });
    }),
    { numRuns: 50, seed: 3 },
  );
  // An option that is stepped over by who does not know it.
  const options = fc.integer({ min: 0, max: 6 }).chain((units) => fc.array(byte, { minLength: 8 * units + 4, maxLength: 8 * units + 4 }));
  await fc.assert(
    fc.asyncProperty(byte, byte, fc.integer({ min: 1, max: 0xfffff }), options, async (hops, tos, label, data) => {
      const header = [0, (data.length - 4) / 8, 0x1e, data.length, ...data];
      const rows: Row[] = [
        [SOL.IPV6, IPV6_OPTION.HOPLIMIT, int(hops)],
        [SOL.IPV6, IPV6_OPTION.TCLASS, int(tos)],
        [SOL.IPV6, IPV6_OPTION.DSTOPTS, header],
        [SOL.IPV6, IPV6_OPTION.FLOWINFO, [0, label >>> 16, (label >>> 8) & 0xff, label & 0xff]],
      ];
      expect(sendWith(a6, [1], rows, '[::1]:5011')).toBe(1);
      await host.settle();
      const flowInfo = [tos >>> 4, ((tos & 0xf) << 4) | (label >>> 16), (label >>> 8) & 0xff, label & 0xff];
      const control: Row[] = [
        [SOL.IPV6, IPV6_OPTION.HOPLIMIT, int(hops)],
        [SOL.IPV6, IPV6_OPTION.TCLASS, int(tos)],
        [SOL.IPV6, IPV6_OPTION.FLOWINFO, flowInfo],
        [SOL.IPV6, IPV6_OPTION.DSTOPTS, [17, ...header.slice(1)]],
      ];
      expect(receiveAll(b6)).toMatchObject({ bytes: [1], control });
    }),
    { numRuns: 50, seed: 3 },
  );
  for (const user of [a, b, a6, b6]) user.close();
});

test('bursts with header options or extension headers come as they were sent, one by one', async () => {
  const data = Array.from({ length: 250 }, (_, i) => i);
  for (const [family, to, rows] of [
    [INET, '127.0.0.1:5012', [[SOL.IP, IP_OPTION.RETOPTS, [1, 1, 1, 1]]]],
    [
      INET6,
      '[::1]:5012',
      [
        [SOL.IPV6, IPV6_OPTION.DSTOPTS, PADDING],
        [SOL.IPV6, IPV6_OPTION.HOPOPTS, PADDING],
      ],
    ],
  ] as const) {
    await withSockets(family, to, async (a, b) => {
      expect(sendWith(a, data, [...rows, [SOL.UDP, UDP_OPTION.SEGMENT, [100, 0]]], to)).toBe(250);
      await host.settle();
      const got = [b.receive(), b.receive(), b.receive()].map((each) => (typeof each === 'number' ? each : each.bytes));
      expect(got).toEqual([data.slice(0, 100), data.slice(100, 200), data.slice(200)]);
    });
  }
});
