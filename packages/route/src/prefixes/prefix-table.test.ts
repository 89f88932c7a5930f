import { heapPerCall } from '@softnet/contract/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PrefixTable } from './prefix-table.ts';

const SEED = 0x5eed;

type Key = readonly [number, number, number, number];

/** Few different words, so that prefixes meet. */
const word = fc.oneof(
  fc.constantFrom(0, -1, 1, -0x80000000, 0x0a000000, 0x0a000001),
  fc.integer({ min: 0, max: 255 }),
  fc.integer({ min: -0x80000000, max: 0x7fffffff }),
);
const wideKey: fc.Arbitrary<Key> = fc.tuple(word, word, word, word);
const wideLen = fc.oneof(fc.constantFrom(0, 1, 31, 32, 33, 63, 64, 65, 96, 97, 127, 128), fc.integer({ min: 0, max: 128 }));
const shortKey: fc.Arbitrary<Key> = word.map((each) => [each, 0, 0, 0]);
const shortLen = fc.oneof(fc.constantFrom(0, 1, 8, 16, 24, 31, 32), fc.integer({ min: 0, max: 32 }));

function maskWord(bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits);
}

function masked([a, b, c, d]: Key, len: number): Key {
  return [a & maskWord(len), b & maskWord(len - 32), c & maskWord(len - 64), d & maskWord(len - 96)];
}

/** A list of all prefixes, looked through from one end to the other. */
class PlainTable {
  readonly all = new Map<string, { readonly key: Key; readonly len: number; value: number }>();

  set(key: Key, len: number, value: number): void {
    this.all.set(`${key}/${len}`, { key, len, value });
  }
  delete(key: Key, len: number): boolean {
    return this.all.delete(`${key}/${len}`);
  }
  /** `value/len`, the longest first. */
  matches(address: Key): string[] {
    return [...this.all.values()]
      .filter(({ key, len }) => `${masked(address, len)}` === `${key}`)
      .sort((a, b) => b.len - a.len)
      .map(({ value, len }) => `${value}/${len}`);
  }
}

function matches(table: PrefixTable, wide: boolean, address: Key): string[] {
  const found: string[] = [];
  let value = wide ? table.firstWide(...address) : table.first(address[0]);
  for (; value !== 0; value = table.next()) found.push(`${value}/${table.prefixLen}`);
  expect(table.prefixLen).toBe(0);
  return found;
}

describe.each([
  ['IPv4', false, shortKey, shortLen],
  ['IPv6', true, wideKey, wideLen],
] as const)('%s', (_name, wide, key, len) => {
  const change = fc.record({ key, len, value: fc.integer({ min: 0, max: 5 }) });

  function applied(changes: readonly { key: Key; len: number; value: number }[]): { table: PrefixTable; model: PlainTable } {
    const table = new PrefixTable(wide, SEED);
    const model = new PlainTable();
    for (const { key: at, len: bits, value } of changes) {
      const prefix = masked(at, bits);
      if (value === 0) expect(table.delete(...prefix, bits)).toBe(model.delete(prefix, bits));
      else {
        table.set(...prefix, bits, value);
        model.set(prefix, bits, value);
      }
    }
    return { table, model };
  }

  test('the prefixes of an address are those of a list, whatever was set and deleted before', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 120, size: 'max' }), fc.array(key, { maxLength: 10 }), (changes, questions) => {
        const { table, model } = applied(changes);
        expect(table.count).toBe(model.all.size);
        for (const at of [...questions, ...changes.map((each) => each.key)]) expect(matches(table, wide, at)).toEqual(model.matches(at));
        for (const { key: at, len: bits, value } of model.all.values()) expect(table.get(...at, bits)).toBe(value);
      }),
      { numRuns: 100 },
    );
  });

  test('what is emptied is as small as new, and answers nothing', () => {
    const fresh = new PrefixTable(wide, SEED).usedBytes;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 150, size: 'max' }), fc.array(key, { maxLength: 5 }), (changes, questions) => {
        const { table, model } = applied(changes);
        for (const { key: at, len: bits } of model.all.values()) expect(table.delete(...at, bits)).toBe(true);
        for (const at of [...questions, ...changes.map((each) => each.key)]) expect(matches(table, wide, at)).toEqual([]);
        expect(table.usedBytes).toBe(fresh);
      }),
      { numRuns: 100 },
    );
  });
});

/** Prefixes as tables have them: blocks that are cut in pieces. By a counter, mixed. */
function tableOf(count: number): {
  readonly table: PrefixTable;
  readonly model: Map<number, number>;
  readonly at: (i: number) => [number, number];
} {
  const at = (i: number): [number, number] => {
    const mixed = Math.imul(i ^ (i >>> 15), 0x2c1b3c6d);
    const len = [24, 24, 24, 23, 22, 20, 19, 16][mixed & 7]!;
    const block = Math.imul(mixed >>> 10, 0x9e3779b1) & 0x3fff_0000;
    return [(block | (mixed & 0xffff)) & maskWord(len), len];
  };
  const table = new PrefixTable(false, SEED);
  const model = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const [key, len] = at(i);
    table.set(key, 0, 0, 0, len, 1 + (i & 63));
    model.set((key >>> 0) * 64 + len, 1 + (i & 63));
  }
  return { table, model, at };
}

describe('a table of 60,000 prefixes', () => {
  const COUNT = 60_000;

  test('answers as one that tries every length, has 32 bytes for a prefix at most, and shrinks when they go', () => {
    const { table, model, at } = tableOf(COUNT);
    const longest = (address: number): string => {
      for (let len = 32; len >= 0; len--) {
        const value = model.get(((address & maskWord(len)) >>> 0) * 64 + len);
        if (value !== undefined) return `${value}/${len}`;
      }
      return '0/0';
    };
    const check = (): void => {
      for (let i = 0; i < 20_000; i++) {
        const address = (at(Math.imul(i, 31) & 0xffff)[0] + (i & 0x3ff)) | 0;
        const value = table.first(address);
        if (`${value}/${table.prefixLen}` !== longest(address)) expect(`${value}/${table.prefixLen}`, `${address}`).toBe(longest(address));
      }
    };
    expect(table.count).toBe(model.size);
    check();
    expect(table.lookupBytes / table.count).toBeLessThan(32);
    for (let i = 0; i < COUNT; i++) {
      const [key, len] = at(i);
      if (model.delete((key >>> 0) * 64 + len)) expect(table.delete(key, 0, 0, 0, len)).toBe(true);
      if (i === COUNT >> 1) check();
    }
    expect([table.count, table.usedBytes]).toEqual([0, new PrefixTable(false, SEED).usedBytes]);
    expect(table.lookupBytes + table.controlBytes).toBeLessThan(16_384);
  });
});

test('a host with three routes has a table of less than 2 KiB', () => {
  const table = new PrefixTable(false, SEED);
  for (const [key, len] of [
    [0, 0],
    [0x0a000000, 24],
    [0x0a000005, 32],
  ] as const)
    table.set(key, 0, 0, 0, len, 1);
  expect(table.lookupBytes + table.controlBytes).toBeLessThan(2048);
});

test('a lookup allocates nothing', () => {
  const { table } = tableOf(20_000);
  let i = 0;
  let found = 0;
  const bytes = heapPerCall(1, () => {
    i = (i + 1) | 0;
    for (let value = table.first(Math.imul(i, 0x9e3779b1) & 0x3fffffff); value !== 0; value = table.next()) found++;
  });
  expect(found).toBeGreaterThan(1000);
  expect(bytes).toBeLessThan(1);
});
