import { viewOf } from '@softnet/wire';
import { afterAll, beforeAll } from 'vitest';
import type { RawPacket } from '../../bad-input/row.ts';
import { rawPacket } from '../../bad-input/row.ts';
import { FRAGMENT_ROWS } from './fragment-rows.ts';
import type { Row } from './row.ts';
import { behind, beyond, counting, error, piece, problem, reply, request, row, testRows } from './row.ts';
import { BEYOND, FAR, HOST, OTHER, Tester } from './tester.ts';

const ROUTER = { router: true } as const;
const PAD = '010400000000';
const FIELD = 0;
const NEXT_HEADER = 1;
const OPTION = 2;

/** With this traffic class and flow label. */
function marked(packet: Uint8Array, trafficClass: number, label: number): Uint8Array {
  const whole = packet.slice();
  viewOf(whole).setInt32(0, (6 << 28) | (trafficClass << 20) | label);
  return whole;
}

const ECHO = request();

/** §3 and §7. */
const HEADER: readonly Row[] = [
  row('8200 §7', 'a traffic class comes back, a flow label does not', marked(ECHO, 0xb8, 0xabcde), [marked(reply(), 0xb8, 0)]),
  row('6437 §3', 'a flow label comes back where a setting says so', marked(ECHO, 0, 0xabcde), [marked(reply(), 0, 0xabcde)], {
    settings: { 'net.ipv6.flowlabel_reflect': 4 },
  }),
  row('8200 §3', 'a hop limit of 255', ECHO.with(7, 255), [reply()]),
  row('8200 §3', 'a hop limit of 0', ECHO.with(7, 0), [reply()]),
  row(
    '8200 §3',
    'next header 0, in the last place: there is no such header',
    rawPacket(0, counting(8).with(0, 59).with(1, 0).fill(0, 2)),
    [],
  ),
  row('8200 §4.7', 'no next header, and bytes behind', rawPacket(59, counting(30)), []),
  row('8200 §4.7', 'no next header, and nothing behind', rawPacket(59, counting(0)), []),
];

const through = (rfc: string, name: string, packet: Uint8Array): Row =>
  row(rfc, `passes untouched: ${name}`, packet, [beyond(packet.with(7, packet[7]! - 1))], ROUTER);
const passing = (first = 253, data = counting(9), ends: RawPacket = {}): Uint8Array =>
  rawPacket(first, data, { src: FAR, dst: BEYOND, ...ends });

/** What a router must not touch but for the hop limit: §3, §4, §7; RFC 7045. */
const THROUGH: readonly Row[] = [
  through('8200 §7', 'traffic class and flow label', marked(passing(), 0xff, 0xfffff)),
  through('8200 §7', 'without either', passing()),
  through('8200 §3', 'a hop limit of 255', passing().with(7, 255)),
  through('8200 §4.7', 'what stands behind no next header', passing(59, counting(33))),
  through('8200 §4.7', 'no next header behind options', behind(60, `3b00${PAD}`, passing(59))),
  through('8200 §3', 'a packet of its header alone', passing(59, counting(0))),
  through('7045 §2.1', 'a header that nobody knows', passing(200)),
  through('7045 §2.1', 'for experiments', passing(254)),
  through('7045 §2.1', 'destination options that nobody knows', behind(60, 'fd00850400000000', passing())),
  through('7045 §2.1', 'destination options that cannot be', behind(60, 'fd0085ff00000000', passing())),
  through('7045 §2.1', 'a header that is longer than the packet', behind(60, 'fdff850400000000', passing())),
  through('7045 §2.1', 'twenty headers', behind(60, `${`3c00${PAD}`.repeat(19)}fd00${PAD}`, passing())),
  through('7045 §2.1', 'ESP', passing(50)),
  through('7045 §2.1', 'AH', passing(51)),
  through('8200 §4.1', 'hop-by-hop options in the wrong place', behind(60, `0000${PAD} fd00${PAD}`, passing())),
  through('5095 §4.2', 'a routing header of type 0 for another', behind(43, `fd02000100000000${'fd'.repeat(16)}`, passing())),
  through('8200 §4.4', 'a routing header of type 4 for another', behind(43, `fd02040100000000${'fd'.repeat(16)}`, passing())),
  through('8200 §4.5', 'a first fragment', piece(passing(17, counting(64)), 0, 32, 7)),
  through('8200 §4.5', 'a later fragment', piece(passing(17, counting(64)), 32, 64, 7)),
  through('8200 §4.5', 'a fragment whose length cannot be', piece(passing(17, counting(64)), 0, 13, 7, true)),
  through('6946 §4', 'a packet within one fragment', piece(passing(), 0, 9, 7)),
  through('7112 §4', 'a first fragment without its headers', piece(passing(6, counting(64)), 0, 8, 7)),
  through('8200 §4.3', 'hop-by-hop options that are to be skipped', behind(0, 'fd003e0400000000', passing())),
  through('8200 §4.2', 'hop-by-hop options that change on the way', behind(0, 'fd00 3e04ffffffff', passing())),
  through('2711 §2.1', 'a router alert', behind(0, 'fd00050200000100', passing())),
  row(
    '8200 §3',
    'the padding of a link does not pass',
    { link: 0, bytes: Uint8Array.from([...passing(), 1, 2, 3]) },
    [beyond(passing().with(7, 63))],
    ROUTER,
  ),
];

