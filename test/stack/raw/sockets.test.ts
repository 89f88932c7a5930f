import { ADDRESS_FAMILY, ERRNO, IP_OPTION, IPV6_OPTION, POLL, SO, SOL } from '@softnet/contract';
import type { Ipv4Packet } from '@softnet/wire';
import { emitIpv4Packet, parseIpv4Packet } from '@softnet/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rawHosts } from './raw-hosts.ts';
import type { RawUser } from './raw-user.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
const MINE = 253;
const ICMP = 1;
const ICMPV6 = 58;
const UDP = 17;
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

describe('what comes', () => {
  test('over IPv4 with its header, over IPv6 without; to each that it concerns, and nobody is told that the protocol is unknown', async () => {
    for (const [family, to, other] of [
      [INET, '10.0.0.2:0', '10.0.0.9:0'],
      [INET6, '[fd00::2]:0', '[fd00::9]:0'],
    ] as const) {
      const from = net.near(MINE, family);
      const [one, two, elsewhere, another] = [
        net.far(MINE, family),
        net.far(MINE, family),
        net.far(MINE, family),
        net.far(MINE - 1, family),
      ];
      expect([two.bind(to), elsewhere.connect(other), from.connect(to)]).toEqual([0, 0, 0]);
      expect(from.send(PAYLOAD)).toBe(PAYLOAD.length);
      await net.settle();
      const seen = one.receive();
      if (typeof seen === 'number') throw new Error(`receive: ${seen}`);
      expect(seen.from).toBe(family === INET ? '10.0.0.1:0' : '[fd00::1]:0');
      const header = family === INET ? 20 : 0;
      expect([seen.bytes.length, seen.bytes.slice(header)]).toEqual([header + PAYLOAD.length, PAYLOAD]);
      if (family === INET) expect([seen.bytes[0], seen.bytes[3], seen.bytes[9]]).toEqual([0x45, 26, MINE]);
      expect([two.all().length, elsewhere.all().length, another.all().length]).toEqual([1, 0, 0]);
      // No ICMP error came back.
      expect(from.receive()).toBe(-ERRNO.EAGAIN);
      for (const user of [from, one, two, elsewhere, another]) user.close();
    }
  });

  test('where nobody reads it, its sender is told: ENOPROTOOPT of a connected one', async () => {
    const from = net.near(MINE);
    from.connect('10.0.0.2:0');
    // Eight bytes at least must be quoted (RFC 792).
    from.send([...PAYLOAD, 7, 8]);
    await net.settle();
    expect([from.calls.poll(from.sock) & POLL.ERR, from.receive(), from.receive()]).toEqual([POLL.ERR, -ERRNO.ENOPROTOOPT, -ERRNO.EAGAIN]);
    from.close();
  });

  test('a datagram goes to its UDP socket, and a copy to who reads UDP raw', async () => {
    const [client, server] = [net.a.open({ family: INET }), net.b.open({ family: INET })];
    server.bind('10.0.0.2', 7);
    const reader = net.far(UDP);
    await net.world.run(client.send(Uint8Array.from(PAYLOAD), '10.0.0.2', 7));
    await net.settle();
    expect([...(await net.world.run(server.receive())).data]).toEqual(PAYLOAD);
    expect(reader.all().map((bytes) => bytes.slice(28))).toEqual([PAYLOAD]);
    for (const user of [client, server, reader]) user.close();
  });

  test.each([
    ['IPv4', INET, ICMP, '10.0.0.2:0', [8, 0, 0xf7, 0xff - 4, 0, 1, 0, 2], SOL.RAW, [1, 0, 0, 0]],
    ['IPv6', INET6, ICMPV6, '[fd00::2]:0', [128, 0, 0, 0, 0, 1, 0, 2], SOL.ICMPV6, [...Array(16).fill(0), 2, ...Array(15).fill(0)]],
  ] as const)(
    'an echo request is answered, and the reply is read raw unless its type is blocked: %s',
    async (_name, family, protocol, to, request, level, block) => {
      const user = net.near(protocol, family);
      const echo = (): number => user.send(family === INET ? withSum(request) : request, to);
      expect(echo()).toBe(8);
      await net.settle();
      const replies = user.all().map((bytes) => bytes.slice(family === INET ? 20 : 0));
      expect(replies.map((bytes) => [bytes[0], bytes.slice(4)])).toEqual([[family === INET ? 0 : 129, [0, 1, 0, 2]]]);
      expect([user.set(level, FILTER, block), user.get(level, FILTER, 32)]).toEqual([0, block.concat()]);
      echo();
      await net.settle();
      expect(user.all()).toEqual([]);
      user.close();
    },
  );

  test('SO_RCVBUF bounds it', async () => {
    const [from, to] = [net.near(MINE), net.far(MINE)];
    to.set(SOL.SOCKET, SO.RCVBUF, 4096);
    for (let i = 0; i < 30; i++) from.send(PAYLOAD, '10.0.0.2:0');
    await net.settle();
    const seen = to.all().length;
    expect([seen > 0 && seen < 30, net.drops(net.b, 'raw.full')]).toEqual([true, 30 - seen]);
    from.close();
    to.close();
  });
});

