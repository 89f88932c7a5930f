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
