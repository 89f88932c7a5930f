import { heapPerCall } from '@softnet/contract/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HalfSipHash } from './half-sip-hash.ts';

const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (32n - by))) & 0xffffffffn;
const add = (a: bigint, b: bigint): bigint => (a + b) & 0xffffffffn;

/** As the paper has it: 1 round for each word, 3 to end, over bytes. */
function model([k0, k1]: readonly [number, number], bytes: readonly number[]): number {
  const u = (x: number): bigint => BigInt(x >>> 0);
  const v = [u(k0), u(k1), 0x6c796765n ^ u(k0), 0x74656462n ^ u(k1)];
  const round = (): void => {
    v[0] = add(v[0]!, v[1]!);
    v[1] = rotate(v[1]!, 5n) ^ v[0]!;
    v[0] = rotate(v[0]!, 16n);
    v[2] = add(v[2]!, v[3]!);
    v[3] = rotate(v[3]!, 8n) ^ v[2]!;
    v[0] = add(v[0]!, v[3]!);
    v[3] = rotate(v[3]!, 7n) ^ v[0]!;
    v[2] = add(v[2]!, v[1]!);
    v[1] = rotate(v[1]!, 13n) ^ v[2]!;
    v[2] = rotate(v[2]!, 16n);
  };
  const full = [...bytes, ...new Array<number>(3 - (bytes.length % 4)).fill(0), bytes.length & 0xff];
  for (let i = 0; i < full.length; i += 4) {
    const m = u(full[i]! | (full[i + 1]! << 8) | (full[i + 2]! << 16) | (full[i + 3]! << 24));
    v[3]! ^= m;
    round();
    v[0]! ^= m;
  }
  v[2]! ^= 0xffn;
  for (let i = 0; i < 3; i++) round();
  return Number(v[1]! ^ v[3]!) | 0;
}

test.each([
  [0, 0x5814c896],
  [1, 0x7e059ea6],
  [2, 0x577999b1],
])('of %i words: the published value, key 00 to 07, bytes 00 on', (count, expected) => {
  const hash = new HalfSipHash([0x03020100, 0x07060504]);
  for (let i = 0; i < count; i++) hash.words[i] = 0x03020100 + i * 0x04040404;
  expect(hash.of(count) >>> 0).toBe(expected);
});

test('is what the paper says, for any words and key', () => {
  const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), fc.tuple(word, word), (words, key) => {
      const hash = new HalfSipHash(key);
      hash.words.set(words);
      const bytes = words.flatMap((each) => [0, 8, 16, 24].map((shift) => (each >>> shift) & 0xff));
      expect(hash.of(words.length)).toBe(model(key, bytes));
    }),
  );
});

test('allocates nothing', () => {
  const hash = new HalfSipHash([1, 2]);
  let all = 0;
  const bytes = heapPerCall(1, (i) => {
    hash.words[0] = i;
    all ^= hash.of(10);
  });
  expect([bytes < 1, Number.isInteger(all)]).toEqual([true, true]);
});
