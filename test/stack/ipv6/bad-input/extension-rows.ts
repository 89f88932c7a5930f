import { FAR } from '../raw-peer.ts';
import type { RawPacket, Row } from './row.ts';
import { bytesOf, echo, sends } from './row.ts';

const PAD = '010400000000';
const GROUP = 'ff02::1';
type Case = readonly [rfc: string, what: string, options: string, drop: string | null, answers?: readonly string[], packet?: RawPacket];

/** The header with these options, an echo behind it; to 8 bytes only where they say so. */
function optionRow(kind: 0 | 60, [rfc, what, options, drop, answers = drop === null ? ['129'] : [], packet = {}]: Case): Row {
  const data = bytesOf(options);
  const units = (data.length + 2) / 8 - 1;
  const body = bytesOf(Uint8Array.of(58, units), data, echo(packet));
  const name = kind === 0 ? 'hop-by-hop' : 'destination';
  return { rfc, what: `${name}: ${what}`, send: sends(kind, body, packet), drops: drop === null ? [] : [drop], answers };
}

/** Whichever of the two headers they stand in. */
const EITHER: readonly Case[] = [
  ['8200 §4.2', 'six Pad1', '000000000000', null],
  ['8200 §4.2', 'one PadN', PAD, null],
  ['8200 §4.2', 'PadN without data', '0100 0100 0100', null],
  ['8200 §4.2', 'one that is not known: 00', '3e0400000000', null],
  ['8200 §4.2', 'not known: 01', '450400000000', 'ipv6.option-action'],
  ['8200 §4.2', 'not known: 10', '850400000000', 'ipv6.option-action', ['4/2 @42']],
  ['8200 §4.2', 'not known: 11', 'c50400000000', 'ipv6.option-action', ['4/2 @42']],
  ['8200 §4.2', '01, to a group', '450400000000', 'ipv6.option-action', [], { dst: GROUP }],
  ['8200 §4.2', '10, to a group', '850400000000', 'ipv6.option-action', ['4/2 @42'], { dst: GROUP }],
  ['8200 §4.2', '11, to a group', 'c50400000000', 'ipv6.option-action', [], { dst: GROUP }],
  ['4443 §2.4 e', '10, from nobody', '850400000000', 'ipv6.option-action', [], { src: '::' }],
  ['8200 §4.2', 'the third is not known', '3e00 3e00 8500', 'ipv6.option-action', ['4/2 @46']],
  ['8200 §4.2', 'behind padding', '01020000 c500', 'ipv6.option-action', ['4/2 @46']],
  ['8200 §4.2', 'the first of two counts', '4500 8500 0100', 'ipv6.option-action'],
  ['8200 §4.2', 'its data may change on the way', '3e0400000000', null],
  ['4443 §3.4', 'it reaches over its header', '3e0500000000', 'ipv6.option', ['4/0 @43']],
  ['4443 §3.4', 'a length of 255', '3eff00000000', 'ipv6.option', ['4/0 @43']],
  ['4443 §3.4', 'a type without a length', '0000000000 3e', 'ipv6.option', ['4/0 @47']],
  ['4443 §3.4', 'PadN reaches over its header', '010500000000', 'ipv6.option', ['4/0 @43']],
  ['4942 §2.1.9.5', 'padding that is not zero', '010400000001', 'ipv6.option-padding'],
  ['8504 §5.3', '7 bytes of padding', '3e00 01050000000000 3e00 3e00 00', null],
  ['8883 §3.5', '8 bytes of padding', '3e00 0106000000000000 3e00 3e00', 'ipv6.option-padding', ['4/10 @44']],
  ['8883 §3.5', '8 bytes of padding, in parts', '3e00 01020000 01020000 3e00 3e00', 'ipv6.option-padding', ['4/10 @48']],
  ['8504 §5.3', '8 options', `${'3e00'.repeat(8)}${PAD}`, null],
  ['8883 §3.4', '9 options', `${'3e00'.repeat(9)}01020000`, 'ipv6.option-limit', ['4/9 @58']],
  ['8200 §4.2', 'five of 255 bytes', `${`3eff${'00'.repeat(255)}`.repeat(5)}00`, null],
];

