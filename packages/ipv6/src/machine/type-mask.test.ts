import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TypeMask } from './type-mask.ts';

const typesOf = (mask: TypeMask) => Array.from({ length: 256 }, (_, type) => type).filter((type) => mask.has(type));

test.each([
  ['', []],
  ['3', [3]],
  ['0-1, 3-4,255', [0, 1, 3, 4, 255]],
])("'%s'", (text, types) => {
  const mask = new TypeMask();
  expect([mask.read(text), typesOf(mask)]).toEqual([true, types]);
});

test.each(['x', '1-', '-1', '2-1', '256', '0-256', '1,,2', '1;2'])("'%s' says nothing, and changes nothing", (text) => {
  const mask = new TypeMask();
  mask.read('7');
  expect([mask.read(text), typesOf(mask)]).toEqual([false, [7]]);
});

test('whatever it is given, it throws nothing', () => {
  fc.assert(fc.property(fc.string(), (text) => typeof new TypeMask().read(text) === 'boolean'));
});
