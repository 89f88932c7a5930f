import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

const clockOf = (): { nowUs: number; nowMs: number; virtual: boolean; readUs: () => number } => ({
  nowUs: 0,
  nowMs: 0,
  virtual: true,
  readUs: () => 0,
});

test('gives a burst, then so many a second', () => {
  const clock = clockOf();
  const bucket = new TokenBucket(clock);
  const taken = (): number => Array.from({ length: 200 }, () => bucket.take(1000, 50)).filter(Boolean).length;
  expect(taken()).toBe(50);
  clock.nowUs += 10_000;
  expect(taken()).toBe(10);
  clock.nowUs += 999;
  expect(taken()).toBe(0);
  clock.nowUs += 1;
  expect(taken()).toBe(1);
  clock.nowUs += 60_000_000;
  expect(taken()).toBe(50);
  expect(bucket.take(0, 50)).toBe(false);
});

test('what was spent and not there is owed', () => {
  const clock = clockOf();
  const bucket = new TokenBucket(clock);
  expect(bucket.hasOne(1000, 1)).toBe(true);
  bucket.spend(3);
  clock.nowUs += 2999;
  expect(bucket.hasOne(1000, 1)).toBe(false);
  clock.nowUs += 1;
  expect([bucket.hasOne(1000, 1), bucket.take(1000, 1), bucket.take(1000, 1)]).toEqual([true, true, false]);
});

test('never gives more in any span than a burst and what the span brings', () => {
  const step = fc.record({ waitUs: fc.integer({ min: 0, max: 5_000_000 }), tries: fc.integer({ min: 0, max: 30 }) });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 20 }),
      (steps, rate, burst) => {
        const clock = clockOf();
        const bucket = new TokenBucket(clock);
        let taken = 0;
        for (const { waitUs, tries } of steps) {
          clock.nowUs += waitUs;
          for (let i = 0; i < tries; i++) if (bucket.take(rate, burst)) taken++;
          expect(taken).toBeLessThanOrEqual(burst + (clock.nowUs * rate) / 1_000_000);
        }
      },
    ),
  );
});