describe('who is meant', () => {
  test('who is bound to an interface hears only that', async () => {
    const [from, here, elsewhere] = [net.near(MINE), net.far(MINE), net.far(MINE)];
    const [lo, eth] = ['lo', 'eth0'].map((name) => net.b.device(name).ifindex) as [number, number];
    expect([here.set(SOL.SOCKET, SO.BINDTOIFINDEX, eth), elsewhere.set(SOL.SOCKET, SO.BINDTOIFINDEX, lo)]).toEqual([0, 0]);
    from.send(PAYLOAD, '10.0.0.2:0');
    await net.settle();
    expect([here.all().length, elsewhere.all().length]).toEqual([1, 0]);
    for (const user of [from, here, elsewhere]) user.close();
  });

  test('of a group hears who has joined it, or has not said that it wants nothing else', async () => {
    const [from, member, open, shut] = [net.near(MINE), net.far(MINE), net.far(MINE), net.far(MINE)];
    // ip_mreqn: the group, no address, the interface.
    const request = [224, 0, 0, 99, 0, 0, 0, 0, net.b.device('eth0').ifindex, 0, 0, 0];
    expect([member.set(SOL.IP, IP_OPTION.ADD_MEMBERSHIP, request), shut.set(SOL.IP, IP_OPTION.MULTICAST_ALL, 0)]).toEqual([0, 0]);
    from.set(SOL.IP, IP_OPTION.MULTICAST_IF, [0, 0, 0, 0, 0, 0, 0, 0, net.a.device('eth0').ifindex, 0, 0, 0]);
    expect(from.send(PAYLOAD, '224.0.0.99:0')).toBe(PAYLOAD.length);
    await net.settle();
    expect([member.all().length, open.all().length, shut.all().length]).toEqual([1, 1, 0]);
    for (const user of [from, member, open, shut]) user.close();
  });

  test('of an error hears only who is connected there', async () => {
    const [from, other] = [net.near(MINE), net.near(MINE)];
    other.connect('10.0.0.9:0');
    from.connect('10.0.0.2:0');
    from.send([...PAYLOAD, 7, 8]);
    await net.settle();
    expect([from.receive(), other.receive()]).toEqual([-ERRNO.ENOPROTOOPT, -ERRNO.EAGAIN]);
    from.close();
    other.close();
  });

  test('ICMP_FILTER knows the first 32 types, and lets others come', async () => {
    const [from, to] = [net.near(ICMP), net.far(ICMP)];
    to.set(SOL.RAW, FILTER, -1);
    for (const type of [31, 32, 255]) from.send(withSum([type, 0, 0, 0, 0, 0, 0, 0]), '10.0.0.2:0');
    await net.settle();
    expect(to.all().map((bytes) => bytes[20])).toEqual([32, 255]);
    from.close();
    to.close();
  });

  test('a program (SO_ATTACH_FILTER) sees the IP header, and cuts behind it', async () => {
    const [from, to] = [net.near(MINE), net.far(MINE)];
    // Byte 9 is the protocol: 22 bytes of ours.
    const program = [
      [0x30, 0, 0, 9],
      [0x15, 0, 1, MINE],
      [0x06, 0, 0, 22],
      [0x06, 0, 0, 0],
    ];
    const bytes = program.flatMap(([code, yes, no, word]) => [code!, 0, yes!, no!, word!, 0, 0, 0]);
    expect(to.set(SOL.SOCKET, SO.ATTACH_FILTER, bytes)).toBe(0);
    from.send(PAYLOAD, '10.0.0.2:0');
    await net.settle();
    expect(to.all().map((seen) => seen.slice(20))).toEqual([[1, 2]]);
    from.close();
    to.close();
  });
});

