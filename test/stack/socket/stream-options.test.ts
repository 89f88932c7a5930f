import type { OptionLevel, SockOps } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  ERRNO,
  IP_OPTION,
  IPV6_OPTION,
  OptionLevel as Levels,
  MESSAGE_FLAG,
  SO,
  SOCK_TYPE,
  SOL,
  SockCommon,
} from '@softnet/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { int, ip, set as setOf } from '../udp/control.ts';
import { CLEAN } from '../udp/host.ts';
import { realHost } from '../udp/real-host.ts';

const { INET, INET6 } = ADDRESS_FAMILY;
/** What each option is set to. */
const VALUES = [int(0), int(1), int(-1), int(256), [1], []];
const ops = { name: 'fake', type: SOCK_TYPE.STREAM } as SockOps;

let host: Awaited<ReturnType<typeof realHost>>;
beforeAll(async () => {
  host = await realHost();
});
afterAll(async () => {
  expect(await host.end()).toEqual(CLEAN);
});

function stream(family: number): SockCommon {
  return Object.assign(new SockCommon(ops), { family, protocol: 6 });
}

function level(number: number): OptionLevel {
  return host.kernel.contributions(Levels).items.find((item) => item.level === number)!;
}

function set(sock: SockCommon, number: number, name: number, bytes: readonly number[]): number {
  return level(number).set(sock, name, Uint8Array.from(bytes));
}

function get(sock: SockCommon, number: number, name: number, roomBytes = 4): number[] | number {
  const room = new Uint8Array(roomBytes);
  const count = level(number).get(sock, name, room);
  return count < 0 ? count : [...room.subarray(0, count)];
}

/**
 * Where Linux 6.18 answers a TCP socket otherwise than a UDP socket (`test/stack/udp/option-table.test.ts`), or it matters to streams: setsockopt with 0, 1, -1, 256, a byte and nothing, each
 * on a fresh socket of the level's family, then what getsockopt says, as an int: recorded by a program in Python.
 */
