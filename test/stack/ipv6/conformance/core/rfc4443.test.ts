import { DEVICE_FLAG } from '@softnet/contract';
import { parseIpv6, pseudoHeaderSum, viewOf } from '@softnet/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesOf, icmp, rawPacket } from '../../bad-input/row.ts';
import type { Row } from './row.ts';
import { behind, beyond, counting, cutUp, error, piece, problem, reply, request, row, testRows } from './row.ts';
import { BEYOND, FAR, HOST, HOST_LINK, OTHER, OTHER_PEER, PEER, PEER_LINK, Tester } from './tester.ts';

const ALL_NODES = 'ff02::1';
const ROUTER = { router: true } as const;
const UNREACHABLE = 1;
const TOO_BIG = 2;
const TIME_EXCEEDED = 3;
/** Options, of which the one has to be reported also to groups, the other not. */
const REPORTED = '850400000000';
const REPORTED_TO_ONE = 'c50400000000';

const nobody = (ends = {}, data = counting(8)): Uint8Array => rawPacket(200, data, ends);
/** With an option before it that nobody knows. */
const odd = (packet: Uint8Array, option = REPORTED): Uint8Array =>
  behind(60, `${packet[6]!.toString(16).padStart(2, '0')}00${option}`, packet);
/** A packet that passes through. */
const passing = (ends = {}, data = counting(8)): Uint8Array => rawPacket(253, data, { src: FAR, dst: BEYOND, ...ends });
const forwarded = (packet: Uint8Array) => beyond(packet.with(7, packet[7]! - 1));

/** §2.2: what goes back comes from the address that was asked, where that is one of the host's. */
const SOURCES: readonly Row[] = [
  row('4443 §2.2 a', 'an echo to an address of the link', request(), [reply()]),
  row('4443 §2.2 a', 'an echo to an address of another link', request(counting(8), { dst: OTHER }), [reply(counting(8), { src: OTHER })]),
  row('4443 §2.2 a', 'an echo to the link-local one', request(counting(8), { src: PEER_LINK, dst: HOST_LINK }), [
    reply(counting(8), { src: HOST_LINK, dst: PEER_LINK }),
  ]),
  row('4443 §2.2 a', 'an echo from beyond to the link-local one', request(counting(8), { dst: HOST_LINK }), [
    reply(counting(8), { src: HOST_LINK }),
  ]),
  row('4443 §2.2 a', 'an error about a packet to an address of another link', nobody({ dst: OTHER }), [
    problem(1, 6, nobody({ dst: OTHER }), { src: OTHER }),
  ]),
  row('4443 §2.2 a', 'an error about one to the link-local address', nobody({ src: PEER_LINK, dst: HOST_LINK }), [
    problem(1, 6, nobody({ src: PEER_LINK, dst: HOST_LINK }), { src: HOST_LINK, dst: PEER_LINK }),
  ]),
  row('4443 §2.2 b', 'an echo to a group, from a global address', request(counting(8), { dst: ALL_NODES }), [reply()]),
  row('4443 §2.2 b', 'an echo to a group, from a link-local one', request(counting(8), { src: PEER_LINK, dst: ALL_NODES }), [
    reply(counting(8), { src: HOST_LINK, dst: PEER_LINK }),
  ]),
  row('4443 §2.2 b', 'an echo to a group, from beyond', request(counting(8), { src: FAR, dst: ALL_NODES }), [
    reply(counting(8), { dst: FAR }),
  ]),
  row('4443 §2.2 b', 'an echo to a solicited-node group', request(counting(8), { dst: 'ff02::1:ff00:1' }), [reply()]),
  row('4443 §2.2 b', 'an echo to an anycast address', request(counting(8), { dst: 'fd00::' }), [reply()], ROUTER),
  row('4443 §2.2 b', 'an echo to the anycast address of another link', request(counting(8), { dst: 'fd02::' }), [reply()], ROUTER),
  row(
    '4443 §2.2 b',
    'an error about a packet to an anycast address',
    nobody({ dst: 'fd00::' }),
    [problem(1, 6, nobody({ dst: 'fd00::' }))],
    ROUTER,
  ),
  row('4443 §2.2 b', 'an error about a packet to a group', odd(request(counting(8), { dst: ALL_NODES })), [
    problem(2, 42, odd(request(counting(8), { dst: ALL_NODES }))),
  ]),
  row(
    '4443 §2.2 b',
    'an error about what passes, to a neighbour',
    passing({ src: PEER, hopLimit: 1 }),
    [error(TIME_EXCEEDED, 0, 0, passing({ src: PEER, hopLimit: 1 }))],
    ROUTER,
  ),
  row(
    '4443 §2.2 b',
    'an error about what passes, to who is beyond',
    passing({ hopLimit: 1 }),
    [error(TIME_EXCEEDED, 0, 0, passing({ hopLimit: 1 }), { dst: FAR })],
    ROUTER,
  ),
  row(
    '4443 §2.2 b',
    'an error about what passes from the other link',
    beyond(passing({ src: BEYOND, dst: FAR, hopLimit: 1 })),
    [beyond(error(TIME_EXCEEDED, 0, 0, passing({ src: BEYOND, dst: FAR, hopLimit: 1 }), { src: OTHER, dst: BEYOND }))],
    ROUTER,
  ),
];

