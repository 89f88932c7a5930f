import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../usage-error.ts';
import { bar } from './bar.ts';
import { count, duration } from './count.ts';
import { ansiPaint } from './paint.ts';
import { cut, table } from './table.ts';
import { splitWords } from './words.ts';

describe('table', () => {
  const columns = [{ title: 'NAME' }, { title: 'N', right: true }, { title: 'WHAT', cuts: true }];

  test('aligns, with a rule below the head', () => {
    const rows = [
      ['talk#1', '7', 'connections'],
      ['x', '12', ''],
    ];
    expect(table(columns, rows, { width: 100 })).toEqual([
      'NAME     N  WHAT',
      '------  --  -----------',
      'talk#1   7  connections',
      'x       12',
    ]);
  });

  test('without rows it is its head', () => {
    expect(table(columns, [], { width: 100 })).toEqual(['NAME  N  WHAT', '----  -  ----']);
  });

  test('no line is wider than the screen: columns that may be cut are, and all else at last', () => {
    const rows = [['a-name-that-is-long', '1', 'x'.repeat(200)]];
    for (const width of [100, 60, 30, 10]) {
      for (const line of table(columns, rows, { width })) expect(line.length).toBeLessThanOrEqual(width);
    }
    expect(table(columns, rows, { width: 40 })[2]).toBe('a-name-that-is-long  1  xxxxxxxxxxxxx...');
  });

  test('colours do not move columns', () => {
    const styled = [{ title: 'STATE', style: () => 'good' as const }, { title: 'NEXT' }];
    expect(table(styled, [['live', 'x']], { width: 100, paint: ansiPaint })[2]).toBe('\x1b[32mlive \x1b[0m  x');
  });

  test('is cut before it is painted, and loses its last columns where the least widths do not fit', () => {
    const styled = [{ title: 'NAME', style: () => 'good' as const }, { title: 'STATE' }, { title: 'N' }, { title: 'WHAT', cuts: true }];
    const rows = [['a-long-name', 'live', '1', 'x'.repeat(30)]];
    const widest = (width: number): number =>
      Math.max(...table(styled, rows, { width, paint: ansiPaint }).map((line) => stripVTControlCharacters(line).length));
    for (let width = 1; width < 60; width++) expect(widest(width)).toBeLessThanOrEqual(width);
    expect(table(styled, rows, { width: 31 })[0]).toBe('NAME         STATE  N  WHAT');
    expect(table(styled, rows, { width: 29 })[0]).toBe('NAME         STATE  N');
    expect(table(styled, rows, { width: 12, paint: ansiPaint })).toEqual(['NAME', '-----------', '\x1b[32ma-long-name\x1b[0m']);
    expect(table(styled, rows, { width: 8, paint: ansiPaint })[2]).toBe('\x1b[32ma-lon...\x1b[0m');
  });

  test('what modules say neither breaks a line nor speaks to the terminal', () => {
    expect(table([{ title: 'WHAT' }], [['a\nb\x1b[2Jc → d']], { width: 100 })[2]).toBe('a b [2Jc -> d');
  });
});

test('cut', () => {
  expect([cut('abcdef', 6), cut('abcdefg', 6), cut('abcdefg', 2), cut('abc', 0)]).toEqual(['abcdef', 'abc...', 'ab', '']);
});

test('bar: nothing to do is all done', () => {
  expect([bar(0, 4, 8), bar(1, 4, 8), bar(4, 4, 8), bar(0, 0, 4), bar(9, 4, 4)]).toEqual([
    '[--------]',
    '[##------]',
    '[########]',
    '[####]',
    '[####]',
  ]);
});

test('counts and durations', () => {
  expect([count(0, 'hold'), count(1, 'hold'), count(2, 'class')]).toEqual(['0 holds', '1 hold', '2 classes']);
  const kinds = ['frame', 'flows', 'queries', 'query', 'status', 'address'];
  expect(kinds.map((kind) => count(1, kind))).toEqual(['1 frame', '1 flow', '1 query', '1 query', '1 status', '1 address']);
  expect(kinds.map((kind) => count(2, kind)).join()).toBe('2 frames,2 flows,2 queries,2 queries,2 statuses,2 addresses');
  expect([duration(950), duration(12_340), duration(200_000)]).toEqual(['950 ms', '12.3 s', '3 min 20 s']);
});

describe('words of a line', () => {
  test.each([
    ['', []],
    ['  lsmod  ', ['lsmod']],
    ['modprobe "./my plugin/x.cjs"', ['modprobe', './my plugin/x.cjs']],
    [`a '' "b'c"d`, ['a', '', "b'cd"]],
  ])('%j', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  test('a quote that is left open is said', () => {
    expect(() => splitWords('modprobe "x')).toThrow(UsageError);
  });
});