/** Options that are not known, in both headers that have them. */
const OPTIONS: readonly Row[] = (
  [
    ['00', '3e0400000000', null],
    ['01', '7e0400000000', null],
    ['10', 'be0400000000', 42],
    ['11', 'fe0400000000', 42],
    ['10, which may change', 'ae0400000000', 42],
    ['the last of three', '3e00 1e00 be00', 46],
    ['behind a PadN', '0100 0100 be00', 46],
    ['behind Pad1', '00 00 be 02 0000', 44],
    ['the first of two counts', 'be00 fe00 7e00', 42],
    ['one to discard before one to report', '7e00 be00 0100', null],
    ['in front of one that cannot be', 'be00 3eff 0100', 42],
    ['to discard, in front of one that cannot be', '7e00 3eff 0100', null],
    ['behind one that cannot be', '3eff be00 0100', 'cut'],
  ] as const
).flatMap(([name, hex, at]) =>
  [0, 60].map((first) => {
    const packet = behind(first, `3a00${hex}`, ECHO);
    const isSkipped = name === '00';
    const out = isSkipped ? [reply()] : at === null ? [] : at === 'cut' ? [problem(FIELD, 43, packet)] : [problem(OPTION, at, packet)];
    return row('8200 §4.2', `${first === 0 ? 'hop-by-hop' : 'destination'} option: ${name}`, packet, out);
  }),
);

const PASSED_BY: readonly Row[] = (
  [
    ['01', '7e0400000000', null],
    ['10', 'be0400000000', OPTION],
    ['11', 'fe0400000000', OPTION],
  ] as const
).map(([name, hex, code]) => {
  const packet = behind(0, `fd00${hex}`, passing());
  return row(
    '8200 §4.3',
    `on its way through a router: ${name}`,
    packet,
    code === null ? [] : [problem(code, 42, packet, { dst: FAR })],
    ROUTER,
  );
});

/** §4.1: any order, and as often as somebody likes; but for hop-by-hop options. */
const ORDERS: readonly Row[] = [
  row(
    '8200 §4.1',
    'all of them, in the order that is recommended',
    behind(0, `3c00${PAD} 2b00${PAD} 2c00000000000000 3c00000000000009 3a00${PAD}`, ECHO),
    [reply()],
  ),
  row('8200 §4.1', 'in another order', behind(44, `3c00000000000009 2b00${PAD} 3c00000000000000 3a00${PAD}`, ECHO), [reply()]),
  row('8200 §4.1', 'routing headers twice', behind(43, '2b00000000000000 3a00040000000000', ECHO), [reply()]),
  row('8200 §4.1', 'hop-by-hop options behind destination options', behind(60, `0000${PAD} 3a00${PAD}`, ECHO), [
    problem(NEXT_HEADER, 40, behind(60, `0000${PAD} 3a00${PAD}`, ECHO)),
  ]),
  row('8200 §4.1', 'hop-by-hop options twice', behind(0, `0000${PAD} 3a00${PAD}`, ECHO), [
    problem(NEXT_HEADER, 40, behind(0, `0000${PAD} 3a00${PAD}`, ECHO)),
  ]),
  row('8200 §4', 'in their order: an option before a routing header', behind(60, '2b00be0400000000 3a00000100000000', ECHO), [
    problem(OPTION, 42, behind(60, '2b00be0400000000 3a00000100000000', ECHO)),
  ]),
  row('8200 §4', 'in their order: a routing header before an option', behind(43, '3c00000100000000 3a00be0400000000', ECHO), [
    problem(FIELD, 42, behind(43, '3c00000100000000 3a00be0400000000', ECHO)),
  ]),
  row('8200 §4', 'a next header that nobody knows, behind three', behind(0, `2b00${PAD} 3c00000000000000 c800${PAD}`, ECHO), [
    problem(NEXT_HEADER, 56, behind(0, `2b00${PAD} 3c00000000000000 c800${PAD}`, ECHO)),
  ]),
  row(
    '4443 §2.4 e.1',
    'nine headers before an error: nobody is told',
    behind(60, `${`3c00${PAD}`.repeat(8)}3a00${PAD}`, error(1, 0, 0, ECHO, { src: 'fd00::9', dst: HOST })),
    [],
  ),
  row(
    '4443 §2.4 e.1',
    'options that cannot be before an error: nobody is told',
    behind(60, '3a003eff00000000', error(1, 0, 0, ECHO, { src: 'fd00::9', dst: HOST })),
    [],
  ),
];

/** §4.4, RFC 5095. */
const ROUTING: readonly Row[] = [0, 1, 2, 3, 4, 5, 100, 255].flatMap((type) => {
  const hex = type.toString(16).padStart(2, '0');
  const left = behind(43, `3a02${hex}0100000000${'fd'.repeat(16)}`, ECHO);
  const far = behind(43, `fd02${hex}0100000000${'fd'.repeat(16)}`, passing(253, counting(9), { dst: OTHER }));
  const rfc = type === 0 ? '5095 §3' : '8200 §4.4';
  return [
    row(rfc, `type ${type}, none left`, behind(43, `3a02${hex}0000000000${'fd'.repeat(16)}`, ECHO), [reply()]),
    row(rfc, `type ${type}, one left`, left, [problem(FIELD, 42, left)]),
    row(rfc, `type ${type}, one left, at a router`, far, [problem(FIELD, 42, far, { src: OTHER, dst: FAR })], ROUTER),
  ];
});

let tester: Tester;
beforeAll(async () => {
  tester = await Tester.boot();
});
afterAll(() => tester.end());

testRows([...HEADER, ...THROUGH, ...OPTIONS, ...PASSED_BY, ...ORDERS, ...ROUTING, ...FRAGMENT_ROWS], () => tester);
