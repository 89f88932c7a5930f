import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Slabs } from '../slabs.ts';
import { plainCopyAndSum, plainSum } from './plain-sums.ts';

interface Sums {
  readonly bytes: Uint8Array;
  sum(offset: number, end: number): number;
  copyAndSum(from: number, to: number, lenBytes: number): number;
}

/** The most bytes that a sum may be asked of. */
const MOST = 262_144;
const SIZE = { buffers: 1, pages: 160 };

function vectors(shared: boolean): Sums {
  const { bytes, bulk } = new Slabs(SIZE, { shared });
  return { bytes, sum: bulk!.sum, copyAndSum: bulk!.copyAndSum };
}

function plain(shared: boolean): Sums {
  const { bytes } = new Slabs(SIZE, { shared });
  const view = new DataView(bytes.buffer);
  return {
    bytes,
    sum: (offset, end) => plainSum(view, offset, end),
    copyAndSum: (from, to, lenBytes) => plainCopyAndSum(view, from, view, to, lenBytes),
  };
}

const subjects: readonly (readonly [string, Sums])[] = [
  ['by vectors', vectors(false)],
  ['by vectors, in shared memory', vectors(true)],
  ['plain', plain(false)],
  ['plain, in shared memory', plain(true)],
];

/** RFC 1071 §1 in its own words. 0 is the sum of zeros alone. */
function model(bytes: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i += 2) total += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  return total === 0 ? 0 : ((total - 1) % 0xffff) + 1;
}

const fills: readonly (readonly [string, (i: number) => number])[] = [
  ['zeros', () => 0],
  ['ones', () => 0xff],
  ['a pattern', (i) => i * 37 + (i >> 8) + 11],
  ['words of ones and zeros, whose carries go round', (i) => ((i >> 1) & 1) * 0xff],
];

describe.each(subjects)('sums %s', (_name, { bytes, sum, copyAndSum }) => {
  it.each(fills)('of every length from 0 to 150 at every alignment, among bytes that do not count: %s', (_fill, byteAt) => {
    for (let offset = 0; offset < 17; offset++) {
      for (let lenBytes = 0; lenBytes <= 150; lenBytes++) {
        bytes.fill(0xee, 0, 200);
        for (let i = 0; i < lenBytes; i++) bytes[offset + i] = byteAt(i);
        const expected = model(bytes.subarray(offset, offset + lenBytes));
        if (sum(offset, offset + lenBytes) !== expected) expect([offset, lenBytes, sum(offset, offset + lenBytes)]).toBe(expected);
      }
    }
  });

  it('copies every length from 0 to 100 between all alignments, and touches nothing else', () => {
    const from = 4096;
    for (let i = 0; i < 200; i++) bytes[from + i] = i * 37 + 11;
    for (let lenBytes = 0; lenBytes <= 100; lenBytes++) {
      for (let alignments = 0; alignments < 64; alignments++) {
        const source = from + (alignments & 7);
        const to = 16 + (alignments >> 3);
        const wanted = new Uint8Array(160).fill(0xee);
        wanted.set(bytes.subarray(source, source + lenBytes), to);
        bytes.fill(0xee, 0, 160);
        const part = copyAndSum(source, to, lenBytes);
        if (part !== model(bytes.subarray(source, source + lenBytes))) expect([lenBytes, alignments, part]).toBe('the sum');
        if (Buffer.compare(bytes.subarray(0, 160), wanted) !== 0) expect([lenBytes, alignments]).toBe('a copy');
      }
    }
  });

  it('says what the model says', () => {
    const ones = fc.uint8Array({ maxLength: 1500, size: 'max' }).map((some) => some.map((byte) => (byte < 128 ? 0xff : byte)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 1500, size: 'max' }), ones), fc.nat(40), fc.nat(40), (some, from, to) => {
        bytes.set(some, from);
        expect(sum(from, from + some.length)).toBe(model(some));
        const at = 8192 + to;
        bytes.fill(0x5a, at - 1, at + some.length + 1);
        expect(copyAndSum(from, at, some.length)).toBe(model(some));
        expect(bytes.slice(at - 1, at + some.length + 1)).toEqual(Uint8Array.of(0x5a, ...some, 0x5a));
      }),
      { numRuns: 60 },
    );
  });

  it.each([65_535, 65_536, MOST - 1, MOST])('loses no carry in %i bytes of ones, at an odd place', (lenBytes) => {
    bytes.fill(0xff, 0, MOST + 2);
    bytes[lenBytes] = 0xfe;
    const expected = model(bytes.subarray(1, lenBytes + 1));
    expect(sum(1, lenBytes + 1)).toBe(expected);
    const to = MOST + 4099;
    expect(copyAndSum(1, to, lenBytes)).toBe(expected);
    expect(Buffer.compare(bytes.subarray(to, to + lenBytes), bytes.subarray(1, lenBytes + 1))).toBe(0);
  });

  it('carries out of the carry', () => {
    // High halves that add up to 0xfffeffff and low ones to 0x3ffff, read little-endian: their parts to 0x2ffff, which folds to 0x10001.
    for (let at = 0; at < MOST; at += 4) bytes.set([0, 0, 0xff, 0xff], at);
    bytes.set([3, 0, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff]);
    for (let at = 8; at < 20; at += 4) bytes.set([0xff, 0xff], at);
    expect([sum(0, MOST), copyAndSum(0, MOST, MOST)]).toEqual([0x0200, 0x0200]);
  });

  it('of the last bytes of the memory', () => {
    const { length } = bytes;
    bytes.fill(0xff, length - 100);
    for (let lenBytes = 0; lenBytes <= 100; lenBytes++) {
      const expected = model(bytes.subarray(length - lenBytes));
      expect([sum(length - lenBytes, length), copyAndSum(0, length - lenBytes, 0)]).toEqual([expected, 0]);
      bytes.copyWithin(0, length - lenBytes);
      expect(copyAndSum(0, length - lenBytes, lenBytes)).toBe(expected);
    }
  });
});
