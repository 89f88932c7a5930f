import { expect, test } from 'vitest';
import { mayReuseTimeWait } from './time-wait-reuse.ts';

const [OLD, SAME, NEW] = [99, 100, 101];

/** RFC 6191 §2: the old one's timestamps, the SYN's, its stamp and its sequence number beside the last ones (100 both). */
test.each([
  ['both, a newer stamp: whatever the sequence number', true, true, NEW, OLD, true],
  ['both, the same stamp, a higher number', true, true, SAME, NEW, true],
  ['both, the same stamp, the same number', true, true, SAME, SAME, false],
  ['both, an older stamp', true, true, OLD, NEW, false],
  ['the old one only, a higher number', true, false, 0, NEW, true],
  ['the old one only, a lower number', true, false, 0, OLD, false],
  ['the new one only', false, true, OLD, OLD, true],
  ['none, a higher number', false, false, 0, NEW, true],
  ['none, the same number', false, false, 0, SAME, false],
])('RFC 6191 §2: %s', (_, had, has, tsVal, seq, may) => {
  expect(mayReuseTimeWait(seq, 100, had, 100, has, tsVal)).toBe(may);
  const wrap = (2 ** 31 - 101) | 0;
  expect(mayReuseTimeWait((seq + wrap) | 0, (100 + wrap) | 0, had, (100 + wrap) | 0, has, (tsVal + wrap) | 0)).toBe(may);
});
