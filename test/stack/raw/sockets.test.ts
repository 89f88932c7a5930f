import { ADDRESS_FAMILY, ERRNO, IP_OPTION, IPV6_OPTION, MESSAGE_FLAG, POLL, SkbPool, SO, SOL } from '@softnet/contract';
import { appendFragment } from '@softnet/skb';
import type { Ipv4Packet } from '@softnet/wire';
import { emitIpv4Packet, parseIpv4Packet } from '@softnet/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { address } from '../udp/host.ts';
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

  test('over IPv6 it is told with EPROTO: the header says it (RFC 4443 §3.4)', async () => {
    const from = net.near(MINE, INET6);
    from.connect('[fd00::2]:0');
    from.send([...PAYLOAD, 7, 8]);
    await net.settle();
    expect([from.receive(), from.receive()]).toEqual([-ERRNO.EPROTO, -ERRNO.EAGAIN]);
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

  // Of a veth pair of Linux 6.18, whose other sockets had joined the group.
  test.each([
    ['bound to nothing', '', null, false, 1],
    ['bound to nothing, though it wants nothing else', '', 0, false, 1],
    ['bound to an address', '[fd00::2]:0', null, false, 1],
    ['bound to an address, and wants nothing else', '[fd00::2]:0', 0, false, 0],
    ['bound to an address, and has joined', '[fd00::2]:0', 0, true, 1],
  ] as const)('of a group of IPv6 hears who is %s: %s %s %s', async (_name, bound, all, joins, expected) => {
    const [from, to, member] = [net.near(MINE, INET6), net.far(MINE, INET6), net.far(MINE - 1, INET6)];
    const join = (user: RawUser) =>
      user.set(SOL.IPV6, IPV6_OPTION.ADD_MEMBERSHIP, [0xff, 2, ...Array(13).fill(0), 0x99, net.b.device('eth0').ifindex, 0, 0, 0]);
    expect(join(member)).toBe(0);
    if (bound !== '') expect(to.bind(bound)).toBe(0);
    if (all !== null) expect(to.set(SOL.IPV6, IPV6_OPTION.MULTICAST_ALL, all)).toBe(0);
    if (joins) expect(join(to)).toBe(0);
    expect(from.send(PAYLOAD, `[ff02::99%${net.a.device('eth0').ifindex}]:0`)).toBe(PAYLOAD.length);
    await net.settle();
    expect(to.all()).toHaveLength(expected);
    for (const user of [from, to, member]) user.close();
  });

  test('half an ICMP message has no type: nobody is given it; a type is found wherever it lies', async () => {
    const [from, all, some] = [net.near(ICMP), net.near(ICMP), net.near(ICMP)];
    some.set(SOL.RAW, FILTER, 1 << 30);
    for (const lenBytes of [4, 7, 8]) from.send(withSum([31, ...Array(lenBytes - 1).fill(0)]), '10.0.0.1:0');
    // On a page, as a driver with header split may have put it.
    const pool = net.a.kernel.port(SkbPool).current;
    for (const type of [30, 31]) {
      const skb = pool.alloc(0, 0)!;
      const page = skb.memory.pool.page(8)!;
      page.memory.bytes.set(withSum([type, 0, 0, 0, 0, 0, 0, 0]), page.offset);
      appendFragment(skb, page);
      Object.assign(from.message, { flags: MESSAGE_FLAG.SKB, skb, data: null, hasAddress: true, address: address('10.0.0.1:0', INET) });
      expect(from.calls.send(from.sock, from.message)).toBe(8);
    }
    await net.settle();
    const types = (user: RawUser) => user.all().map((bytes) => [bytes.length, bytes[20]]);
    expect(types(all)).toEqual([
      [28, 31],
      [28, 30],
      [28, 31],
    ]);
    expect(types(some)).toEqual([
      [28, 31],
      [28, 31],
    ]);
    for (const user of [from, all, some]) user.close();
  });

  test('of an error hears who is bound to the interface by which it came', async () => {
    const [from, here, elsewhere] = [net.near(MINE), net.near(MINE), net.near(MINE)];
    for (const user of [here, elsewhere]) user.connect('10.0.0.2:0');
    here.set(SOL.SOCKET, SO.BINDTOIFINDEX, net.a.device('eth0').ifindex);
    elsewhere.set(SOL.SOCKET, SO.BINDTOIFINDEX, net.a.device('lo').ifindex);
    from.send([...PAYLOAD, 7, 8], '10.0.0.2:0');
    await net.settle();
    expect([here.receive(), elsewhere.receive()]).toEqual([-ERRNO.ENOPROTOOPT, -ERRNO.EAGAIN]);
    for (const user of [from, here, elsewhere]) user.close();
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
  test('is written as far behind as a header may be; further behind it is refused, not left out', async () => {
    const [from, to] = [net.near(MINE, INET6), net.far(MINE, INET6)];
    for (const user of [from, to]) user.set(SOL.IPV6, IPV6_OPTION.CHECKSUM, 1024);
    const data = new Uint8Array(6000).fill(7);
    expect(from.send(data, '[fd00::2]:0')).toBe(6000);
    from.set(SOL.IPV6, IPV6_OPTION.CHECKSUM, 5000);
    expect(from.send(data, '[fd00::2]:0')).toBe(-ERRNO.EINVAL);
    await net.settle();
    expect(to.all().map(({ length }) => length)).toEqual([6000]);
    from.close();
    to.close();
  });

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

/** An ICMP message with its checksum. */
function withSum(bytes: readonly number[]): number[] {
  const made = bytes.with(2, 0).with(3, 0);
  let sum = 0;
  for (let i = 0; i < made.length; i += 2) sum += (made[i]! << 8) | made[i + 1]!;
  sum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
  return made.with(2, sum >>> 8).with(3, sum & 0xff);
}
