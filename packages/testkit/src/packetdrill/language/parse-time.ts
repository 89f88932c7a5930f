import type { Cursor } from './cursor.ts';
import type { EventTime } from './script.ts';
import { ScriptSyntaxError } from './syntax-error.ts';

/** Seconds; the dots of `0.1...0.2` are not its own. */
const SECONDS = /\d+(?:\.\d+)?|\.\d+/;
/** Ten days: longer than any script, and far from where integers end. */
const MOST_SECONDS = 864_000;

/** `0.1`, `+0.1`, `*`, `0.1~0.2`, `+0.1~+0.2`. @throws ScriptSyntaxError */
export function parseTime(cursor: Cursor): EventTime {
  if (cursor.sign('*')) return { kind: 'any', startUs: 0, endUs: null };
  const kind = cursor.sign('+') ? 'relative' : 'absolute';
  const startUs = parseUs(cursor, "a time: '0.1', '+0.1' or '*'");
  if (!cursor.sign('~')) return { kind, startUs, endUs: null };
  if (kind === 'relative') cursor.expect('+', "'+' of a relative time");
  const { at } = cursor;
  const endUs = parseUs(cursor, 'the end of a range of times');
  if (endUs < startUs) throw new ScriptSyntaxError(cursor.file, at, 'an end that is not before the start', printUs(endUs));
  return { kind, startUs, endUs };
}

/** `...0.2` behind the time of a call that blocks. Null: there is none. @throws ScriptSyntaxError */
export function parseUntil(cursor: Cursor, time: EventTime): number | null {
  if (!cursor.sign('...')) return null;
  const { at } = cursor;
  cursor.sign('+');
  const untilUs = parseUs(cursor, 'when the call returns');
  if (untilUs < time.startUs) throw new ScriptSyntaxError(cursor.file, at, 'an end that is not before the start', printUs(untilUs));
  return untilUs;
}

function parseUs(cursor: Cursor, expected: string): number {
  const { at } = cursor;
  const text = cursor.take(SECONDS) ?? cursor.fail(expected);
  const [whole, part = ''] = text.split('.');
  if (part.length > 6 && /[1-9]/.test(part.slice(6))) throw new ScriptSyntaxError(cursor.file, at, 'a time in whole microseconds', text);
  if (Number(whole) > MOST_SECONDS) throw new ScriptSyntaxError(cursor.file, at, `a time of at most ${MOST_SECONDS} seconds`, text);
  return Number(whole) * 1_000_000 + Number(part.slice(0, 6).padEnd(6, '0'));
}

/** Seconds, as scripts write them. */
export function printUs(us: number): string {
  const part = String(us % 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return `${Math.floor(us / 1_000_000)}${part === '' ? '' : `.${part}`}`;
}