/** §2.4 c: how much is quoted: 1280 bytes in all, and not more than there is. */
const QUOTES: readonly Row[] = [0, 1, 1191, 1192, 1193, 1460].map((length) =>
  row('4443 §2.4 c', `a packet of ${40 + length} bytes is quoted`, nobody({}, counting(length)), [
    problem(1, 6, nobody({}, counting(length))),
  ]),
);

/** An echo request inside something that nobody knows how to answer. */
const quiet = (rfc: string, name: string, frame: Uint8Array | { link: 0; bytes: Uint8Array; mac: string }, more = {}): Row =>
  row(rfc, name, frame, [], more);
const error8 = (type: number): Uint8Array => rawPacket(58, icmp(type, 0, 0, counting(0)));
const inGroupFrame = (bytes: Uint8Array) => ({ link: 0, bytes, mac: '33:33:00:00:00:01' }) as const;
const inBroadcast = (bytes: Uint8Array) => ({ link: 0, bytes, mac: 'ff:ff:ff:ff:ff:ff' }) as const;

/** §2.4 e: who is not told. */
const SILENT: readonly Row[] = [
  ...[1, 2, 3, 4, 5, 100, 101, 126, 127].map((type) => quiet('4443 §2.4 e.1', `about an error, type ${type}`, odd(error8(type)))),
  quiet('4443 §2.4 e.2', 'about a redirect', odd(error8(137))),
  ...[128, 129, 138, 139, 200, 255].map((type) =>
    row('4443 §2.4 e.1', `about what is no error, type ${type}`, odd(error8(type)), [problem(2, 42, odd(error8(type)))]),
  ),
  quiet('4443 §2.4 e.3', 'about a packet to a group: a next header', nobody({ dst: ALL_NODES })),
  quiet(
    '4443 §2.4 e.3',
    'about a packet to a group: an option for one only',
    odd(request(counting(8), { dst: ALL_NODES }), REPORTED_TO_ONE),
  ),
  quiet('4443 §2.4 e.4', 'about a frame to a group: a next header', inGroupFrame(nobody())),
  quiet('4443 §2.4 e.4', 'about a frame to a group: an option for one only', inGroupFrame(odd(request(), REPORTED_TO_ONE))),
  row('4443 §2.4 e.4', 'but about an option that says so', inGroupFrame(odd(request())), [problem(2, 42, odd(request()))]),
  quiet('4443 §2.4 e.5', 'about a frame to all: a next header', inBroadcast(nobody())),
  row('4443 §2.4 e.5', 'but about an option that says so, too', inBroadcast(odd(request())), [problem(2, 42, odd(request()))]),
  quiet('4443 §2.4 e.6', 'to nobody', odd(request(counting(8), { src: '::' }))),
  quiet('4443 §2.4 e.6', 'to a group', odd(request(counting(8), { src: 'ff02::9' }))),
  quiet('4443 §2.4 e.6', 'to what is known to be an anycast address', odd(request(counting(8), { src: 'fd00::' })), ROUTER),
  quiet(
    '4443 §2.4 e.1',
    'about an error that passes, its hop limit at its end',
    rawPacket(58, icmp(1, 0, 0, counting(48), { src: FAR, dst: BEYOND }), { src: FAR, dst: BEYOND, hopLimit: 1 }),
    ROUTER,
  ),
  quiet(
    '4443 §2.4 e.1',
    'about an error that passes, to nowhere',
    rawPacket(58, icmp(3, 0, 0, counting(48), { src: FAR, dst: '2001:db8::1' }), { src: FAR, dst: '2001:db8::1' }),
    ROUTER,
  ),
  quiet('4443 §2.4 e.1', 'about an error that nobody could read whole', odd(rawPacket(58, counting(0)))),
];

const UDP_SUM = (src: string, dst: string) => pseudoHeaderSum(...parseIpv6(src)!, ...parseIpv6(dst)!, 17, 8);
/** UDP without data to a port where nobody is. */
function udp(ends: { readonly src?: string; readonly dst?: string } = {}): Uint8Array {
  const { src = PEER, dst = HOST } = ends;
  const body = bytesOf('00090009 0008 0000');
  let sum = UDP_SUM(src, dst) + 9 + 9 + 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  viewOf(body).setUint16(6, ~sum & 0xffff);
  return rawPacket(17, body, { src, dst });
}

