import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShardTable } from './shard-table.ts';

const SLOTS = 4096;

describe('where flows are read', () => {
  test('the last that was said; 0 is no flow’s hash', () => {
    const table = new ShardTable();
    expect([table.shardOf(5), table.shardOf(0), table.has(0)]).toEqual([-1, -1, false]);
    table.put(5, 2);
    table.put(-5, 1);
    table.put(0, 3);
    table.put(5, 0);
    expect([table.shardOf(5), table.shardOf(-5), table.shardOf(0), table.has(5), table.has(6)]).toEqual([0, 1, -1, true, false]);
    table.put(0xffff_fffb, 7);
    expect(table.shardOf(-5), 'hashes are 32 bits, however they are written').toBe(7);
  });

  test('a flow is right or forgotten; the seven before the last are known; forgotten ones are counted', () => {
    const hash = fc.oneof(
      // All of one home, and any.
      fc.integer({ min: 0, max: 40 }).map((i) => COLLIDING[i]!),
      fc.integer({ min: -0x80000000, max: 0x7fffffff }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(hash, fc.nat(7)), { maxLength: 200 }), (writes) => {
        const table = new ShardTable();
        const model = new Map<number, number>();
        for (const [key, shard] of writes) {
          table.put(key, shard);
          // A Map keeps the order of first writes: what is written again is the newest.
          model.delete(key);
          if (key !== 0) model.set(key, shard);
        }
        const newest = [...model.keys()].slice(-7);
        let known = 0;
        for (const [key, shard] of model) {
          if (table.has(key)) known++;
          if (table.has(key) || newest.includes(key)) expect(table.shardOf(key)).toBe(shard);
          else expect(table.shardOf(key)).toBe(-1);
        }
        expect(known).toBeGreaterThanOrEqual(model.size - table.evictions);
        if (model.size <= 7) expect([known, table.evictions]).toEqual([model.size, 0]);
      }),
    );
  });

  test('is as large as it is, however many flows there are; most of as many as fit are known', () => {
    const table = new ShardTable();
    const known = (hashes: readonly number[]): number => hashes.filter((hash) => table.has(hash)).length;
    const hashes = Array.from({ length: 3 * SLOTS }, (_, i) => Math.imul(i + 1, 0x85ebca6b) | 0);
    for (const hash of hashes.slice(0, SLOTS / 2)) table.put(hash, 1);
    expect(known(hashes.slice(0, SLOTS / 2))).toBeGreaterThan(0.95 * (SLOTS / 2));
    for (const hash of hashes) table.put(hash, 2);
    expect([known(hashes) <= SLOTS, known(hashes) > 0.95 * SLOTS, table.evictions > SLOTS]).toEqual([true, true, true]);
    expect(known(hashes.slice(0, SLOTS)), 'the oldest go').toBeLessThan(0.2 * SLOTS);
  });
});

/** Hashes that all begin at one place of the table: its mixing is undone by the inverse of its factor. */
const INVERSE = inverse(0x9e3779b1);
const COLLIDING: readonly number[] = Array.from({ length: 41 }, (_, i) => Math.imul((7 << 16) | (i + 1), INVERSE) | 0);

function inverse(factor: number): number {
  let x = factor;
  for (let i = 0; i < 5; i++) x = Math.imul(x, 2 - Math.imul(factor, x));
  return x;
}
