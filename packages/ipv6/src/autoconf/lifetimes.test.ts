import fc from 'fast-check';
import { expect, test } from 'vitest';
import { validAfter } from './lifetimes.ts';

const HOUR_MS = 3_600_000;

test.each([
  [24, 48, 48],
  [24, 3, 3],
  [24, 2, 2],
  [24, 1, 2],
  [24, 0, 2],
  [2, 1, 2],
  [1, 0.5, 1],
  [1, 1.5, 1.5],
  [0.1, 0, 0.1],
  [Number.POSITIVE_INFINITY, 0, 2],
  [1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
])('%d h left, %d h said: %d h (RFC 4862 §5.5.3 e)', (left, said, then) => {
  expect(validAfter(left * HOUR_MS, said * HOUR_MS)).toBe(then * HOUR_MS);
});

test('whoever advertises what, for how long: no life is shortened to less than two hours', () => {
  fc.assert(
    fc.property(fc.nat(), fc.array(fc.nat()), (firstMs, saidMs) => {
      const end = saidMs.reduce(validAfter, firstMs);
      expect(end).toBeGreaterThanOrEqual(Math.min(firstMs, 2 * HOUR_MS));
    }),
  );
});
