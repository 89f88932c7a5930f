import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emitOptions, optionBytes, parseOptions } from './option-list.ts';
import { headerOptions } from './testing/arbitraries.ts';
import { toleratesGarbage } from './testing/garbage.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

const parse = (bytes: Uint8Array, offset: number, length: number) =>
  parseOptions(bytes, viewOf(bytes), offset, offset + length) ?? 'malformed';

test.each([
  ['00', 1],
  ['01', 1],
  ['02', 0],
  ['0200', 0],
  ['0201', 0],
  ['0202', 2],
  ['0203', 0],
  ['0204 05b4', 4],
  ['ffff', 0],
])('%s is %d bytes', (text, lenBytes) => {
  const bytes = hex(text);
  expect(optionBytes(viewOf(bytes), 0, bytes.length)).toBe(lenBytes);
});

test('what stands behind END does not count, nor does its being garbage', () => {
  expect(parse(hex('01 0204 05b4 00 02ff'), 0, 8)).toEqual([
    { kind: 1, data: hex('') },
    { kind: 2, data: hex('05b4') },
  ]);
});

test('parse(emit(x)) is x, in whole words', () => {
  fc.assert(
    fc.property(headerOptions, (options) => {
      const bytes = emitOptions('test', options);
      expect(bytes.length % 4).toBe(0);
      expect(parse(bytes, 0, bytes.length)).toEqual(options);
    }),
  );
});

test('garbage', () => {
  toleratesGarbage(
    parse,
    headerOptions.map((options) => emitOptions('test', options)),
  );
});

test.each([
  [{ kind: 0, data: hex('') }],
  [{ kind: 256, data: hex('') }],
  [{ kind: 1, data: hex('00') }],
  [{ kind: 2, data: new Uint8Array(39) }],
  [{ kind: 2, data: new Uint8Array(1_000_000) }],
])('EINVAL: %#', (option) => {
  expect(() => emitOptions('test', [option])).toThrow(expect.objectContaining({ name: 'NetError', code: 'EINVAL' }));
});

test('40 bytes fit, 41 do not', () => {
  const nops = (count: number) => new Array(count).fill({ kind: 1, data: hex('') });
  expect(emitOptions('test', nops(40))).toHaveLength(40);
  expect(() => emitOptions('test', nops(41))).toThrow('EINVAL: test is 44 bytes long: give at most 40');
});