const NOWHERE = '2001:db8::1';
const DEAD = 'fd02::dead';
const UNREACHABLES: readonly Row[] = [
  row('4443 §3.1', 'no route', passing({ dst: NOWHERE }), [error(UNREACHABLE, 0, 0, passing({ dst: NOWHERE }), { dst: FAR })], ROUTER),
  row('4443 §3.1', 'no route: a host says nothing, it was not asked to pass it on', passing({ dst: NOWHERE }), []),
  row(
    '4443 §3.1',
    'a prohibited way',
    passing({ dst: '2001:db9::1' }),
    [error(UNREACHABLE, 1, 0, passing({ dst: '2001:db9::1' }), { dst: FAR })],
    ROUTER,
  ),
  row('4443 §3.1', 'a way into the dark: nothing, as its user wants it', passing({ dst: '2001:dba::1' }), [], ROUTER),
  row(
    '4443 §3.1',
    'beyond the scope of the source',
    passing({ src: PEER_LINK }),
    [error(UNREACHABLE, 2, 0, passing({ src: PEER_LINK }), { src: HOST_LINK, dst: PEER_LINK })],
    ROUTER,
  ),
  {
    rfc: '4443 §3.1',
    name: 'a neighbour that does not answer: each packet is told of, after three solicitations',
    steps: [
      { in: [passing({ dst: DEAD }), passing({ dst: DEAD }, counting(9))], ms: 2900 },
      {
        ms: 300,
        out: [8, 9].map((length) => error(UNREACHABLE, 3, 0, passing({ dst: DEAD, hopLimit: 63 }, counting(length)), { dst: FAR })),
      },
    ],
    router: true,
  },
  row('4443 §3.1', 'a port of UDP', udp(), [error(UNREACHABLE, 4, 0, udp())]),
  row('4443 §3.1', 'a port of UDP, to an address of another link', udp({ dst: OTHER }), [
    error(UNREACHABLE, 4, 0, udp({ dst: OTHER }), { src: OTHER }),
  ]),
  quiet('4443 §2.4 e.3', 'a port of UDP, to a group', udp({ dst: ALL_NODES })),
  quiet('4443 §2.4 e.4', 'a port of UDP, in a frame to a group', inGroupFrame(udp())),
  quiet('8200 §8.1', 'UDP without a checksum', udp().with(46, 0).with(47, 0)),
];

const NARROW = { router: true, settings: { 'net.ipv6.conf.eth1.mtu': 1300 } } as const;
const sized = (lenBytes: number, ends = {}): Uint8Array => passing(ends, counting(lenBytes - 40));
const BIG: readonly Row[] = [
  row('4443 §3.2', 'what fits passes', sized(1300), [forwarded(sized(1300))], NARROW),
  row('4443 §3.2', 'one byte more does not', sized(1301), [error(TOO_BIG, 0, 1300, sized(1301), { dst: FAR })], NARROW),
  row('4443 §3.2', 'nor as much as a link has', sized(1500), [error(TOO_BIG, 0, 1300, sized(1500), { dst: FAR })], NARROW),
  row(
    '4443 §3.2',
    'a fragment neither',
    piece(sized(1500), 0, 1288, 5, true),
    [error(TOO_BIG, 0, 1300, piece(sized(1500), 0, 1288, 5, true), { dst: FAR })],
    NARROW,
  ),
  quiet(
    '4443 §2.4 e.1',
    'too big, and an error',
    rawPacket(58, icmp(1, 0, 0, counting(1400), { src: FAR, dst: BEYOND }), { src: FAR, dst: BEYOND }),
    NARROW,
  ),
  row('4443 §3.2', 'no MTU below 1280 is told', sized(1281), [error(TOO_BIG, 0, 1280, sized(1281), { dst: FAR })], {
    router: true,
    settings: { 'net.ipv6.conf.eth1.mtu': 1280 },
  }),
  row(
    '4443 §3.3',
    'its hop limit runs out first',
    sized(1400, { hopLimit: 1 }),
    [error(TIME_EXCEEDED, 0, 0, sized(1400, { hopLimit: 1 }), { dst: FAR })],
    NARROW,
  ),
  quiet('4443 §2.4 e.4', 'too big, in a frame to a group: not passed on', inGroupFrame(sized(1400)), NARROW),
];

