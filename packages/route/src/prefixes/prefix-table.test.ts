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

  type Changes = readonly { readonly key: Key; readonly len: number; readonly value: number }[];

  function applied(
    changes: Changes,
    to?: { readonly table: PrefixTable; readonly model: PlainTable },
  ): { table: PrefixTable; model: PlainTable } {
    const { table, model } = to ?? { table: new PrefixTable(wide, SEED), model: new PlainTable() };
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
      { numRuns: 50 },
    );
  });

  test('many changes at once are what they are one by one, before they are published and after', () => {
    const many = fc.array(change, { maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(many, many, many, (before, at, after) => {
        const both = applied(before);
        const { table, model } = both;
        const check = (): void => {
          for (const { key: question } of [...before, ...at, ...after])
            expect(matches(table, wide, question)).toEqual(model.matches(question));
        };
        table.begin(at.length);
        applied(at, both);
        check();
        table.publish();
        check();
        applied(after, both);
        check();
        for (const { key: prefix, len: bits } of model.all.values()) expect(table.delete(...prefix, bits)).toBe(true);
        expect(table.usedBytes).toBe(new PrefixTable(wide, SEED).usedBytes);
      }),
      { numRuns: 15 },
    );
  });

  test('what is taken back was never there', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), fc.array(change, { maxLength: 60 }), (before, at) => {
        const { table, model } = applied(before);
        table.begin(at.length);
        const undo = at.map(({ key: prefix, len: bits, value }) => {
          const own = masked(prefix, bits);
          const had = table.get(...own, bits);
          if (value === 0) table.delete(...own, bits);
          else table.set(...own, bits, value);
          return () => (had === 0 ? table.delete(...own, bits) : table.set(...own, bits, had));
        });
        for (const each of undo.reverse()) each();
        table.discard();
        expect(table.count).toBe(model.all.size);
        for (const { key: question } of [...before, ...at]) expect(matches(table, wide, question)).toEqual(model.matches(question));
      }),
      { numRuns: 40 },
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
      { numRuns: 50 },
    );
  });
});

/** Prefixes as tables have them: blocks that are cut in pieces. By a counter, mixed. */
function tableOf(
  count: number,
  atOnce = false,
): {
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
  if (atOnce) table.begin(count);
  for (let i = 0; i < count; i++) {
    const [key, len] = at(i);
    table.set(key, 0, 0, 0, len, 1 + (i & 63));
    model.set((key >>> 0) * 64 + len, 1 + (i & 63));
  }
  if (atOnce) table.publish();
  return { table, model, at };
}

describe('a table of 60,000 prefixes', () => {
  const COUNT = 60_000;

  test.each([
    ['one by one', false],
    ['all at once', true],
  ])('answers as one that tries every length, has 32 bytes for a prefix at most, and shrinks when they go: %s', (_how, atOnce) => {
    const { table, model, at } = tableOf(COUNT, atOnce);
    const longest = (address: number): string => {
      for (let len = 32; len >= 0; len--) {
        const value = model.get(((address & maskWord(len)) >>> 0) * 64 + len);
        if (value !== undefined) return `${value}/${len}`;
      }
      return '0/0';
    };
    const check = (): void => {
      for (let i = 0; i < 8000; i++) {
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

test('an IPv4 lookup allocates nothing', () => {
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

test('an IPv6 lookup allocates nothing', () => {
  const table = new PrefixTable(true, SEED);
  const word = (i: number): number => 0x20010000 | ((i ^ (i >>> 3)) & 0xff);
  for (let i = 0; i < 20_000; i++) table.set(word(i), (i << 16) & maskWord((i % 33) & ~3), 0, 0, 32 + ((i % 33) & ~3), 1 + (i & 63));
  for (let i = 0; i < 1000; i++) table.set(word(i), i, i, i, 128, 1 + (i & 63));
  let i = 0;
  let found = 0;
  const bytes = heapPerCall(1, () => {
    i = (i + 1) & 0xffff;
    for (let value = table.firstWide(word(i), (i << 16) | i, i, i); value !== 0; value = table.next()) found++;
  });
  expect(found).toBeGreaterThan(1000);
  expect(bytes).toBeLessThan(1);
});
