import { expect, test } from 'vitest';
import { defermentRetries, defermentSec } from './defer-accept.ts';

/** As Linux's `secs_to_retrans` and `retrans_to_secs`, 1 s and 120 s. */
test.each([
  [-1, 0, 0],
  [0, 0, 0],
  [1, 1, 1],
  [2, 2, 3],
  [3, 2, 3],
  [4, 3, 7],
  [7, 3, 7],
  [8, 4, 15],
  [127, 7, 127],
  [128, 8, 247],
  [247, 8, 247],
  [248, 9, 367],
])('%i s are %i SYN-ACKs, which are %i s', (seconds, retries, said) => {
  expect([defermentRetries(seconds), defermentSec(retries)]).toEqual([retries, said]);
});

test('however long: 255', () => {
  expect(defermentRetries(0x7fffffff)).toBe(255);
});
