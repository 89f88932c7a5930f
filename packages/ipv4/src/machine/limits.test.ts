import type { Random } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mtuOf } from './icmp-errors.ts';
import { Identification } from './identification.ts';
import { PeerLimit } from './peer-limit.ts';

const random = (seed: number): Random => ({
  u32: () => seed,
  below: () => 0,
  fraction: () => 0,
  fill: (bytes) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * seed) & 0xff;
  },
});

describe('identifications', () => {
  test('of one flow do not come again for 65,536 datagrams', () => {
    const ids = new Identification(random(12345));
    const seen = new Set(Array.from({ length: 65_536 }, () => ids.next(1, 2, 17)));
    expect(seen.size).toBe(65_536);
    expect(ids.next(1, 2, 17)).toBeLessThan(65_536);
  });

  test('of one flow do not tell those of another', () => {
    const ids = new Identification(random(777));
    const counters = new Set<number>();
    for (let i = 0; i < 500; i++) counters.add((ids.next(i, 99, 17) << 16) | i);
    const before = ids.next(1_000_000, 5, 17);
    for (let i = 0; i < 100; i++) ids.next(42, 43, 17);
    expect([(before + 1) & 0xffff, (before + 101) & 0xffff]).toContain(ids.next(1_000_000, 5, 17));
  });
});

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

  test('do not use up what others have, but where hashes meet', () => {
    const limit = new PeerLimit(clock, 99);
    for (let i = 0; i < 20; i++) limit.take(1, 1000);
    const others = Array.from({ length: 100 }, (_, i) => limit.take(i + 1000, 1000)).filter(Boolean).length;
    expect(others).toBeGreaterThan(95);
  });
});

test('a router that does not say the MTU means the next lower plateau (RFC 1191 §7.1)', () => {
  expect([mtuOf(1400, 1500), mtuOf(0x12340578 | 0, 9000), mtuOf(0, 1500), mtuOf(0, 1492), mtuOf(0, 60)]).toEqual([
    1400, 1400, 1492, 1006, 68,
  ]);
  fc.assert(
    fc.property(fc.integer({ min: 69, max: 65535 }), (quoted) => {
      expect(mtuOf(0, quoted)).toBeLessThan(quoted);
      expect(mtuOf(0, quoted)).toBeGreaterThanOrEqual(68);
    }),
  );
});