const HOPS: readonly Row[] = [
  row(
    '4443 §3.3',
    'a hop limit of 1',
    passing({ hopLimit: 1 }),
    [error(TIME_EXCEEDED, 0, 0, passing({ hopLimit: 1 }), { dst: FAR })],
    ROUTER,
  ),
  row(
    '4443 §3.3',
    'a hop limit of 0',
    passing({ hopLimit: 0 }),
    [error(TIME_EXCEEDED, 0, 0, passing({ hopLimit: 0 }), { dst: FAR })],
    ROUTER,
  ),
  row('4443 §3.3', 'a hop limit of 2', passing({ hopLimit: 2 }), [forwarded(passing({ hopLimit: 2 }))], ROUTER),
  row('4443 §3.3', 'a hop limit of 255', passing({ hopLimit: 255 }), [forwarded(passing({ hopLimit: 255 }))], ROUTER),
  row(
    '4443 §3.3',
    'a hop limit of 1, to the router itself',
    request(counting(8), { dst: OTHER, hopLimit: 1 }),
    [reply(counting(8), { src: OTHER })],
    ROUTER,
  ),
];

const ECHOES: readonly Row[] = [
  ...[0, 1, 2, 7, 255, 1232, 1451, 1452].map((length) =>
    row('4443 §4.2', `${length} bytes come back as they were`, request(counting(length)), [reply(counting(length))]),
  ),
  ...[1453, 4000].map((length) => ({
    rfc: '4443 §4.2',
    name: `${length} bytes, in pieces`,
    steps: [{ in: cutUp(request(counting(length)), 1448, length), out: cutUp(reply(counting(length)), 1448) }],
  })),
  ...[0, -1, 0x7fff8000].map((rest) =>
    row('4443 §4.2', `identifier and sequence number of ${rest}`, request(counting(3), {}, rest), [reply(counting(3), {}, rest)]),
  ),
  row('4443 §4.1', 'a code that is not 0', rawPacket(58, icmp(128, 7, 1, counting(3))), [reply(counting(3), {}, 1)]),
  row('4443 §4.2', 'behind options, which do not come back', behind(60, '3a00010400000000', request()), [reply()]),
  row('8200 §8.4', 'behind a routing header, which does not come back', behind(43, '3a00000000000000', request()), [reply()]),
  row('4443 §4.2', 'from this host’s other neighbour', beyond(request(counting(8), { src: OTHER_PEER, dst: OTHER })), [
    beyond(reply(counting(8), { src: OTHER, dst: OTHER_PEER })),
  ]),
  quiet('4443 §4.2', 'from nobody', request(counting(8), { src: '::' })),
  quiet('4443 §4.2', 'from a group', request(counting(8), { src: 'ff02::9' })),
  quiet('4443 §2.3', 'a checksum that is wrong by one', request().with(43, request()[43]! ^ 1)),
  quiet('4443 §2.3', 'one that is over the header as it came, with its hop limit', request().with(42, 0)),
  quiet('4443 §2.4 b', 'an informational message that nobody knows', error8(201)),
  quiet('4443 §2.4 b', 'for experiments', error8(200)),
];

let tester: Tester;
beforeAll(async () => {
  tester = await Tester.boot();
  tester.host.addRoute('2001:db9::/32', { type: 'PROHIBIT' });
  tester.host.addRoute('2001:dba::/32', { type: 'BLACKHOLE' });
});
afterAll(() => tester.end());

testRows([...SOURCES, ...QUOTES, ...SILENT, ...UNREACHABLES, ...BIG, ...HOPS, ...ECHOES], () => tester);

test('RFC 4443 §2.4 f: a flood of errors to one host is few; then it has its share again', async () => {
  const { sysctl } = tester.host.kernel;
  sysctl.set('net.ipv6.icmp.ratelimit', 1000);
  const flood = async (): Promise<number> => {
    for (let i = 0; i < 100; i++) tester.send({ link: 0, bytes: nobody() });
    return (await tester.take(1)).length;
  };
  expect(await flood()).toBe(6);
  await tester.take(1000);
  expect(await flood()).toBe(4);
  await tester.take(10_000);
  expect(await flood()).toBe(6);
  sysctl.set('net.ipv6.icmp.ratelimit', 0);
});

test('RFC 4443 §3.1: a router does not send back what is for an address of the point-to-point link that it came by', async () => {
  const { sysctl } = tester.host.kernel;
  const device = tester.host.device('eth1');
  sysctl.set('net.ipv6.conf.all.forwarding', true);
  const lost = passing({ src: BEYOND, dst: 'fd02::77' });
  device.flags |= DEVICE_FLAG.POINTOPOINT;
  tester.send(beyond(lost));
  expect(await tester.take(2)).toEqual([beyond(error(UNREACHABLE, 3, 0, lost, { src: OTHER, dst: BEYOND }))]);
  device.flags &= ~DEVICE_FLAG.POINTOPOINT;
  tester.send(beyond(lost));
  expect(await tester.take(2)).toContainEqual(beyond(lost.with(7, 63)));
  sysctl.set('net.ipv6.conf.all.forwarding', false);
});
