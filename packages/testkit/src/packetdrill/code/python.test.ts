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
])('%s', (text) => {
  expect(() => new Python(NAMES).run(text)).not.toThrow();
});

test.each([
  ['assert tcpi_snd_cwnd == 11, "cwnd %d" % tcpi_snd_cwnd', 'assert tcpi_snd_cwnd == 11: cwnd 10'],
  ['assert unknown == 1', "there is no name 'unknown'"],
  ['assert 1 ==', 'a value is expected'],
  ['import os', "the end of the line is expected, not 'os'"],
  ['assert 1 / 0', 'a division by zero'],
  ['exec(1)', "there is no function 'exec'"],
])('%s', (text, sentence) => {
  expect(() => new Python([...NAMES, ['import', 1]]).run(text)).toThrow(sentence);
});

test('what is printed is kept', () => {
  const python = new Python(NAMES);
  python.run("print('cwnd', tcpi_snd_cwnd)\nprint(True, None)");
  expect(python.printed).toEqual(['cwnd 10', 'True None']);
});

test('garbage runs or is a ScriptFailure', () => {
  const words = ['assert', '1', '==', '(', ')', 'not', 'and', 'x', '=', '%', "'a'", ',', '\n', '[', '**', '-', 'if', 'else', 'in', 'print'];
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
