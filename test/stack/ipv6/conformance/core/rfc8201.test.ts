import { emitUdp, parseIpv6, pseudoHeaderSum } from '@softnet/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { icmp, rawPacket } from '../../bad-input/row.ts';
import { G, ints, set } from '../../group-values.ts';
import type { Row, Step } from './row.ts';
import { behind, beyond, counting, cutUp, error, piece, reply, request, testRows } from './row.ts';
import { BEYOND, HOST, HOST_LINK, OTHER, PEER_LINK, Tester } from './tester.ts';

const MINUTE = 60_000;
/** A request whose reply is 1,500 bytes long. */
const DATA = counting(1452);
/** The next destination behind the tester: each has a path of its own. */
let hosts = 0x100;
const nextFar = (): string => `fd01::${(hosts++).toString(16)}`;

interface Path {
  /** The echo and its reply of 1,500 bytes. */
  readonly whole: Step;
  /** The echo, and its reply in pieces of this MTU. */
  cut(mtuBytes: number): Step;
  /** Packet Too Big about that reply. */
  tooBig(mtuBytes: number, code?: number, about?: Uint8Array): Step;
  readonly sent: Uint8Array;
  readonly far: string;
}

function pathTo(far: string, ends: { readonly src: string; readonly dst: string } = { src: far, dst: HOST }, rest?: number): Path {
  const sent = reply(DATA, { src: ends.dst, dst: ends.src }, rest);
  const asked = request(DATA, ends, rest);
  return {
    far,
    sent,
    whole: { in: [asked], out: [sent] },
    cut: (mtuBytes) => ({ in: [asked], out: cutUp(sent, (mtuBytes - 48) & ~7) }),
    tooBig: (mtuBytes, code = 0, about = sent) => {
      // Of the router's own address: that of the tester.
      const router = ends.dst === HOST_LINK ? PEER_LINK : 'fd00::9';
      return { in: [error(2, code, mtuBytes, about, { src: router, dst: ends.dst })] };
    },
  };
}

function path(rfc: string, name: string, steps: (path: Path) => readonly Step[], more: Partial<Row> = {}): Row {
  return { rfc, name, steps: steps(pathTo(nextFar())), ...more };
}

const LEARNED: readonly Row[] = [1499, 1493, 1492, 1400, 1281, 1280].map((mtu) =>
  path('8201 §4', `an MTU of ${mtu}: replies are cut to it`, ({ whole, tooBig, cut }) => [whole, tooBig(mtu), cut(mtu)]),
);

const REFUSED: readonly Row[] = [0, 1, 56, 68, 576, 1279].map((mtu) =>
  path('8201 §4', `an MTU of ${mtu} is not believed`, ({ whole, tooBig }) => [whole, tooBig(mtu), whole]),
);

const CHANGES: readonly Row[] = [
  path('8201 §4', 'a smaller one counts', ({ whole, tooBig, cut }) => [whole, tooBig(1400), cut(1400), tooBig(1300), cut(1300)]),
  path('8201 §4', 'a larger one does not', ({ whole, tooBig, cut }) => [whole, tooBig(1300), cut(1300), tooBig(1400), cut(1300)]),
  path('8201 §4', 'one below 1280 takes nothing away', ({ whole, tooBig, cut }) => [whole, tooBig(1400), tooBig(600), cut(1400)]),
  path('8201 §4', 'one of the link’s own', ({ whole, tooBig }) => [whole, tooBig(1500), whole]),
  path('8201 §4', 'one beyond the link’s', ({ whole, tooBig }) => [whole, tooBig(9000), tooBig(0x7fffffff), tooBig(-1), whole]),
  path('4443 §3.2', 'a code that is not 0 says nothing', ({ whole, tooBig, cut }) => [whole, tooBig(1400, 255), cut(1400)]),
  path('8201 §5.2', 'one about a piece that was cut already', ({ whole, tooBig, cut, sent }) => [
    whole,
    tooBig(1400),
    cut(1400),
    tooBig(1300, 0, piece(sent, 0, 1352, 0)),
    cut(1300),
  ]),
  path('8201 §5.2', 'other destinations are as before', ({ whole, tooBig, cut }) => [
    whole,
    tooBig(1280),
    cut(1280),
    pathTo(nextFar()).whole,
  ]),
  path('8201 §4', 'what fits is not cut', ({ whole, tooBig, far }) => [
    whole,
    tooBig(1280),
    { in: [request(counting(1232), { src: far, dst: HOST })], out: [reply(counting(1232), { dst: far })] },
    { in: [request(counting(1233), { src: far, dst: HOST })], out: cutUp(reply(counting(1233), { dst: far }), 1232) },
  ]),
  path('8201 §4', 'a neighbour’s path too', () => {
    const near = pathTo('fd00::77');
    return [near.whole, near.tooBig(1400), near.cut(1400)];
  }),
  path('8201 §4', 'a link-local one', () => {
    const near = pathTo('fe80::78', { src: 'fe80::78', dst: HOST_LINK });
    return [near.whole, near.tooBig(1400), near.cut(1400)];
  }),
  path('8201 §4', 'by another address of the host', ({ far }) => {
    const other = pathTo(far, { src: far, dst: OTHER });
    return [other.whole, other.tooBig(1400), other.cut(1400)];
  }),
];

