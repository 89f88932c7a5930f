import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Hop } from '../hop.ts';
import type { RouteInfo } from '../route-info.ts';
import { sharesOf } from '../route-info.ts';
import { leavesBy, pickHop } from './pick-hop.ts';

interface Way {
  readonly salt: number;
  readonly weight: number;
}

function infoOf(ways: readonly Way[]): RouteInfo & { readonly hops: Hop[] } {
  const hops = ways.map(({ salt }, index) => ({ salt, alive: true, running: true, ifindex: index + 1, spec: { type: 1 } }) as Hop);
  return {
    hops,
    shares: sharesOf(
      hops,
      ways.map(({ weight }) => weight),
    ),
  } as RouteInfo & { readonly hops: Hop[] };
}

/** Hashes as flows have them, and bad ones: small steps. */
const HASHES = Array.from({ length: 4000 }, (_, index) => (index < 1000 ? index : Math.imul(index, 0x9e3779b1) ^ index));

const saltsOf = (info: RouteInfo): number[] => HASHES.map((hash) => pickHop(info, hash, 0, 0)!.salt);

describe('several ways', () => {
  test('share as they weigh', () => {
    const weights = [1, 2, 3, 10];
    const picked = saltsOf(infoOf(weights.map((weight, salt) => ({ salt, weight }))));
    for (const [salt, weight] of weights.entries()) {
      const share = picked.filter((each) => each === salt).length / HASHES.length;
      expect(Math.abs(share - weight / 16), `weight ${weight}: ${share}`).toBeLessThan(0.03);
    }
  });

  test('that are alike draw different lots', () => {
    const info = infoOf([5, 5, 5].map((salt) => ({ salt, weight: 1 })));
    const devices = HASHES.map((hash) => pickHop(info, hash, 0, 0)!.ifindex);
    for (const ifindex of [1, 2, 3]) expect(devices.filter((each) => each === ifindex).length).toBeGreaterThan(HASHES.length / 4);
  });

  test('one that goes moves its own flows only; one that comes takes no more than its share; their order does not count', () => {
    const ways = fc.uniqueArray(fc.record({ salt: fc.integer(), weight: fc.integer({ min: 1, max: 256 }) }), {
      ...{ minLength: 2, maxLength: 9 },
      selector: ({ salt }) => salt,
    });
    fc.assert(
      fc.property(ways, fc.nat(), (all, nth) => {
        const gone = all[nth % all.length]!;
        const before = saltsOf(infoOf(all));
        const after = saltsOf(infoOf(all.filter((way) => way !== gone).reverse()));
        for (const [index, salt] of before.entries()) if (salt !== gone.salt && after[index] !== salt) return false;
        return true;
      }),
      { numRuns: 30 },
    );
  });

  test('one that dies, or has no carrier, is taken over in the same way, and comes back to its own', () => {
    const info = infoOf([3, 2, 1].map((weight, salt) => ({ salt, weight })));
    const before = saltsOf(info);
    info.hops[1]!.running = false;
    const after = saltsOf(info);
    expect(after).not.toContain(1);
    for (const [index, salt] of before.entries()) if (salt !== 1) expect(after[index]).toBe(salt);
    info.hops[1]!.running = true;
    expect(saltsOf(info)).toEqual(before);
    for (const hop of info.hops) hop.running = false;
    expect(saltsOf(info), 'none has carrier: better than nothing').toEqual(before);
    for (const hop of info.hops) hop.alive = false;
    expect(pickHop(info, 1, 0, 0)).toBe(null);
  });

  test('on the device that is asked for', () => {
    const info = infoOf([1, 1].map((weight, salt) => ({ salt, weight })));
    expect(HASHES.every((hash) => pickHop(info, hash, 2, 0)!.ifindex === 2)).toBe(true);
    expect([pickHop(info, 1, 3, 0), leavesBy(info, 2), leavesBy(info, 3)]).toEqual([null, true, false]);
  });
});
