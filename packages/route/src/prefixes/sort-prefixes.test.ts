import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sortPrefixes } from './sort-prefixes.ts';

const word = fc.oneof(fc.constantFrom(0, -1, 1, -0x80000000, 0x0a000000), fc.integer({ min: -0x80000000, max: 0x7fffffff }));

/** By unsigned words, then by length: compared one by one. */
function byPrefix(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length - 1; i++) if (a[i] !== b[i]) return (a[i]! >>> 0) - (b[i]! >>> 0);
  return (a.at(-1)! & 0xff) - (b.at(-1)! & 0xff);
}

test.each([2, 5])('prefixes of %i words are in the order of a plain sort, equal ones as they were', (stride) => {
  const prefix = fc
    .tuple(fc.array(word, { minLength: stride - 1, maxLength: stride - 1 }), fc.nat(128), fc.nat(5))
    .map(([words, len, value]) => [...words, (value << 8) | len]);
  fc.assert(
    fc.property(fc.array(prefix, { maxLength: 60 }), (prefixes) => {
      const sorted = sortPrefixes(Int32Array.from(prefixes.flat()), stride);
      expect([...sorted]).toEqual(prefixes.toSorted(byPrefix).flat());
    }),
    { numRuns: 200 },
  );
});
