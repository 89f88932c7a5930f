import { formatIpv6, parseIpv6 } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LabelTable, usualLabelOf } from './label-table.ts';

const entry = (text: string, prefixLen: number, label = 0, ifindex = 0) => ({ prefix: parseIpv6(text)!, prefixLen, label, ifindex });

/** Mostly near what the table names. */
const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const firsts = [0, 0xffff, 0x20010000, 0x20020000, 0x3ffe0000, 0xfec00000, 0xfeb00000, 0xfc000000, 0xfd000000, 0xff050000, 0xfe800000];
const address = fc.tuple(
  fc.oneof(word, fc.constantFrom(...firsts.map((each) => each | 0))),
  fc.constantFrom(0, 1, 7),
  fc.constantFrom(0, 0xffff, 9),
  fc.constantFrom(0, 1, 2),
);

test('what is quick for the usual table is what its lines say', () => {
  const walked = new LabelTable();
  walked.items = [...walked.items];
  fc.assert(fc.property(address, (words) => walked.labelOf(...words, 1) === usualLabelOf(...words)));
});

test('the longest prefix counts, of two the one of the device; what is not said of any has none', () => {
  const table = new LabelTable();
  const of = (text: string, ifindex = 1): number => table.labelOf(...parseIpv6(text)!, ifindex);
  table.add(entry('2001:db8::', 32, 7));
  table.add(entry('2001:db8:1::', 48, 8));
  table.add(entry('2001:db8:1::', 48, 9, 2));
  expect([of('2001:db8::1'), of('2001:db8:1::1'), of('2001:db8:1::1', 2), of('2001:db9::1'), of('fd00::1')]).toEqual([7, 8, 9, 1, 13]);
  table.remove(entry('2001:db8:1::', 48));
  expect([of('2001:db8:1::1'), of('2001:db8:1::1', 2)]).toEqual([7, 9]);
  for (const each of [...table.items]) table.remove(each);
  expect(of('2001:db8::1')).toBe(0xffffffff);
});

test('bits behind the prefix do not count; what cannot be is refused', () => {
  const table = new LabelTable();
  table.add(entry('2001:db8::99', 32, 7));
  expect(formatIpv6(...table.items.find(({ label }) => label === 7)!.prefix)).toBe('2001:db8::');
  expect(() => table.add(entry('2001:db8::', 32, 8))).toThrow('EEXIST: 2001:db8::/32 has label 7');
  expect(() => table.add(entry('::', 129, 8))).toThrow('EINVAL');
  expect(() => table.add(entry('::', 9, 0xffffffff))).toThrow('EINVAL');
  expect(() => table.remove(entry('2001:db8::', 33))).toThrow('ENOENT');
  const left = 256 - table.items.length;
  for (let i = 0; i < left; i++) table.add(entry(`fd00:${i.toString(16)}::`, 32, i));
  expect(() => table.add(entry('fd01::', 16, 8))).toThrow('ENOBUFS');
});