const AGES: readonly Row[] = [
  path('8201 §5.3', 'not tried again within 5 minutes, but after 10', ({ whole, tooBig, cut }) => [
    whole,
    tooBig(1400),
    { ms: 5 * MINUTE + 1000 },
    cut(1400),
    { ms: 4 * MINUTE + 50_000 },
    cut(1400),
    { ms: 10_000 },
    whole,
    tooBig(1400),
    cut(1400),
  ]),
  path('8201 §5.3', 'told again it is as long again', ({ whole, tooBig, cut }) => [
    whole,
    tooBig(1400),
    { ms: 8 * MINUTE },
    tooBig(1300),
    { ms: 8 * MINUTE },
    cut(1300),
    { ms: 2 * MINUTE + 1000 },
    whole,
  ]),
];

/** RFC 8201 §4: messages about what this host has not sent. */
const INVENTED: readonly Row[] = [
  path('8201 §4', 'about a reply that nobody has sent', ({ whole, tooBig }) => [tooBig(1400), whole]),
  path('8201 §4', 'of another identifier', ({ whole, tooBig, far }) => [
    whole,
    tooBig(1400, 0, reply(DATA, { dst: far }, 0x12350001)),
    whole,
  ]),
  path('8201 §4', 'of another sequence number', ({ whole, tooBig, far }) => [
    whole,
    tooBig(1400, 0, reply(DATA, { dst: far }, 0x12340002)),
    whole,
  ]),
  path('8201 §4', 'to another host', ({ whole, tooBig }) => {
    const other = pathTo(nextFar());
    return [whole, tooBig(1400, 0, other.sent), whole, other.whole];
  }),
  path('8201 §4', 'from another source', ({ whole, tooBig, far }) => [
    whole,
    tooBig(1400, 0, reply(DATA, { src: 'fd00::77', dst: far })),
    whole,
  ]),
  path('8201 §4', 'about a later piece, which may be of anybody', ({ whole, tooBig, sent }) => [
    whole,
    tooBig(1400, 0, piece(sent, 1232, 1460, 0)),
    whole,
  ]),
  path('8201 §4', 'about an echo request that nobody has sent', ({ whole, tooBig, far }) => [
    whole,
    tooBig(1400, 0, request(DATA, { src: HOST, dst: far })),
    whole,
  ]),
  path('8201 §4', 'about TCP that nobody has sent', ({ whole, tooBig, far }) => [
    whole,
    tooBig(1400, 0, rawPacket(6, counting(1460), { src: HOST, dst: far })),
    whole,
  ]),
  path('4443 §2.3', 'with a wrong checksum', ({ whole, sent }) => [
    whole,
    { in: [error(2, 0, 1400, sent, { src: 'fd00::9', dst: HOST }).with(43, 0x55)] },
    whole,
  ]),
];

/** What is said of paths concerns no router. */
const ROUTER: readonly Row[] = [
  path(
    '8201 §3',
    'a router passes on what is for others as long as the link carries it',
    ({ whole, tooBig, far }) => {
      const passing = rawPacket(253, counting(1460), { src: BEYOND, dst: far });
      return [whole, tooBig(1280), { in: [beyond(passing)], out: [passing.with(7, 63)] }];
    },
    { router: true },
  ),
];

