import type { Random } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mtuOf } from './icmp-errors.ts';
import { IcmpLimits } from './icmp-limits.ts';
import { Identification } from './identification.ts';
import { RedirectLimit } from './redirect-limit.ts';

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

describe('redirects to one host', () => {
  const pace = { loadMs: 20, number: 9, silenceMs: 20_480 };
  const clock = { nowUs: 0, nowMs: 0, virtual: true, readUs: () => 0 };

  test('are nine, each after twice the time, and none more until it was quiet (Linux)', () => {
    const limit = new RedirectLimit(clock, 5);
    const sentMs: number[] = [];
    for (let ms = 0; ms < 30_000; ms += 10) {
      clock.nowUs = ms * 1000;
      if (limit.take(1, pace)) sentMs.push(ms);
    }
    // 40, 80, ... 5,120 ms later, each at the next packet.
    expect(sentMs).toEqual([0, 50, 140, 310, 640, 1290, 2580, 5150, 10_280]);
    clock.nowUs += 20_480_000;
    expect(limit.take(1, pace)).toBe(false);
    clock.nowUs += 20_481_000;
    expect(limit.take(1, pace)).toBe(true);
    expect(limit.take(2, pace)).toBe(true);
    expect(limit.take(3, { ...pace, number: 0 })).toBe(false);
  });
});

describe('ICMP in all', () => {
  const bounds = {
    icmpRatemask: { value: 0x1818 },
    icmpRatelimitMs: { value: 1000 },
    icmpPerSecond: { value: 1000 },
    icmpBurst: { value: 50 },
  };
  const clock = { nowUs: 0, nowMs: 0, virtual: true, readUs: () => 0 };
  let seed = 1;
  const below = (bound: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % bound;
  };
  const chance: Random = { ...random(3), below };

  test('is a burst, then so many a second; of a million peers each is new, and memory stays', () => {
    const limits = new IcmpLimits(clock, chance, bounds);
    let first = 0;
    for (let peer = 0; peer < 1000; peer++) if (limits.take(3, 3, peer)) first++;
    expect(first).toBeGreaterThan(25);
    expect(first).toBeLessThan(100);
    let given = 0;
    for (let peer = 0; peer < 1_000_000; peer++) {
      clock.nowUs += 10;
      if (limits.take(11, 0, peer)) given++;
    }
    expect(given).toBeGreaterThan(9000);
    expect(given).toBeLessThan(11_100);
  });

  test('one who has had his share takes nothing from others; what is not in the mask is free, and so is a path MTU', () => {
    const limits = new IcmpLimits(clock, { ...chance, below: () => 1 }, bounds);
    clock.nowUs += 1_000_000;
    const given = Array.from({ length: 100 }, () => limits.take(3, 1, 77)).filter(Boolean).length;
    const others = Array.from({ length: 100 }, (_, i) => limits.take(3, 1, i)).filter(Boolean).length;
    expect([given, others]).toEqual([6, 44]);
    for (const [type, code] of [
      [0, 0],
      [3, 4],
      [5, 1],
      [14, 0],
      [32, 0],
    ] as const)
      expect(limits.take(type, code, 1)).toBe(true);
    expect(limits.take(12, 0, 1)).toBe(false);
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
