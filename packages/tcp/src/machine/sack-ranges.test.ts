import { expect, test } from 'vitest';
import { SackRanges } from './sack-ranges.ts';

/** What is there, what comes, how much of it is new, what is there then. */
test.each<[string, [number, number][], [number, number], number, [number, number][]]>([
  [
    'apart',
    [[10, 20]],
    [30, 40],
    10,
    [
      [10, 20],
      [30, 40],
    ],
  ],
  [
    'before',
    [[10, 20]],
    [1, 5],
    4,
    [
      [1, 5],
      [10, 20],
    ],
  ],
  ['touches on the left', [[10, 20]], [5, 10], 5, [[5, 20]]],
  ['touches on the right', [[10, 20]], [20, 25], 5, [[10, 25]]],
  [
    'fills a hole',
    [
      [10, 20],
      [30, 40],
    ],
    [20, 30],
    10,
    [[10, 40]],
  ],
  ['known', [[10, 20]], [12, 18], 0, [[10, 20]]],
  [
    'around several',
    [
      [10, 20],
      [30, 40],
      [50, 60],
    ],
    [5, 45],
    20,
    [
      [5, 45],
      [50, 60],
    ],
  ],
  ['over the wrap', [[2 ** 31 - 10, 2 ** 31 - 5]], [2 ** 31 - 5, -(2 ** 31) + 5], 10, [[2 ** 31 - 10, -(2 ** 31) + 5]]],
])('%s', (_, before, [left, right], grown, after) => {
  const ranges = new SackRanges(99);
  for (const each of before) ranges.add(...each);
  expect(ranges.add(left, right)).toBe(grown);
  expect(Array.from({ length: ranges.count }, (_, i) => [ranges.left[i], ranges.right[i]])).toEqual(after);
  expect(ranges.bytes).toBe(after.reduce((sum, [from, to]) => sum + ((to - from) | 0), 0));
});

test('what is before a number is dropped, and cut', () => {
  const ranges = new SackRanges(99);
  for (const left of [10, 30, 50]) ranges.add(left, left + 10);
  ranges.dropBefore(35);
  expect([ranges.count, ranges.left[0], ranges.right[0], ranges.bytes]).toEqual([2, 35, 40, 15]);
  ranges.dropBefore(60);
  expect([ranges.count, ranges.bytes]).toEqual([0, 0]);
});

test('the first octet from one on that lies in no range', () => {
  const ranges = new SackRanges(8);
  ranges.add(10, 20);
  ranges.add(30, 40);
  expect([5, 10, 19, 20, 25, 35, 40, 50].map((seq) => ranges.firstOutside(seq))).toEqual([5, 20, 20, 20, 25, 40, 40, 50]);
});
