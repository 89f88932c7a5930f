import { writeIpv6Fragment } from '@softnet/wire';
import { HOST } from '../raw-peer.ts';
import type { RawPacket, Row, Writer } from './row.ts';
import { bytesOf, icmp, rawPacket } from './row.ts';

const PAD = '010400000000';
/** An echo request of 32 bytes. */
const WHOLE = icmp(128, 0, 7, new Uint8Array(24).fill(7));

interface Piece {
  readonly from: number;
  readonly to: number;
  /** Where it is not so by its end. */
  readonly more?: boolean;
  readonly at?: number;
  readonly protocol?: number;
  readonly bytes?: Uint8Array;
  /** Before the fragment header; its first number. */
  readonly before?: string;
  readonly first?: number;
  readonly trafficClass?: number;
  readonly packet?: RawPacket;
}

let ids = 100;

/** Sends pieces of one datagram, in this order. */
function pieces(...all: readonly Piece[]): (peer: Writer) => void {
  return (peer) => {
    const id = ids++;
    for (const piece of all) peer.bytes(pieceOf(piece, id), piece.packet?.dst ?? HOST);
  };
}

function pieceOf(
  { from, to, more = to < WHOLE.length, at = from, protocol = 58, bytes, before = '', first = 44, trafficClass = 0, packet }: Piece,
  id: number,
): Uint8Array {
  const header = new Uint8Array(8);
  writeIpv6Fragment(new DataView(header.buffer), 0, protocol, at, more, id);
  const whole = rawPacket(first, bytesOf(before, header, bytes ?? WHOLE.slice(from, to)), packet);
  whole[0]! |= trafficClass >>> 4;
  whole[1]! |= (trafficClass << 4) & 0xf0;
  return whole;
}

function row(
  rfc: string,
  what: string,
  send: Row['send'],
  drops: readonly string[],
  answers: readonly string[] = drops.length === 0 ? ['129'] : [],
): Row {
  return { rfc, what, send, drops, answers };
}

const A: Piece = { from: 0, to: 16 };
const B: Piece = { from: 16, to: 24 };
const C: Piece = { from: 24, to: 32 };

const ORDERS: readonly Row[] = [
  ['first, middle, last', A, B, C],
  ['first, last, middle', A, C, B],
  ['middle, first, last', B, A, C],
  ['middle, last, first', B, C, A],
  ['last, first, middle', C, A, B],
  ['last, middle, first', C, B, A],
].map(([what, ...order]) => row('8200 §4.5', `fragments: ${what as string}`, pieces(...(order as Piece[])), []));

const ATOMIC: readonly Row[] = [
  row('6946 §4', 'a whole packet in a fragment header', pieces({ from: 0, to: 32 }), []),
  row('6946 §4', 'the same while its first piece waits', pieces(A, { from: 0, to: 32 }, B, C), [], ['129', '129']),
  row('6946 §4', 'in two fragment headers', pieces({ from: 0, to: 32, protocol: 44, bytes: bytesOf('3a00000000000001', WHOLE) }), []),
  row('6946 §4', 'with nothing in it', pieces({ from: 0, to: 0, more: false }), ['icmpv6.truncated']),
  row('6980 §5', 'a neighbor solicitation', pieces({ from: 0, to: 0, more: false, bytes: bytesOf('87', new Uint8Array(23)) }), [
    'nd.fragment',
  ]),
  row('6980 §5', 'a router advertisement', pieces({ from: 0, to: 0, more: false, bytes: bytesOf('86', new Uint8Array(23)) }), [
    'nd.fragment',
  ]),
  row(
    '8200 §4.5',
    'behind it a next header that nobody knows',
    pieces({ from: 0, to: 8, more: false, protocol: 200 }),
    ['ipv6.no-protocol'],
    ['4/1 @6'],
  ),
  row('8200 §4.7', 'behind it nothing', pieces({ from: 0, to: 8, more: false, protocol: 59 }), ['ipv6.no-next-header']),
  row('8200 §4.5', 'reserved bits set', (peer) => peer.bytes(rawPacket(44, bytesOf('3aff000600000001', WHOLE))), []),
];

const OVERLAP = 'ipv6.fragment-overlap';
const OVERLAPS: readonly Row[] = [
  row('5722 §4', 'the second lies over the first', pieces(A, { from: 8, to: 24 }), [`${OVERLAP} 2`]),
  row('5722 §4', 'by a whole piece', pieces(A, C, { from: 8, to: 16, more: true }), [`${OVERLAP} 3`]),
  row('5722 §4', 'the first twice, and longer', pieces(A, { from: 0, to: 24 }), [`${OVERLAP} 2`]),
  row('5722 §4', 'the first twice, and shorter', pieces(A, { from: 0, to: 8, bytes: WHOLE.slice(0, 8) }), [`${OVERLAP} 2`]),
  row('5722 §4', 'around one that is there', pieces(B, { from: 8, to: 32 }), [`${OVERLAP} 2`]),
  row('5722 §4', 'two that end it, at different places', pieces(C, { from: 8, to: 16, more: false }), [`${OVERLAP} 2`]),
  row('5722 §4', 'one beyond the end', pieces(C, { from: 0, to: 8, at: 32, more: true }), [`${OVERLAP} 2`]),
  row('5722 §4', 'an end before what is there', pieces({ from: 0, to: 8, at: 40, more: true }, C), [`${OVERLAP} 2`]),
  row('8200 §4.5', 'the same again: dropped alone', pieces(A, A, B, C), ['ipv6.fragment-duplicate'], ['129']),
  row('8200 §4.5', 'the last twice', pieces(C, C, A, B), ['ipv6.fragment-duplicate'], ['129']),
];