let tester: Tester;
beforeAll(async () => {
  tester = await Tester.boot();
});
afterAll(() => tester.end());

testRows([...LEARNED, ...REFUSED, ...CHANGES, ...INVENTED, ...ROUTER, ...AGES], () => tester);

function udp(src: string, dst: string, srcPort: number, dstPort: number, payload: Uint8Array): Uint8Array {
  const pseudo = pseudoHeaderSum(...parseIpv6(src)!, ...parseIpv6(dst)!, 17, 8 + payload.length);
  return rawPacket(17, emitUdp({ srcPort, dstPort, checksum: 0, payload }, pseudo), { src, dst });
}

test.each([
  ['what a socket sends', 'fd01::77', 64],
  ['what it sends to a group', 'ff05::77', 1],
])('RFC 8201 §5.4: %s', async (_name, dst, hopLimit) => {
  const user = tester.host.open();
  user.bind(HOST, 4000);
  expect(set(user, G.MULTICAST_IF, ints(tester.host.device('eth0').ifindex))).toBe(0);
  const send = async (): Promise<Uint8Array[]> => {
    await tester.net.run(user.send(counting(1452), dst, 7));
    return (await tester.take(2)).map(({ bytes }) => bytes);
  };
  const whole = udp(HOST, dst, 4000, 7, counting(1452)).with(7, hopLimit);
  expect(await send()).toEqual([whole]);
  tester.send({ link: 0, bytes: error(2, 0, 1400, whole, { src: 'fd00::9', dst: HOST }) });
  await tester.take(2);
  expect(await send()).toEqual(cutUp(whole, 1352));
  user.close();
});

test('RFC 4291 §2.7: what goes to a group, and names no interface, goes to a link', async () => {
  const user = tester.host.open();
  user.bind(HOST, 4000);
  await tester.net.run(user.send(counting(8), 'ff05::77', 7));
  expect(await tester.take(2)).toEqual([{ link: 0, bytes: udp(HOST, 'ff05::77', 4000, 7, counting(8)).with(7, 1) }]);
  user.close();
});

test('RFC 4443 §2.4 d: headers that stand before the reply in the quote are walked', async () => {
  const { far, sent } = pathTo(nextFar());
  const asked = { link: 0, bytes: request(DATA, { src: far, dst: HOST }) } as const;
  tester.send(asked);
  expect((await tester.take(2)).map(({ bytes }) => bytes)).toEqual([sent]);
  tester.send({ link: 0, bytes: error(2, 0, 1400, behind(60, '3a00010400000000', sent), { src: 'fd00::9', dst: HOST }) });
  tester.send(asked);
  expect((await tester.take(2)).map(({ bytes }) => bytes)).toEqual(cutUp(sent, 1352));
});

test('RFC 4861 §6.3.4: the MTU and the hop limit that a router tells of the link; a larger one in a packet too big does not count', async () => {
  const { far, sent, tooBig, cut } = pathTo(nextFar());
  const asked = { link: 0, bytes: request(DATA, { src: far, dst: HOST }) } as const;
  const advertise = (hopLimit: number, mtuBytes: number): void => {
    const option = new Uint8Array(16);
    new DataView(option.buffer).setUint16(8, 0x0501);
    new DataView(option.buffer).setUint32(12, mtuBytes);
    const ends = { src: PEER_LINK, dst: 'ff02::1', hopLimit: 255 };
    tester.send({ link: 0, bytes: rawPacket(58, icmp(134, 0, hopLimit << 24, option, ends), ends) });
  };
  const told = async (): Promise<Uint8Array[]> => {
    tester.send(asked);
    return (await tester.take(2)).map(({ bytes }) => bytes);
  };
  advertise(33, 1400);
  await tester.take(2);
  expect(await told()).toEqual(cutUp(sent.with(7, 33), 1352));
  tester.send({ link: 0, bytes: (tooBig(1450).in as Uint8Array[])[0]! });
  expect(await told()).toEqual(cutUp(sent.with(7, 33), 1352));
  tester.send({ link: 0, bytes: (tooBig(1300).in as Uint8Array[])[0]! });
  advertise(64, 1500);
  await tester.take(2);
  expect(await told()).toEqual(cut(1300).out);
});
