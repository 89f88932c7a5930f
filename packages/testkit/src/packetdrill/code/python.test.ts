import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ScriptFailure } from '../system/script-failure.ts';
import { Python } from './python.ts';

const NAMES = [
  ['tcpi_snd_cwnd', 10],
  ['tcpi_rto', 200_000],
  ['TCP_CA_Open', 0],
] as const;

test.each([
  'assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd',
  'assert tcpi_snd_cwnd == 10 and tcpi_rto >= 200 * 1000',
  'assert not tcpi_snd_cwnd < 10 or nothing == 3',
  'assert 9 < tcpi_snd_cwnd <= 10',
  'assert not 9 < tcpi_snd_cwnd < 10',
  'x = tcpi_snd_cwnd * 2 + 1\nassert x == 21 and x // 2 == 10 and x % 4 == 1 and x / 2 == 10.5',
  'assert (tcpi_snd_cwnd ==\n 10)',
  "assert 'cwnd %d, %s, %.1f' % (tcpi_snd_cwnd, 'x', 0.25) == 'cwnd 10, x, 0.3'",
  "assert len('abc') == 3 and len([1, 2]) == 2 and abs(-3) == 3 and max(1, 2) == 2",
  'assert tcpi_snd_cwnd in (9, 10) and 8 not in [9]',
  'assert (1 if tcpi_snd_cwnd == 10 else 0) == 1; assert -2 ** 2 == -4',
  'assert 0x10 | 1 == 17 and 7 & 3 == 3 and 1 << 4 == 16',
  "assert f'cwnd {tcpi_snd_cwnd} {tcpi_rto:08.1f} {1 + 1=} {{}}' == 'cwnd 10 200000.0 1 + 1=2 {}'",
  "assert '{} {1:>4} {0:d}'.format(1, 'a') == '1    a 1' and 'a,b'.split(',')[1] == 'b' and [1, 2, 3][-1] == 3 and 'abc'[1:] == 'bc'",
  'if tcpi_snd_cwnd > 10:\n  assert False\nelif tcpi_snd_cwnd == 10:\n  x = 1\n\n  # why\n  x += 2\nelse:\n  x = 0\nassert x == 3',
  'sum_ = 0\nfor i in range(1, 5):\n  if i == 2: continue\n  if i == 4:\n    break\n  sum_ += i\nassert sum_ == 4',
  'def twice(x):\n  y = x * 2\n  return y\n\nassert twice(tcpi_snd_cwnd) == 20; a, b = 1, 2\nassert a + b == 3',
  'i = 0\nwhile i < 3: i += 1\nassert i == 3 and sorted([3, 1]) == [1, 3] and all([1, True]) and not any([0])',
  "print tcpi_snd_cwnd, 1\nprint\nassert round(2.567, 1) == 2.6 and hex(255) == '0xff' and sum((1, 2)) == 3",
])('%s', (text) => {
  expect(() => new Python(NAMES).run(text)).not.toThrow();
});

test.each([
  ['assert tcpi_snd_cwnd == 11, "cwnd %d" % tcpi_snd_cwnd', 'assert tcpi_snd_cwnd == 11: cwnd 10'],
  ['assert unknown == 1', "there is no name 'unknown'"],
  ['assert 1 ==', 'a value is expected'],
  ['import os', "'import' is not known: there are no modules"],
  ['assert 1 / 0', 'a division by zero'],
  ['exec(1)', "there is no name 'exec'"],
  ['x = 3\nx(1)', '3 is no function'],
  ['while True: pass', 'has not ended after 1000000 steps'],
  ['def f(x):\n  return f(x)\nf(1)', 'more than 100 deep'],
  ['if 1:\nassert 1', 'a block that is indented is expected'],
  ['return 1', "'return', 'break' and 'continue'"],
  ['a, b = 1', '1 are not 2 values'],
  ["'a'.nothing()", "has no 'nothing'"],
  ['[1][5]', 'there is no item 5 of 1'],
])('%s', (text, sentence) => {
  expect(() => new Python(NAMES).run(text)).toThrow(sentence);
});

test('what is printed is kept', () => {
  const python = new Python(NAMES);
  python.run("print('cwnd', tcpi_snd_cwnd)\nprint(True, None)");
  expect(python.printed).toEqual(['cwnd 10', 'True None']);
});

test('garbage runs or is a ScriptFailure', () => {
  const words = [
    'assert',
    '1',
    '==',
    '(',
    ')',
    'not',
    'and',
    'x',
    '=',
    '%',
    "'a'",
    ',',
    '\n',
    '[',
    '**',
    '-',
    'if',
    'else',
    'in',
    'print',
    'for',
    ':',
    '\n  ',
    'def',
    'while',
    "f'{1}'",
    '[0]',
    '.',
  ];
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(fc.constantFrom(...words), { maxLength: 10 }).map((each) => each.join(' ')),
      ),
      (text) => {
        try {
          new Python(NAMES).run(text);
        } catch (error) {
          if (!(error instanceof ScriptFailure)) throw error;
        }
      },
    ),
    { numRuns: 1000 },
  );
});
