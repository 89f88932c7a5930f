import { rawPacket } from '../../bad-input/row.ts';
import type { Frame, Row } from './row.ts';
import { behind, counting, cutUp, error, piece, problem, reply, request, row } from './row.ts';
import { FAR } from './tester.ts';

const DATA = counting(72);
/** Of 80 bytes behind its header. */
const WHOLE = request(DATA);
const ANSWER = reply(DATA);
const FIELD = 0;
const INCOMPLETE_CHAIN = 3;
const PAYLOAD_LENGTH_AT = 4;
/** Where the fragment offset stands, behind the header. */
const OFFSET_AT = 42;

let ids = 1000;

/** Pieces of the echo, from and to; another identification for each row. */
function pieces(id: number, ...parts: readonly (readonly [from: number, to: number])[]): Uint8Array[] {
  return parts.map(([from, to]) => piece(WHOLE, from, to, id));
}

/** What comes at once, and after more than a minute. */
function fragments(rfc: string, name: string, frames: readonly Frame[], out: readonly Frame[], late: readonly Frame[] | null = null): Row {
  const steps = [{ in: frames, out }];
  if (late === null) return { rfc, name, steps };
  return { rfc, name, steps: [...steps, { ms: 59_900 }, { ms: 200, out: late }] };
}

function inOrder(name: string, ...order: readonly (readonly [number, number])[]): Row {
  return fragments('8200 §4.5', `${name}: put together`, pieces(ids++, ...order), [ANSWER]);
}
const [A, B, C] = [[0, 24] as const, [24, 48] as const, [48, 80] as const];

const TOGETHER: readonly Row[] = [
  inOrder('in order', A, B, C),
  inOrder('backwards', C, B, A),
  inOrder('the middle first', B, A, C),
  inOrder('the last between', A, C, B),
  inOrder('ten of 8 bytes', ...Array.from({ length: 10 }, (_, i) => [8 * i, 8 * i + 8] as const)),
  fragments(
    '8200 §4.5',
    'hop limits, classes and labels differ: those of the first count',
    cutUp(WHOLE, 40, ids++).map((each, i) => each.with(7, 9 + i).with(3, i)),
    [ANSWER],
  ),
  fragments(
    '8200 §4.5',
    'next headers differ: that of the first counts',
    pieces(ids, A, B, C).map((each, i) => each.with(40, i === 0 ? 58 : 59)),
    [ANSWER],
  ),
  fragments(
    '8200 §4.5',
    'reserved bits are set',
    pieces(++ids, A, B, C).map((each) => each.with(41, 0xff).with(43, each[43]! | 6)),
    [ANSWER],
  ),
  fragments(
    '8200 §4.5',
    'options before each of them',
    pieces(++ids, A, B, C).map((each) => behind(60, '2c00010400000000', each)),
    [ANSWER],
  ),
  fragments(
    '8200 §4.5',
    'options before one that is not the first',
    pieces(++ids, A, B, C)
      .map((each, i) => (i === 1 ? behind(60, '2c00be0400000000', each) : each))
      .toSpliced(1, 1, piece(WHOLE, ...B, ids)),
    [ANSWER],
  ),
  fragments(
    '8200 §4.5',
    'two datagrams at the same time',
    [...pieces(++ids, A, B), ...pieces(ids + 1, C), ...pieces(ids, C), ...pieces(ids + 1, A, B)],
    [ANSWER, ANSWER],
  ),
  fragments(
    '8200 §4.5',
    'the same identification, from another',
    [...pieces(5000, A, B), piece(request(DATA, { src: FAR }), ...C, 5000), ...pieces(5000, C)],
    [ANSWER],
  ),
  fragments('8200 §4.5', 'the same piece again, before the last', pieces(++ids, A, A, B, B, C), [ANSWER]),
];

const LARGEST = request(counting(65_527));
const TOO_LARGE = rawPacket(58, counting(65_535));
const LARGE: readonly Row[] = [
  fragments('8200 §4.5', 'the largest there is: 65,535 bytes', cutUp(LARGEST, 1448, ++ids), cutUp(reply(counting(65_527)), 1448)),
  ...[
    ['one byte more', piece(TOO_LARGE, 0, 8, ++ids, false, 65_528)],
    ['far more', piece(TOO_LARGE, 0, 1400, ++ids, false, 65_528)],
    ['more to follow', piece(TOO_LARGE, 0, 8, ++ids, true, 65_528)],
  ].map(([name, frame]) =>
    row('8200 §4.5', `beyond the largest: ${name as string}`, frame as Uint8Array, [problem(FIELD, OFFSET_AT, frame as Uint8Array)]),
  ),
];