const HOP_BY_HOP: readonly Case[] = [
  ['2711 §2.1', 'a router alert', '05020000 0100', null],
  ['2711 §2.1', 'a router alert of a value that nobody knows', '0502ffff 0100', null],
  ['2711 §2.1', 'a router alert of 1 byte', '050100 000000', 'ipv6.option-value', ['4/0 @43']],
  ['2711 §2.1', 'a router alert of 4 bytes', '050400000000', 'ipv6.option-value', ['4/0 @43']],
  ['2675 §3', 'a jumbo payload beside a payload length', 'c20400020000', 'ipv6.jumbo', ['4/0 @42']],
  ['2675 §3', 'a jumbo payload of 65,535', 'c2040000ffff', 'ipv6.jumbo', ['4/0 @44']],
  ['2675 §3', 'a jumbo payload of nothing', 'c20400000000', 'ipv6.jumbo', ['4/0 @44']],
  ['2675 §2', 'a jumbo payload of 3 bytes', 'c203000000 00', 'ipv6.option-value', ['4/0 @43']],
  ['2675 §2', 'a jumbo payload that is not aligned', '00 c20400020000 01050000000000', 'ipv6.option-value', ['4/0 @43']],
  ['2675 §1', 'a jumbogram', 'c20400020000', 'ipv6.jumbo', ['4/2 @42'], { payloadBytes: 0 }],
  ['2675 §3', 'a jumbogram to a group', 'c20400020000', 'ipv6.jumbo', [], { payloadBytes: 0, dst: GROUP }],
  ['2675 §3', 'no payload length, and no jumbo payload', PAD, 'ipv6.payload-length', ['4/0 @4'], { payloadBytes: 0 }],
];

const DESTINATION: readonly Case[] = [
  ['2473 §4.1.1', 'a tunnel encapsulation limit', '040104 010100', null],
  ['2711 §2.1', 'a router alert, which is no destination option', '050400000000', null],
  ['2675 §2', 'a jumbo payload, which is none either', 'c20400020000', 'ipv6.option-action', ['4/2 @42']],
  ['6275 §6.3', 'a home address', `c910${'fd'.repeat(16)}01020000`, 'ipv6.option-action', ['4/2 @42']],
];

/** Headers in hexadecimal, an echo behind them. */
function chain(
  rfc: string,
  what: string,
  first: number,
  headers: string,
  drop: string | null,
  answers: readonly string[],
  packet: RawPacket = {},
): Row {
  return { rfc, what, send: sends(first, bytesOf(headers, echo(packet)), packet), drops: drop === null ? [] : [drop], answers };
}

const LATE = 'ipv6.hop-by-hop-late';
const ROUTING = 'ipv6.routing-type';
const CUT = 'ipv6.extension-truncated';

const CHAINS: readonly Row[] = [
  chain('8200 §4.1', 'hop-by-hop behind destination options', 60, `0000${PAD}3a00${PAD}`, LATE, ['4/1 @40']),
  chain('8200 §4.1', 'hop-by-hop behind a routing header', 43, `0000000000000000 3a00${PAD}`, LATE, ['4/1 @40']),
  chain('8200 §4.1', 'hop-by-hop behind a fragment header', 44, `0000000000000001 3a00${PAD}`, LATE, ['4/1 @40']),
  chain('8200 §4.1', 'hop-by-hop twice', 0, `0000${PAD}3a00${PAD}`, LATE, ['4/1 @40']),
  chain('8200 §4.1', 'hop-by-hop as the third', 0, `3c00${PAD}0000${PAD}3a00${PAD}`, LATE, ['4/1 @48']),
  chain('8504 §5.3', '8 headers', 60, `${`3c00${PAD}`.repeat(7)}3a00${PAD}`, null, ['129']),
  chain('8883 §3.3', '9 headers', 60, `${`3c00${PAD}`.repeat(8)}3a00${PAD}`, 'ipv6.extension-limit', ['4/8 @104']),
  chain('8883 §3.3', '100 headers', 60, `${`3c00${PAD}`.repeat(99)}3a00${PAD}`, 'ipv6.extension-limit', ['4/8 @104']),
  ...[0, 2, 3, 4, 77, 253, 255].flatMap((type) => {
    const hex = type.toString(16).padStart(2, '0');
    const rfc = type === 0 ? '5095 §3' : '8200 §4.4';
    return [
      chain(rfc, `routing type ${type}, nothing left`, 43, `3a00${hex}0000000000`, null, ['129']),
      chain(rfc, `routing type ${type}, segments left`, 43, `3a02${hex}0100000000${'fd'.repeat(16)}`, ROUTING, ['4/0 @42']),
    ];
  }),
  chain('8200 §4.4', 'more segments left than there are', 43, '3a0000ff00000000', ROUTING, ['4/0 @42']),
  chain('8200 §4.1', 'destination options, then segments left', 60, `2b00${PAD}3a00000100000000`, ROUTING, ['4/0 @50']),
  chain(
    '8200 §4.2',
    'an option before the routing header is looked at first',
    60,
    '2b00850400000000 3a00000100000000',
    'ipv6.option-action',
    ['4/2 @42'],
  ),
  chain('4443 §2.4 e', 'segments left, to a group', 43, '3a00000100000000', ROUTING, [], { dst: GROUP }),
  {
    rfc: '4443 §3.4',
    what: 'a header of which 7 bytes came',
    send: sends(60, bytesOf('3a000104000000')),
    drops: [CUT],
    answers: ['4/0 @41'],
  },
  {
    rfc: '4443 §3.4',
    what: 'a hop-by-hop header of which 7 bytes came',
    send: sends(0, bytesOf('3a000104000000')),
    drops: [CUT],
    answers: ['4/0 @41'],
  },
  {
    rfc: '4443 §3.4',
    what: 'a header that is longer than the packet',
    send: sends(60, bytesOf(`3a01${PAD}`)),
    drops: [CUT],
    answers: ['4/0 @41'],
  },
  { rfc: '4443 §3.4', what: 'a second one that is', send: sends(60, bytesOf(`3c00${PAD}3a01${PAD}`)), drops: [CUT], answers: ['4/0 @49'] },
  { rfc: '4443 §3.4', what: 'a routing header that is', send: sends(43, bytesOf('3a02000000000000')), drops: [CUT], answers: ['4/0 @41'] },
  { rfc: '8200 §4', what: 'a fragment header of 7 bytes', send: sends(44, bytesOf('3a000001000000')), drops: [CUT], answers: [] },
  { rfc: '8200 §4', what: 'a header, and no packet at all', send: sends(60, bytesOf('')), drops: [CUT], answers: [] },
];

