import { expect, test } from 'vitest';
import { wrap } from './wrap.ts';

test('breaks at words, and indents what goes on', () => {
  expect(wrap('one two three four', 9)).toEqual(['one two', '  three', '  four']);
  expect(wrap('one two', 7)).toEqual(['one two']);
  expect(wrap('  park  one two', 10, '        ')).toEqual(['  park', '     one', '     two']);
  expect(wrap('', 5)).toEqual(['']);
});

test('a word that is wider than all is broken', () => {
  expect(wrap('see /a/b/c/d/e', 6)).toEqual(['see', '  /a/b', '  /c/d', '  /e']);
  expect(wrap('0a:1b:2c:3d', 7, ''), 'behind a colon').toEqual(['0a:1b:', '2c:3d']);
  for (const width of [1, 2, 3, 7, 20]) {
    const lines = wrap('    wide-word and such', width, ' '.repeat(10));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
  }
});