describe('the header by its user (IP_HDRINCL)', () => {
  const packet = (parts: Partial<Parameters<typeof emitIpv4Packet>[0]> = {}): Uint8Array => {
    return emitIpv4Packet({
      ...{ tos: 0x10, id: 77, dontFragment: false, moreFragments: false, fragmentOffsetBytes: 0, ttl: 9, protocol: MINE },
      ...{ src: '10.0.0.1', dst: '10.0.0.2', options: [], payload: Uint8Array.from(PAYLOAD), ...parts },
    });
  };

  test('length and checksum are always written; source and identification where they are zero', async () => {
    const [from, to] = [net.near(RAW), net.far(MINE)];
    const whole = packet();
    expect(from.send(whole, '10.0.0.2:0')).toBe(whole.length);
    const bare = packet({ src: '0.0.0.0', id: 0 });
    bare.fill(0xee, 2, 4);
    bare.fill(0xee, 10, 12);
    from.send(bare, '10.0.0.2:0');
    const another = packet({ src: '10.0.0.77' });
    from.send(another, '10.0.0.2:0');
    await net.settle();
    const [first, second, third] = to.all();
    expect([first, third]).toEqual([[...whole], [...another]]);
    const read = parseIpv4Packet(Uint8Array.from(second!), 0, second!.length);
    expect(read).toMatchObject({ src: '10.0.0.1', ttl: 9, protocol: MINE, payload: Uint8Array.from(PAYLOAD) });
    expect((read as Ipv4Packet).id).not.toBe(0);
    from.close();
    to.close();
  });

  test.each([
    ['half a header', (u: RawUser) => u.send(packet().subarray(0, 19), '10.0.0.2:0'), -ERRNO.EINVAL],
    ['a header that is longer than all', (u: RawUser) => u.send(Uint8Array.of(0x4f, ...packet().subarray(1)), '10.0.0.2:0'), -ERRNO.EINVAL],
    ['more than the MTU', (u: RawUser) => u.send(packet({ payload: new Uint8Array(1481) }), '10.0.0.2:0'), -ERRNO.EMSGSIZE],
    ['just the MTU', (u: RawUser) => u.send(packet({ payload: new Uint8Array(1480) }), '10.0.0.2:0'), 1500],
  ])('%s', (_name, call, expected) => {
    const user = net.near(RAW);
    expect([call(user), user.get(SOL.IP, IP_OPTION.HDRINCL)]).toEqual([expected, [1, 0, 0, 0]]);
    user.close();
  });
});

describe('IPV6_CHECKSUM', () => {
  test('is written into what is sent, and looked at in what comes', async () => {
    const [from, to] = [net.near(MINE, INET6), net.far(MINE, INET6)];
    expect([from.set(SOL.IPV6, IPV6_OPTION.CHECKSUM, 2), to.set(SOL.RAW, IPV6_OPTION.CHECKSUM, 2)]).toEqual([0, 0]);
    from.send([1, 2, 9, 9, 5, 6, 7], '[fd00::2]:0');
    await net.settle();
    const [seen] = to.all();
    expect([seen!.slice(0, 2), seen!.slice(4)]).toEqual([
      [1, 2],
      [5, 6, 7],
    ]);
    from.set(SOL.IPV6, IPV6_OPTION.CHECKSUM, -1);
    from.send(seen!.with(6, 8), '[fd00::2]:0');
    from.send(seen!, '[fd00::2]:0');
    await net.settle();
    expect([to.all(), net.drops(net.b, 'raw.checksum')]).toEqual([[seen], 1]);
    from.close();
    to.close();
  });
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
  ['send less than has a checksum', INET6, ICMPV6, (u) => u.send([128, 0, 0], '[fd00::2]:0'), 'EINVAL'],
  ['receive, when there is nothing', INET, MINE, (u) => u.receive(), 'EAGAIN'],
  ['bind to an address of ours', INET, MINE, (u) => u.bind('10.0.0.1:0'), 0],
  ['bind again', INET, MINE, (u) => then(u.bind('10.0.0.1:0'), u.bind('0.0.0.0:0')), 0],
  ['bind, when it is connected', INET, MINE, (u) => then(u.connect('10.0.0.2:0'), u.bind('10.0.0.1:0')), 'EINVAL'],
  ['bind to an address of another', INET, MINE, (u) => u.bind('10.0.0.2:0'), 'EADDRNOTAVAIL'],
  ['shut, when it is not connected', INET, MINE, (u) => u.calls.shutdown(u.sock, 3), 'ENOTCONN'],
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

/** An ICMP message with its checksum. */
function withSum(bytes: readonly number[]): number[] {
  const made = bytes.with(2, 0).with(3, 0);
  let sum = 0;
  for (let i = 0; i < made.length; i += 2) sum += (made[i]! << 8) | made[i + 1]!;
  sum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
  return made.with(2, sum >>> 8).with(3, sum & 0xff);
}
