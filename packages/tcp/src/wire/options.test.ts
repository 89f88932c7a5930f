import { heapPerCall } from '@softnet/contract/testing';
import { setTcpHeaderBytesAndFlags } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OptionsValue } from './options-value.ts';
import { emitOptionsValue, parseOptionsValue } from './options-value.ts';
import { sackRoom } from './put-options.ts';
import { ReceivedOptions, readOptions } from './received-options.ts';

/** A header with these bytes behind it, `before` bytes in. */
function header(options: readonly number[], before = 0, fill = 0): DataView {
  const padded = [...options, ...new Array((4 - (options.length % 4)) % 4).fill(0)];
  const bytes = new Uint8Array(before + 20 + padded.length + 60).fill(fill);
  bytes.fill(0, before, before + 20);
  bytes.set(padded, before + 20);
  const view = new DataView(bytes.buffer);
  setTcpHeaderBytesAndFlags(view, before, 20 + padded.length, 0);
  return view;
}
const read = (options: readonly number[], isSyn = true): OptionsValue | null => parseOptionsValue(header(options), 0, isSyn);
const TS = [8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
const timestamps = [1, 2] as const;

test.each<[string, number[], OptionsValue | null]>([
  ['none', [], {}],
  ['RFC 9293 §3.7.1: MSS', [2, 4, 5, 180], { mssBytes: 1460 }],
  ['RFC 7323 §2.2: window scale', [1, 3, 3, 7], { windowScale: 7 }],
  ['RFC 7323 §2.3: a shift above 14 is 14', [3, 3, 15], { windowScale: 14 }],
  ['RFC 2018 §2: SACK-permitted', [4, 2], { sackPermitted: true }],
  ['RFC 7323 app. A: aligned timestamps', [1, 1, ...TS], { timestamps }],
  ['timestamps anywhere', [...TS, 1, 1], { timestamps }],
  ['a SYN as Linux sends it', [2, 4, 5, 180, 4, 2, ...TS, 1, 3, 3, 7], { mssBytes: 1460, windowScale: 7, sackPermitted: true, timestamps }],
  ['RFC 2018 §3: SACK', [1, 1, 5, 10, 0, 0, 0, 3, 255, 255, 255, 255], { sack: [[3, -1]] }],
  ['END ends', [0, 2, 4, 5, 180, 0, 0, 0], {}],
  ['MD5, AO and unknown ones are skipped', [19, 3, 9, 29, 4, 0, 0, 253, 2, 2, 4, 1, 0], { mssBytes: 256 }],
  ['RFC 9293 §3.1: the wrong length for its kind is skipped', [2, 3, 9, 3, 2, 4, 3, 0, 8, 2, 5, 3, 0], {}],
  ['SACK of no block, and of half a one', [5, 2, 5, 6, 0, 0, 0, 0], {}],
  ['the last of two counts', [2, 4, 0, 1, 2, 4, 0, 2], { mssBytes: 2 }],
  ['MUST-7: length 0', [2, 0, 0, 0], null],
  ['MUST-7: length 1', [1, 1, 9, 1], null],
  ['MUST-7: over the end', [2, 5, 0, 0], null],
  ['MUST-7: the length is cut off', [1, 1, 1, 8], null],
  ['MUST-7: aligned, and one byte too long', [1, 1, 8, 11, 0, 0, 0, 1, 0, 0, 0, 2], null],
])('%s', (_, bytes, value) => {
  expect(read(bytes)).toEqual(value);
});

test('without SYN only timestamps and SACK count', () => {
  expect(read([2, 4, 5, 180, 4, 2, ...TS, 1, 3, 3, 7], false)).toEqual({ timestamps });
});

test('RFC 7413 §4.1.1: a cookie, asked for, and of a wrong length', () => {
  const got = new ReceivedOptions();
  const lengths = [2, 6, 18, 3, 4, 20].map((length) => {
    readOptions(header([34, length, ...new Array(length - 2).fill(7)]), 0, true, got);
    return [got.fastOpenBytes, got.fastOpenAt];
  });
  expect(lengths).toEqual([
    [0, 22],
    [4, 22],
    [16, 22],
    [-1, 0],
    [-1, 0],
    [-1, 0],
  ]);
});

test('what stood before an illegal length is read, as Linux does', () => {
  const got = new ReceivedOptions();
  expect(readOptions(header([2, 4, 0, 9, 8, 1, 0, 0]), 0, true, got)).toBe(false);
  expect(got.mssBytes).toBe(9);
});

test('RFC 2018 §3: 4 blocks fit, 3 beside timestamps', () => {
  expect([0, 12, 20, 36, 40].map(sackRoom)).toEqual([4, 3, 2, 0, 0]);
});

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const stamps = fc.option(fc.tuple(int32, int32), { nil: undefined });
const syn = fc.record(
  { mssBytes: fc.integer({ min: 1, max: 65535 }), windowScale: fc.integer({ min: 0, max: 14 }), sackPermitted: fc.constant(true as const) },
  { requiredKeys: ['mssBytes'] },
);
const other = fc.record({ sack: fc.array(fc.tuple(int32, int32), { minLength: 1, maxLength: 3 }) }, { requiredKeys: [] });

test('what is written is read', () => {
  fc.assert(
    fc.property(fc.oneof(syn, other), stamps, (said, timestamps) => {
      const value: OptionsValue = { ...said, ...(timestamps && { timestamps }) };
      const view = header([], 3);
      const lenBytes = emitOptionsValue(view, 3, value);
      expect(lenBytes % 4).toBe(0);
      setTcpHeaderBytesAndFlags(view, 3, 20 + lenBytes, 0);
      expect(parseOptionsValue(view, 3, 'mssBytes' in value)).toEqual(value);
    }),
  );
});

test('garbage: nothing thrown, nothing read from outside the header', () => {
  const near = fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 10, 18, 19, 29, 34);
  fc.assert(
    fc.property(fc.array(fc.oneof(near, fc.nat(255)), { maxLength: 40 }), fc.boolean(), (bytes, isSyn) => {
      const parsed = parseOptionsValue(header(bytes, 2, 0), 2, isSyn);
      expect(parseOptionsValue(header(bytes, 2, 255), 2, isSyn)).toEqual(parsed);
    }),
    { numRuns: 2000 },
  );
});

test('no garbage of ours, on the fast path and off it', () => {
  const got = new ReceivedOptions();
  const views = [header([1, 1, ...TS]), header([1, 1, ...TS, 1, 1, 5, 18, ...new Array(16).fill(9)])];
  expect(heapPerCall(0.2, (call) => readOptions(views[call & 1]!, 0, false, got))).toBeLessThan(0.2);
});