const LENGTHS: readonly Row[] = [1, 7, 9, 25, 39].map((length) => {
  const frame = piece(WHOLE, 8, 8 + length, ++ids, true);
  return row('8200 §4.5', `${length} bytes, and more to follow`, frame, [problem(FIELD, PAYLOAD_LENGTH_AT, frame)]);
});

const TCP = rawPacket(6, counting(64));
const CHAINS: readonly Row[] = (
  [
    ['8 of 20 bytes of TCP', piece(TCP, 0, 8, ++ids)],
    ['half of its options', piece(behind(60, '3a01010c00000000 0000000000000000', WHOLE), 0, 8, ++ids)],
    ['all of its options, and nothing behind', piece(behind(60, '3a00010400000000', WHOLE), 0, 8, ++ids)],
  ] as const
).map(([name, frame]) => row('7112 §5', `a first fragment with ${name}`, frame, [problem(INCOMPLETE_CHAIN, 0, frame)]));

/** RFC 5722 §4, RFC 8200 §4.5: nothing comes of them, and nobody is told, whatever comes later. */
function overlap(name: string, ...parts: readonly (readonly [number, number])[]): Row {
  return fragments('5722 §4', `overlaps: ${name}`, pieces(++ids, ...parts), [], []);
}
const OVERLAPS: readonly Row[] = [
  overlap('the middle reaches into the first', A, [16, 48], C),
  overlap('the middle reaches into the last', A, C, [24, 56]),
  overlap('the first reaches into the middle', B, C, [0, 32]),
  overlap('backwards', C, [24, 56], A),
  overlap('one within another', [0, 48], [16, 24], C),
  overlap('one around another', [16, 24], [8, 48], C, [0, 8]),
  overlap('the same beginning, shorter', A, [0, 16], B, C),
  overlap('the same end, longer', C, [40, 80], A, B),
  overlap('and then all of it again', A, [16, 48], A, B, C),
  fragments('5722 §4', 'overlaps: others are not touched', [...pieces(++ids, A, [16, 48]), ...pieces(++ids, A, B, C)], [ANSWER], []),
];

const first = (id: number) => piece(WHOLE, ...A, id);
const toldOf = (frame: Uint8Array): Uint8Array => error(3, 1, 0, frame);
const TIMES: readonly Row[] = [
  fragments('8200 §4.5', 'only the first came: its sender is told after a minute', [first(++ids)], [], [toldOf(first(ids))]),
  fragments('8200 §4.5', 'the first and the last, in another order', pieces(++ids, C, A), [], [toldOf(first(ids))]),
  fragments('8200 §4.5', 'the first did not come', pieces(++ids, B, C), [], []),
  fragments('4443 §2.4 e.3', 'the first, to a group', [piece(request(DATA, { dst: 'ff02::1' }), ...A, ++ids)], [], []),
  fragments('4443 §2.4 e.1', 'the first, of an error', [piece(rawPacket(58, counting(80).with(0, 1)), 0, 24, ++ids)], [], []),
  {
    rfc: '8200 §4.5',
    name: 'a minute from the first that came, not from the last',
    steps: [
      { in: [first(++ids)] },
      { in: pieces(ids, B), ms: 40_000 },
      { ms: 19_900 },
      { ms: 200, out: [toldOf(first(ids))] },
      { in: pieces(ids, C), ms: 61_000 },
    ],
  },
  {
    rfc: '8200 §4.5',
    name: 'the last within a minute',
    steps: [{ in: pieces(++ids, A, B), ms: 59_000 }, { in: pieces(ids, C), out: [ANSWER] }, { ms: 2000 }],
  },
];

/** RFC 6946 §4, RFC 8200 §4.5: whole by themselves, whatever waits. */
const ATOMIC: readonly Row[] = [
  row('6946 §4', 'a packet within one fragment', piece(WHOLE, 0, 80, ++ids), [ANSWER]),
  fragments(
    '6946 §4',
    'one among the pieces of another of the same identification',
    [...pieces(++ids, A), piece(WHOLE, 0, 80, ids), ...pieces(ids, B, C)],
    [ANSWER, ANSWER],
  ),
  fragments(
    '6946 §4',
    'one after an overlap of the same identification',
    [...pieces(++ids, A, [16, 48]), piece(WHOLE, 0, 80, ids)],
    [ANSWER],
    [],
  ),
];

export const FRAGMENT_ROWS: readonly Row[] = [...TOGETHER, ...LARGE, ...LENGTHS, ...CHAINS, ...OVERLAPS, ...ATOMIC, ...TIMES];
