import type { Clock, Timer } from '@softnet/contract';

/** Timers take 8.9 years; lifetimes of 32 bits of seconds are 136. */
const LONGEST_US = 2 ** 47;

/**
 * Arms a timer for what others may put off for longer than timers take: it fires then, and is to be armed again.
 * In this instant it does not fire: a time made of fractions may be a hair after it still, and would come again and again.
 * @param dueUs kernel µs; Infinity: never.
 */
export function armUntil(timer: Timer, clock: Clock, dueUs: number): void {
  if (dueUs === Number.POSITIVE_INFINITY) timer.cancel();
  else timer.armAt(Math.max(clock.nowUs + 1, Math.ceil(Math.min(dueUs, clock.nowUs + LONGEST_US))));
}
