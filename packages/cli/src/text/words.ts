import { UsageError } from '../usage-error.ts';

/**
 * The words of a line as a shell takes them: split at blanks; quotes, single or double, keep blanks together.
 * @throws UsageError when a quote is left open.
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (const char of line) {
    if (quote !== '') {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (char.trim() === '') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== '') throw new UsageError(`a quote (${quote}) is left open`);
  if (word !== undefined) words.push(word);
  return words;
}
