import { NetError } from '@softnet/contract';
import type { Bundle } from '../api.ts';
import { describeThrown } from './describe-value.ts';

const EXCERPT_CHARS = 80;

/** Where a text fails to parse, counted from 1. */
interface Place {
  readonly line: number;
  readonly column: number | undefined;
  /** The text around it, as far as the column is known. */
  readonly excerpt: string;
}

/** The error of a bundle that does not parse: where, the text there, and what to do. EINVAL. */
export function parseError(bundle: Bundle, thrown: unknown): NetError {
  const place = findPlace(bundle, thrown);
  const at = [bundle.filename, place?.line, place?.column].filter((part) => part !== undefined).join(':');
  const expected = 'a plugin must be one CommonJS file of JavaScript';
  return new NetError(
    'EINVAL',
    `${at} does not parse: ${describeThrown(thrown)}${place?.excerpt ?? ''}; ${expected}. ${adviceFor(bundle.code, place)}`,
    { cause: thrown },
  );
}

function adviceFor(code: string, place: Place | undefined): string {
  if (looksLikeEsm(code)) {
    return ESM_ADVICE;
  }
  const unknown = place !== undefined && place.column === undefined;
  return `Build it again (tsup: format cjs)${unknown ? ', without minifying, to see where' : ', and look at that place in it'}.`;
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

/** Node writes `file:line`, the line, and carets beneath, at the head of the stack of an error of `vm`. Other engines say nothing. */
function findPlace({ filename, code }: Bundle, thrown: unknown): Place | undefined {
  const stack = thrown instanceof Error && typeof thrown.stack === 'string' ? thrown.stack : '';
  const [head = '', , underline = ''] = stack.slice(filename.length + 1).split('\n', 3);
  const line = Number(head);
  if (!stack.startsWith(`${filename}:`) || !Number.isInteger(line) || line < 1) {
    return undefined;
  }
  const text = code.split(/\r\n|[\n\r\u2028\u2029]/)[line - 1] ?? '';
  const caret = underline.indexOf('^');
  // No caret: at the end of the line; or further right than Node underlines (1020 characters).
  const index = caret >= 0 || underline.length < text.length ? caret : underline.length;
  return index < 0 ? { line, column: undefined, excerpt: '' } : { line, column: index + 1, excerpt: ` at \`${excerptOf(text, index)}\`` };
}

/** A part of the line: some bundles are one line of a hundred thousand characters. */
function excerptOf(text: string, index: number): string {
  const from = Math.max(0, Math.min(index - EXCERPT_CHARS / 2, text.length - EXCERPT_CHARS));
  const part = text.slice(from, from + EXCERPT_CHARS);
  return `${from > 0 ? '…' : ''}${part.trim()}${from + EXCERPT_CHARS < text.length ? '…' : ''}`;
}