const ANSWERS: readonly (readonly [level: number, name: number, answers: string])[] = [
  [SOL.IP, IP_OPTION.TOS, '0:0 0:0 0:252 0:0 0:0 0:0'],
  [SOL.IP, IP_OPTION.TTL, 'EINVAL 0:1 0:64 EINVAL 0:1 EINVAL'],
  [SOL.IP, IP_OPTION.MTU_DISCOVER, '0:0 0:1 EINVAL EINVAL 0:1 0:0'],
  [SOL.IP, IP_OPTION.RECVERR, '0:0 0:1 0:1 0:1 0:1 0:0'],
  [SOL.IP, IP_OPTION.RECVFRAGSIZE, 'EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL'],
  [SOL.IP, IP_OPTION.MULTICAST_IF, 'EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL'],
  [SOL.IP, IP_OPTION.MULTICAST_TTL, 'EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL'],
  [SOL.IP, IP_OPTION.ADD_MEMBERSHIP, 'EPROTO EPROTO EPROTO EPROTO EPROTO EPROTO'],
  [SOL.IP, IP_OPTION.LOCAL_PORT_RANGE, '0:0 0:1 0:-1 0:256 EINVAL EINVAL'],
  [SOL.IP, IP_OPTION.PKTOPTIONS, 'ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT'],
  [SOL.IPV6, IPV6_OPTION.UNICAST_HOPS, '0:0 0:1 0:64 EINVAL EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.MULTICAST_IF, 'ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT'],
  [SOL.IPV6, IPV6_OPTION.MULTICAST_HOPS, 'ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT'],
  [SOL.IPV6, IPV6_OPTION.ADD_MEMBERSHIP, 'EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.TCLASS, '0:0 0:0 0:0 EINVAL EINVAL EINVAL'],
  [SOL.IPV6, IPV6_OPTION.CHECKSUM, 'ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT'],
  [SOL.SOCKET, SO.LINGER, 'EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL'],
  [SOL.SOCKET, SO.INCOMING_CPU, '0:0 0:1 0:-1 0:256 EINVAL EINVAL'],
  [SOL.SOCKET, SO.BINDTOIFINDEX, '0:0 0:1 EINVAL 0:256 EINVAL EINVAL'],
  [SOL.SOCKET, SO.BUF_LOCK, '0:0 0:1 EINVAL EINVAL EINVAL EINVAL'],
  [SOL.SOCKET, SO.REUSEPORT, '0:0 0:1 0:1 0:1 EINVAL EINVAL'],
];

test.each(ANSWERS)('level %i, option %i of a stream: %s', (number, name, answers) => {
  const got = VALUES.map((value) => {
    const sock = stream(number === SOL.IPV6 ? INET6 : INET);
    const answer = set(sock, number, name, value);
    const word = Object.entries(ERRNO).find(([, errno]) => errno === -answer)?.[0];
    if (word !== undefined) return word;
    const [a, b, c, d] = get(sock, number, name) as [number, number, number, number];
    return `0:${a | (b << 8) | (c << 16) | (d << 24)}`;
  });
  expect(got.join(' ')).toBe(answers);
});

test('what a stream says that has set nothing', () => {
  const [four, six] = [stream(INET), stream(INET6)];
  expect([get(four, SOL.IP, IP_OPTION.PKTOPTIONS, 64), get(six, SOL.IPV6, IPV6_OPTION.PKTOPTIONS, 64)]).toEqual([[], []]);
  expect([get(four, SOL.IPV6, IPV6_OPTION.TCLASS), get(four, SOL.IP, IP_OPTION.MTU)]).toEqual([-ERRNO.EOPNOTSUPP, -ERRNO.ENOTCONN]);
  expect([get(four, SOL.SOCKET, SO.INCOMING_CPU), get(four, SOL.SOCKET, SO.TYPE)]).toEqual([int(-1), int(1)]);
  const user = host.user(INET6);
  expect(user.calls.getOption(user.sock, SOL.IPV6, IPV6_OPTION.PKTOPTIONS, new Uint8Array(64))).toBe(-ERRNO.ENOPROTOOPT);
  user.close();
});

test('the ECN bits of what a stream sends are its protocol’s own', () => {
  const [four, six] = [stream(INET), stream(INET6)];
  set(four, SOL.IP, IP_OPTION.TOS, int(0xff));
  (four.options!.layer as { tos: number }).tos |= 2;
  set(six, SOL.IPV6, IPV6_OPTION.TCLASS, int(0xff));
  expect([get(four, SOL.IP, IP_OPTION.TOS), get(six, SOL.IPV6, IPV6_OPTION.TCLASS)]).toEqual([int(0xfe), int(0xfc)]);
  expect([set(four, SOL.IP, IP_OPTION.TOS, int(0)), get(four, SOL.IP, IP_OPTION.TOS)]).toEqual([0, int(2)]);
});

/** A `struct cmsghdr` of 64 bits, and its data. */
function control(number: number, type: number, data: readonly number[]): number[] {
  const padding = new Array<number>(-data.length & 7).fill(0);
  return [...int(16 + data.length), 0, 0, 0, 0, ...int(number), ...int(type), ...data, ...padding];
}

test('what a stream is told of its latest packet is said by IP_PKTOPTIONS and IPV6_2292PKTOPTIONS, cut to the room that there is', async () => {
  for (const family of [INET, INET6] as const) {
    const [from, to] = [host.user(family), host.user(family)];
    const [number, here] = family === INET ? [SOL.IP, '127.0.0.1'] : [SOL.IPV6, '::1'];
    expect(to.bind(family === INET ? '127.0.0.1:7' : '[::1]:7')).toBe(0);
    setOf(from, number, family === INET ? IP_OPTION.TTL : IPV6_OPTION.UNICAST_HOPS, int(9));
    setOf(from, number, family === INET ? IP_OPTION.TOS : IPV6_OPTION.TCLASS, int(8));
    setOf(from, SOL.IPV6, IPV6_OPTION.AUTOFLOWLABEL, int(0));
    expect(from.send(Uint8Array.of(1), family === INET ? '127.0.0.1:7' : '[::1]:7')).toBe(1);
    await host.settle();
    Object.assign(to.message, { data: null, flags: MESSAGE_FLAG.SKB });
    expect(to.calls.receive(to.sock, to.message)).toBe(1);
    const skb = to.message.skb!;
    const sock = stream(family);
    const [local0, local1, local2, local3] = [to.sock.local0, to.sock.local1, to.sock.local2, to.sock.local3];
    Object.assign(sock, { local0, local1, local2, local3 });
    level(number).noted!(sock, skb);
    const name = family === INET ? IP_OPTION.PKTOPTIONS : IPV6_OPTION.PKTOPTIONS;
    expect(get(sock, number, name, 256), 'nothing was asked').toEqual([]);
    const asked =
      family === INET
        ? [IP_OPTION.PKTINFO, IP_OPTION.RECVTTL, IP_OPTION.RECVTOS]
        : [IPV6_OPTION.RECVPKTINFO, IPV6_OPTION.RECVHOPLIMIT, IPV6_OPTION.RECVTCLASS];
    for (const each of asked) expect(set(sock, number, each, int(1))).toBe(0);
    level(number).noted!(sock, skb);
    const place = family === INET ? [...int(1), ...ip(here), ...ip(here)] : [...ip(here), ...int(1)];
    const [placeName, ttlName, tosName] = family === INET ? [8, 2, 1] : [50, 52, 67];
    const told = [...control(number, placeName!, place), ...control(number, ttlName!, int(9)), ...control(number, tosName!, int(8))];
    expect(get(sock, number, name, 256)).toEqual(told);
    level(number).noted!(sock, skb);
    expect(get(sock, number, name, 256), 'the latest alone').toEqual(told);
    expect(get(sock, number, name, 24)).toEqual([...int(24), 0, 0, 0, 0, ...int(number), ...int(placeName!), ...place.slice(0, 8)]);
    skb.memory.pool.release(skb);
    from.close();
    to.close();
  }
});
