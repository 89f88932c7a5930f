import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ResilientBuckets } from './resilient-buckets.ts';

function boot(count: number, unbalancedMs = 0) {
  const clock = { nowMs: 2 ** 31 - 5000 };
  const state = { wakeMs: 0, moves: 0 };
  const buckets = new ResilientBuckets({
    ...{ count, idleMs: 1000, clock: clock as never },
    wake: (delayMs) => {
      state.wakeMs = clock.nowMs + delayMs;
    },
  });
  buckets.unbalancedMs = unbalancedMs;
  /** Time passes; the timer fires where it was set. Buckets given are in use all the while. */
  const pass = (ms: number, busy: readonly number[] = []): void => {
    for (let step = 0; step < ms; step += 100) {
      for (const bucket of busy) buckets.pick(bucket);
      clock.nowMs = (clock.nowMs + 100) | 0;
      if (state.wakeMs === 0 || ((clock.nowMs - state.wakeMs) | 0) < 0) continue;
      state.wakeMs = 0;
      if (buckets.balance()) state.moves++;
    }
  };
  const places = (): number[] => Array.from({ length: count }, (_, bucket) => buckets.pick(bucket));
  const members = (...ids: (number | [id: number, weight: number])[]): void =>
    buckets.change(ids.map((each) => (typeof each === 'number' ? { id: each, weight: 1 } : { id: each[0], weight: each[1] })));
  return { clock, buckets, state, pass, places, members };
}

const all = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('buckets of a resilient group', () => {
  test('are shared as members weigh', () => {
    const { buckets, members } = boot(10);
    members([1, 3], [2, 2]);
    expect(buckets.shares).toEqual([6, 4]);
    members([1, 1], [2, 1], [3, 1]);
    expect(buckets.shares).toEqual([3, 4, 3]);
  });

  test('of a member that went move at once, the others stay', () => {
    const { places, members, buckets } = boot(12);
    members(1, 2, 3);
    const before = places().map((place) => [1, 2, 3][place]);
    members(1, 3);
    const after = places().map((place) => [1, 3][place]);
    expect(buckets.shares).toEqual([6, 6]);
    for (const [bucket, id] of before.entries()) if (id !== 2) expect(after[bucket]).toBe(id);
  });

  test('move to a new member when they have been idle, no sooner', () => {
    const { places, members, buckets, pass, state } = boot(8);
    members(1, 2);
    places();
    members(1, 2, 3);
    expect(buckets.shares).toEqual([4, 4, 0]);
    pass(900);
    expect(buckets.shares).toEqual([4, 4, 0]);
    pass(200);
    expect([buckets.shares, state.moves, state.wakeMs]).toEqual([[3, 2, 3], 1, 0]);
  });

  test('in use stay, unless the group has been out of balance for too long', () => {
    const { places, members, buckets, pass, state } = boot(8);
    members(1, 2);
    places();
    members(1, 2, 3);
    pass(20_000, all(8));
    expect(buckets.shares).toEqual([4, 4, 0]);
    expect(state.moves).toBe(0);
    const forced = boot(8, 5000);
    forced.members(1, 2);
    forced.places();
    forced.members(1, 2, 3);
    forced.pass(4900, all(8));
    expect(forced.buckets.shares).toEqual([4, 4, 0]);
    forced.pass(200, all(8));
    expect([forced.buckets.shares, forced.state.wakeMs]).toEqual([[3, 2, 3], 0]);
  });

  test('nobody asked for yet go at once', () => {
    const { members, buckets } = boot(8);
    members(1);
    members(1, 2);
    expect(buckets.shares).toEqual([4, 4]);
  });

  test('end in balance whatever changes, and are all somebody’s', () => {
    const lists = fc.array(
      fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 256 })), {
        ...{ minLength: 1, maxLength: 5 },
        selector: ([id]) => id,
      }),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), lists, (count, steps) => {
        const { members, buckets, pass, places } = boot(count);
        for (const step of steps) {
          members(...step);
          expect(places().every((place) => place >= 0 && place < step.length)).toBe(true);
          expect(buckets.shares.reduce((sum, has) => sum + has, 0)).toBe(count);
        }
        pass(2500);
        const last = steps.at(-1)!;
        const total = last.reduce((sum, [, weight]) => sum + weight, 0);
        for (const [place, [, weight]] of last.entries()) {
          expect(Math.abs(buckets.shares[place]! - (count * weight) / total)).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 60 },
    );
  });
});