function upper(rfc: string, what: string, first: number, headers: string, drop: string, answers: readonly string[]): Row {
  return { rfc, what, send: sends(first, bytesOf(headers, '0000000000000000')), drops: [drop], answers };
}

const UPPER: readonly Row[] = [
  upper('8200 §4.7', 'no next header', 59, '', 'ipv6.no-next-header', []),
  upper('8200 §4.7', 'no next header behind options', 60, `3b00${PAD}`, 'ipv6.no-next-header', []),
  ...[1, 2, 4, 41, 50, 51, 135, 139, 140, 200, 253, 255].map((protocol) =>
    upper('8200 §4', `next header ${protocol}`, protocol, '', 'ipv6.no-protocol', ['4/1 @6']),
  ),
  upper('8200 §4', 'one that nobody knows behind options', 60, `c800${PAD}`, 'ipv6.no-protocol', ['4/1 @40']),
  upper('8200 §4', 'one that nobody knows behind two headers', 0, `3c00${PAD}c800${PAD}`, 'ipv6.no-protocol', ['4/1 @48']),
  upper('4303 §2', 'ESP: what follows is not walked', 60, `3200${PAD}0000${PAD}`, 'ipv6.no-protocol', ['4/1 @40']),
];

function passing(rfc: string, what: string, first: number, headers: string, drop: string | null, answers: readonly string[]): Row {
  const send = sends(first, bytesOf(headers, '00'), { dst: FAR });
  return { rfc, what: `through a router: ${what}`, send, drops: drop === null ? [] : [drop], answers, router: true };
}

/** What only the destination looks at, and what every host on the way does (§4). */
const PASSING: readonly Row[] = [
  passing('8200 §4.3', 'hop-by-hop 10', 0, 'fd00850400000000', 'ipv6.option-action', ['4/2 @42']),
  passing('8200 §4.3', 'hop-by-hop 01', 0, 'fd00450400000000', 'ipv6.option-action', []),
  passing('8200 §4.3', 'hop-by-hop 00', 0, 'fd003e0400000000', null, ['protocol 253']),
  passing('2711 §2.1', 'a router alert', 0, 'fd00050200000100', null, ['protocol 253']),
  passing('2675 §3', 'a jumbo payload', 0, 'fd00c20400020000', 'ipv6.jumbo', ['4/0 @42']),
  passing('8200 §4.6', 'destination options 10', 60, 'fd00850400000000', null, ['protocol 253']),
  passing('8200 §4.4', 'segments left', 43, 'fd00000100000000', null, ['protocol 253']),
  passing('8200 §4', 'a next header that nobody knows', 200, '', null, ['protocol 200']),
  passing('8200 §4.5', 'a fragment', 44, 'fd00000100000001', null, ['protocol 253']),
];

export const EXTENSION_ROWS: readonly Row[] = [
  ...EITHER.flatMap((each) => [optionRow(0, each), optionRow(60, each)]),
  ...HOP_BY_HOP.map((each) => optionRow(0, each)),
  ...DESTINATION.map((each) => optionRow(60, each)),
  ...CHAINS,
  ...UPPER,
  ...PASSING,
];
