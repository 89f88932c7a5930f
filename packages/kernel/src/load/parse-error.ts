import { NetError } from '@softnet/contract';
import type { Bundle } from '../api.ts';
import { describeThrown } from './describe-value.ts';

const EXCERPT_CHARS = 80;

/** Where a text fails to parse, counted from 1. */
interface Place {
  readonly line: number;
  readonly column: number;
}

/** The error of a bundle that does not parse: where, the text there, and what to do. EINVAL. */
export function parseError(bundle: Bundle, thrown: unknown): NetError {
  const place = findPlace(bundle.filename, thrown);
  const at = place === undefined ? bundle.filename : `${bundle.filename}:${place.line}:${place.column}`;
  const excerpt = place === undefined ? '' : ` at \`${excerptAt(bundle.code, place)}\``;
  const advice = looksLikeEsm(bundle.code) ? ESM_ADVICE : 'Build it again (tsup: format cjs), and look at that place in it.';
  const expected = 'a plugin must be one CommonJS file of JavaScript';
  return new NetError('EINVAL', `${at} does not parse: ${describeThrown(thrown)}${excerpt}; ${expected}. ${advice}`, { cause: thrown });
}

/** What to do with an ES module. */
export const ESM_ADVICE =
  'It is an ES module, and code loaded by import() can never be collected: build it as CommonJS (tsup src/module.ts --format cjs).';

/** True where lines begin as those of an ES module do. Ask it only of what is known not to be CommonJS: strings may hold such lines. */
export function looksLikeEsm(code: string): boolean {
  return /^\s*(?:import\s*(?:[\w$]+\s*(?:,|from\b)|[{*'"])|export\s*(?:[{*]|default\b|const\b|let\b|var\b|class\b|function\b|async\b))/m.test(
    code,
  );
}

/** Node writes `file:line`, the line, and carets beneath at the head of the stack of an error of `vm`. Other engines say nothing. */
function findPlace(filename: string, thrown: unknown): Place | undefined {
  const stack = thrown instanceof Error && typeof thrown.stack === 'string' ? thrown.stack : '';
  if (!stack.startsWith(`${filename}:`)) {
    return undefined;
  }
  const [head, , carets] = stack.slice(filename.length + 1).split('\n', 3);
  const line = Number(head);
  if (!Number.isInteger(line) || line < 1) {
    return undefined;
  }
  const caret = carets?.search(/\^/) ?? -1;
  return { line, column: 1 + (caret >= 0 ? caret : (carets?.length ?? 0)) };
}

/** The line's text around the place: a minified bundle is one line of a hundred thousand characters. */
function excerptAt(code: string, { line, column }: Place): string {
  const text = code.split(/\r\n|[\n\r\u2028\u2029]/)[line - 1] ?? '';
  const from = Math.max(0, Math.min(column - 1 - EXCERPT_CHARS / 2, text.length - EXCERPT_CHARS));
  const part = text.slice(from, from + EXCERPT_CHARS);
  return `${from > 0 ? '…' : ''}${part.trim()}${from + EXCERPT_CHARS < text.length ? '…' : ''}`;
}
