import { expect, test } from 'vitest';
import { FRAGMENT_ECN, mergedEcn } from './fragment-ecn.ts';

const { AS_FIRST, MARKED, IMPOSSIBLE } = FRAGMENT_ECN;
/** By bits: not ECT, ECT(1), ECT(0), CE. */
const TABLE = [
  [0b0001, AS_FIRST],
  [0b0010, AS_FIRST],
  [0b0011, IMPOSSIBLE],
  [0b0100, AS_FIRST],
  [0b0101, IMPOSSIBLE],
  [0b0110, AS_FIRST],
  [0b0111, IMPOSSIBLE],
  [0b1000, MARKED],
  [0b1001, IMPOSSIBLE],
  [0b1010, MARKED],
  [0b1011, IMPOSSIBLE],
  [0b1100, MARKED],
  [0b1101, IMPOSSIBLE],
  [0b1110, MARKED],
  [0b1111, IMPOSSIBLE],
] as const;

test.each(TABLE)('RFC 3168 §5.3: codepoints %i make %i', (seen, expected) => {
  expect(mergedEcn(seen)).toBe(expected);
});
