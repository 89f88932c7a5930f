import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PeerLimit } from './peer-limit.ts';
import { PeerPlaces } from './peer-places.ts';

describe('errors to one peer', () => {
  const clock = { nowUs: 0, nowMs: 0, virtual: true, readUs: () => 0 };

  test('are six at once, then one in each interval', () => {
    const limit = new PeerLimit(clock, 1);
    const given = (): number => Array.from({ length: 20 }, () => limit.take(0x0a000001, 1000)).filter(Boolean).length;
    expect(given()).toBe(6);
    clock.nowUs += 1_000_000;
    expect(given()).toBe(1);
    clock.nowUs += 999_999;
    expect(given()).toBe(0);
    clock.nowUs += 60_000_000;
    expect(given()).toBe(6);
    expect(limit.take(0x0a000001, 0)).toBe(true);
  });

  test('do not use up what others have, whoever they are and however many', () => {
    const limit = new PeerLimit(clock, 99);
    for (let i = 0; i < 20; i++) limit.take(1, 1000);
    const others = Array.from({ length: 10_000 }, (_, i) => limit.take(i + 1000, 1000)).filter(Boolean).length;
    expect(others).toBe(10_000);
  });

  test('are as a plain model has it, while there are few', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3_000_000 })), { maxLength: 60 }),
        (steps) => {
          const time = { ...clock, nowUs: 5 };
          const limit = new PeerLimit(time, 7);
          const model = new Map<number, { credit: number; at: number }>();
          for (const [peer, passUs] of steps) {
            time.nowUs += passUs;
            const known = model.get(peer) ?? { credit: 6_000_000, at: time.nowUs };
            const credit = Math.min(6_000_000, known.credit + time.nowUs - known.at);
            expect(limit.take(peer, 1000)).toBe(credit >= 1_000_000);
            model.set(peer, { credit: credit >= 1_000_000 ? credit - 1_000_000 : credit, at: time.nowUs });
          }
        },
      ),
    );
  });
});

test('a peer keeps its place until four others came there that were heard later', () => {
  const places = new PeerPlaces(4, 9);
  const found = [1, 2, 3, 4, 1, 5, 1, 2].map((peer, now) => [places.find(peer, now), places.isNew]);
  const [one, two] = [found[0]![0], found[1]![0]];
  expect(found.map(([, isNew]) => isNew)).toEqual([true, true, true, true, false, true, false, true]);
  expect([found[4]![0], found[5]![0], found[6]![0]]).toEqual([one, two, one]);
  expect(new Set(found.slice(0, 4).map(([place]) => place)).size).toBe(4);
});
