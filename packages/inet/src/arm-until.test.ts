import type { Clock, Timer } from '@softnet/contract';
import { expect, test } from 'vitest';
import { armUntil } from './arm-until.ts';

const FOREVER = Number.POSITIVE_INFINITY;

/** When a timer is armed for, at 1000 µs; null: not at all. */
function armed(dueUs: number): number | null {
  let at: number | null = -1;
  const clock = { nowUs: 1000 } as Clock;
  const timer = {
    armAt: (whenUs: number) => {
      at = whenUs;
    },
    cancel: () => {
      at = null;
    },
  } as Timer;
  armUntil(timer, clock, dueUs);
  return at;
}

test('fires when it is due, never early; not at all, or within what timers take', () => {
  expect([2000, 2000.5, FOREVER, 2 ** 47, 2 ** 53].map(armed)).toEqual([2000, 2001, null, 2 ** 47, 2 ** 47 + 1000]);
});

test('not again in the same instant: who has just looked, and found it not due by a hair, would look for ever', () => {
  expect([1000, 999.9999, 0].map(armed)).toEqual([1001, 1001, 1001]);
});