const LENGTH = 'ipv6.fragment-length';
const BIG = 'ipv6.fragment-too-big';
const LENGTHS: readonly Row[] = [
  row('8200 §4.5', '9 bytes, and more to follow', pieces({ from: 0, to: 9 }), [LENGTH], ['4/0 @4']),
  row('8200 §4.5', '7 bytes, and more to follow', pieces({ from: 16, to: 23, protocol: 17 }), [LENGTH], ['4/0 @4']),
  row('8200 §4.5', 'no bytes, and more to follow', pieces({ from: 0, to: 0, protocol: 17 }), [LENGTH], ['4/0 @4']),
  row('8200 §4.5', 'no bytes, the last', pieces({ from: 8, to: 8, more: false, protocol: 17 }), [LENGTH], ['4/0 @4']),
  row('8200 §4.5', 'behind options: 9 bytes', pieces({ from: 0, to: 9, first: 60, before: `2c00${PAD}` }), [LENGTH], ['4/0 @4']),
  row('8200 §4.5', 'beyond 65,535', pieces({ from: 0, to: 16, at: 65_528, more: false, protocol: 17 }), [BIG], ['4/0 @42']),
  row(
    '8200 §4.5',
    'beyond 65,535, behind options',
    pieces({ from: 0, to: 16, at: 65_528, protocol: 17, first: 60, before: `2c00${PAD}` }),
    [BIG],
    ['4/0 @50'],
  ),
  row('8200 §4.5', 'to a group: 9 bytes', pieces({ from: 0, to: 9, packet: { dst: 'ff02::1' } }), [LENGTH]),
];

const CHAIN = 'ipv6.fragment-chain';
const CHAINS: readonly Row[] = [
  row('7112 §5', 'a first fragment with 8 of 20 bytes of TCP', pieces({ from: 0, to: 8, protocol: 6 }), [CHAIN], ['4/3']),
  row('7112 §5', 'with 8 of 12 bytes of DCCP', pieces({ from: 0, to: 8, protocol: 33 }), [CHAIN], ['4/3']),
  row('7112 §5', 'that ends within options', pieces({ from: 0, to: 8, protocol: 60, bytes: bytesOf('1101', PAD) }), [CHAIN], ['4/3']),
  row('7112 §5', 'that ends behind options', pieces({ from: 0, to: 8, protocol: 60, bytes: bytesOf('1100', PAD) }), [CHAIN], ['4/3']),
  row(
    '7112 §5',
    'that has all of it',
    pieces({ from: 0, to: 0, more: true, protocol: 60, bytes: bytesOf('3a00', PAD, WHOLE.slice(0, 8)) }),
    [],
    [],
  ),
  row('7112 §5', 'to a group', pieces({ from: 0, to: 8, protocol: 6, packet: { dst: 'ff02::1' } }), [CHAIN]),
];

const OTHERS: readonly Row[] = [
  row('8200 §4.5', 'the next header of a later one does not count', pieces(A, { ...B, protocol: 17 }, { ...C, protocol: 200 }), []),
  row('8200 §4.5', 'options before each', pieces(...[A, B, C].map((each) => ({ ...each, first: 60, before: `2c00${PAD}` }))), []),
  row('8200 §4.5', 'options before the first only', pieces({ ...A, first: 60, before: `2c00${PAD}` }, B, C), []),
  row('3168 §5.3', 'one of them knows no ECN', pieces({ ...A, trafficClass: 2 }, B, { ...C, trafficClass: 2 }), ['ipv6.fragment-ecn 3']),
  row('8200 §4.5', 'from others with the same identification', pieces(A, { ...B, packet: { src: 'fd00::77' } }, C), [], []),
  {
    ...row('8200 §4.5', 'more pieces than a setting allows', pieces(A, B, C), ['ipv6.fragment-limit 3']),
    settings: { 'net.ipv6.ip6frag_max_pieces': 2 },
  },
];

export const FRAGMENT_ROWS: readonly Row[] = [...ORDERS, ...ATOMIC, ...OVERLAPS, ...LENGTHS, ...CHAINS, ...OTHERS];

/** Those that wait for what never comes: after a minute, one after the other. */
export const WAITING_ROWS: readonly Row[] = [
  row('4443 §3.3', 'the first came', pieces(A), ['ipv6.fragment-timeout'], ['3/1']),
  row('4443 §3.3', 'the first and others', pieces(A, C), ['ipv6.fragment-timeout 2'], ['3/1']),
  row('4443 §3.3', 'the first did not come', pieces(B, C), ['ipv6.fragment-timeout 2']),
  row('4443 §2.4 e', 'the first, to a group', pieces({ ...A, packet: { dst: 'ff02::1' } }), ['ipv6.fragment-timeout']),
];
