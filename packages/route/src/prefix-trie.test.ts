import { heapPerCall } from '@softnet/contract/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PrefixTrie } from './prefix-trie.ts';

type Key = readonly [number, number, number, number];
interface Value {
  readonly name: string;
}

/** Few different words, so that prefixes meet. */
const word = fc.oneof(fc.constantFrom(0, -1, 1, -0x80000000, 0x0a000000, 0x0a000001), fc.integer({ min: -0x80000000, max: 0x7fffffff }));
const key: fc.Arbitrary<Key> = fc.tuple(word, word, word, word);
const len = fc.oneof(fc.constantFrom(0, 1, 31, 32, 33, 63, 64, 65, 96, 97, 127, 128), fc.integer({ min: 0, max: 128 }));

/** The first bits of a key, in text: what a prefix is. */
function bits([a, b, c, d]: Key, lenBits: number): string {
  return [a, b, c, d]
    .map((each) => (each >>> 0).toString(2).padStart(32, '0'))
    .join('')
    .slice(0, lenBits);
}

function allOf(trie: PrefixTrie<Value>, at: Key): string[] {
  const names: string[] = [];
  for (let value = trie.first(...at); value !== null; value = trie.next()) names.push(value.name);
  return names;
}

describe('longest-prefix match', () => {
  test('is that of a list of all prefixes, whatever was set and deleted before', () => {
    const change = fc.record({ key, len, set: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), fc.array(key, { maxLength: 10 }), (changes, questions) => {
        const trie = new PrefixTrie<Value>();
        const model = new Map<string, Value>();
        for (const { key: at, len: lenBits, set } of changes) {
          const name = bits(at, lenBits);
          if (set) {
            const value = { name };
            trie.set(...at, lenBits, value);
            model.set(name, value);
          } else expect(trie.delete(...at, lenBits)).toBe(model.delete(name));
        }
        expect(trie.count).toBe(model.size);
        expect(trie.nodeCount).toBeLessThanOrEqual(Math.max(0, 2 * model.size - 1));
        expect([...trie.values()].map(({ name }) => name)).toEqual([...model.keys()].sort());
        for (const at of [...questions, ...changes.map((each) => each.key)]) {
          const whole = bits(at, 128);
          const expected = [...model.keys()].filter((name) => whole.startsWith(name)).sort((a, b) => b.length - a.length);
          expect(allOf(trie, at)).toEqual(expected);
        }
        for (const [name, value] of model) expect(trie.get(...keyOf(name), name.length)).toBe(value);
      }),
      { numRuns: 500 },
    );
  });

  test('a trie that is emptied has no node left, and uses them again', () => {
    const trie = new PrefixTrie<Value>();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 1000; i++) trie.set(Math.imul(i, 0x9e3779b1), 0, 0, 0, 32, { name: `${i}` });
      expect(trie.count).toBe(1000);
      for (let i = 0; i < 1000; i++) expect(trie.delete(Math.imul(i, 0x9e3779b1), 0, 0, 0, 32)).toBe(true);
      expect([trie.count, trie.nodeCount, trie.first(0, 0, 0, 0)]).toEqual([0, 0, null]);
    }
  });

  test('a value set again takes the place of the one before', () => {
    const trie = new PrefixTrie<Value>();
    trie.set(1, 2, 3, 4, 128, { name: 'old' });
    trie.set(1, 2, 3, 4, 128, { name: 'new' });
    expect([trie.count, allOf(trie, [1, 2, 3, 4])]).toEqual([1, ['new']]);
  });
});

test('a lookup allocates nothing', () => {
  const trie = new PrefixTrie<Value>();
  for (let i = 0; i < 5000; i++) trie.set(Math.imul(i, 0x9e3779b1), i, 0, 0, 8 + (i % 57), { name: `${i}` });
  let i = 0;
  let found = 0;
  const bytes = heapPerCall(1, () => {
    i = (i + 1) | 0;
    for (let value = trie.first(Math.imul(i, 0x9e3779b1), i, 0, 0); value !== null; value = trie.next()) found++;
  });
  expect(found).toBeGreaterThan(1000);
  expect(bytes).toBeLessThan(1);
});

function keyOf(name: string): Key {
  const padded = name.padEnd(128, '1');
  const at = (index: number): number => Number.parseInt(padded.slice(32 * index, 32 * index + 32), 2) | 0;
  return [at(0), at(1), at(2), at(3)];
}
