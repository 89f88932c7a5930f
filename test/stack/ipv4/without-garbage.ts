import { onceWarmCalls } from '@softnet/contract/testing';
import { expect } from 'vitest';

/** Calls from one look at the heap to the next. */
export const CHUNK = 500;
/** An object is 16 bytes at least, a number in a box 16. */
const NOTHING = 1;

/** Expects that a step, again and again, leaves no byte of garbage once it is warm. @returns how often it was called */
export function withoutGarbage(step: () => void): number {
  const { bytes, calls } = onceWarmCalls(NOTHING, CHUNK, step);
  expect(bytes).toBeLessThan(NOTHING);
  return calls;
}
