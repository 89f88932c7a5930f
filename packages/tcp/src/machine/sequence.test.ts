import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as sequence from './sequence.ts';

const MAX = 2 ** 31 - 1;
const int32 = fc.integer({ min: -(2 ** 31), max: MAX });

/** RFC 9293 §3.4: SEG.SEQ and SEG.LEN, from RCV.NXT; RCV.WND. */
test.each([
  ['length 0, window 0: only RCV.NXT', 0, 0, 0, true],
  ['length 0, window 0: not beside it', 1, 0, 0, false],
  ['length 0: in the window', 99, 0, 100, true],
  ['length 0: not at its end', 100, 0, 100, false],
  ['length 0: not before it', -1, 0, 100, false],
  ['data, window 0: never', 0, 1, 0, false],
  ['data: begins in the window', 99, 50, 100, true],
  ['data: ends in the window', -49, 50, 100, true],
  ['data: ends before it', -50, 50, 100, false],
  ['data: begins behind it', 100, 1, 100, false],
])('RFC 9293 §3.4: %s', (_, seq, lenBytes, windowBytes, acceptable) => {
  for (const rcvNxt of [0, 5, MAX - 3, MAX, -(2 ** 31), -1])
    expect(sequence.isAcceptable((rcvNxt + seq) | 0, lenBytes, rcvNxt, windowBytes)).toBe(acceptable);
});

test('RFC 9293 §3.4: SND.UNA < SEG.ACK =< SND.NXT, over the wrap too', () => {
  for (const una of [0, MAX - 2, -3])
    expect([-1, 0, 1, 5, 6].map((ack) => sequence.isNewAck((una + ack) | 0, una, (una + 5) | 0))).toEqual([
      false,
      false,
      true,
      true,
      false,
    ]);
});

test('order is that of differences below 2³¹', () => {
  fc.assert(
    fc.property(int32, fc.integer({ min: -MAX, max: MAX }), (a, difference) => {
      const b = (a + difference) | 0;
      expect([sequence.isBefore(a, b), sequence.isAfter(a, b)]).toEqual([difference > 0, difference < 0]);
      expect([sequence.maxSeq(a, b), sequence.minSeq(a, b)]).toEqual(difference > 0 ? [b, a] : [a, b]);
    }),
  );
});

test('RFC 7323 §5.2, §5.5: older stamps are refused, but for 24 days of silence', () => {
  expect([9, 10, 11].map((stamp) => sequence.isOldTimestamp(stamp, 10, 0))).toEqual([true, false, false]);
  expect(sequence.isOldTimestamp(MAX, -(2 ** 31), 0)).toBe(true);
  expect([2073599, 2073600].map((silentS) => sequence.isOldTimestamp(9, 10, silentS))).toEqual([true, false]);
});

test('RFC 7323 §4.3 (2): the stamp of what was to be acknowledged next', () => {
  const rows = [
    [10, 100],
    [9, 100],
    [11, 99],
    [11, 101],
  ] as const;
  expect(rows.map(([stamp, seq]) => sequence.updatesRecentTimestamp(stamp, 10, seq, 100))).toEqual([true, false, true, false]);
});
