import { Cursor } from './cursor.ts';
import { parseExpression, parseItems } from './parse-expression.ts';
import { parsePacket } from './parse-packet.ts';
import { parseTime, parseUntil } from './parse-time.ts';
import type { EventBody, Script, ScriptEvent, ScriptOption, SyscallSpec } from './script.ts';
import { ScriptSyntaxError } from './syntax-error.ts';

/** A name behind a result, as errno's are. */
const ERRNO_NAME = /E[A-Z0-9]+(?!\w)/;

/**
 * Reads a packetdrill script.
 * @param file its name, for errors.
 * @throws ScriptSyntaxError
 */
export function parseScript(file: string, text: string): Script {
  const cursor = new Cursor(file, text);
  const options = parseOptions(cursor);
  const setup = cursor.sign('`') ? parseShell(cursor) : null;
  const events: ScriptEvent[] = [];
  while (!cursor.atEnd) events.push(parseEvent(cursor));
  return { file, options, setup, events };
}

function parseOptions(cursor: Cursor): ScriptOption[] {
  const options: ScriptOption[] = [];
  for (let { at } = cursor; cursor.sign('--'); at = cursor.at) {
    const name = cursor.takeHere(/[a-z][a-z0-9_]*/) ?? cursor.fail("the name of an option, as in '--mtu=1500'");
    const value = cursor.takeHere(/=[^\s]*/);
    options.push({ name, value: value?.slice(1) ?? null, at });
  }
  return options;
}

function parseEvent(cursor: Cursor): ScriptEvent {
  const { at } = cursor;
  const time = parseTime(cursor);
  const untilUs = parseUntil(cursor, time);
  const body = parseBody(cursor);
  if (untilUs !== null && body.kind !== 'syscall') throw new ScriptSyntaxError(cursor.file, at, "a call behind 'a...b'", `a ${body.kind}`);
  if (time.endUs !== null && body.kind !== 'packet')
    throw new ScriptSyntaxError(cursor.file, at, "a packet behind 'a~b'", `a ${body.kind}`);
  return { at, time, untilUs, body };
}

function parseBody(cursor: Cursor): EventBody {
  if (cursor.sign('<')) return { kind: 'packet', packet: parsePacket(cursor, 'in') };
  if (cursor.sign('>')) return { kind: 'packet', packet: parsePacket(cursor, 'out') };
  if (cursor.sign('`')) return { kind: 'shell', text: parseShell(cursor) };
  if (cursor.sign('%{')) return { kind: 'code', text: parseEnclosed(cursor, '}%') };
  if (cursor.peekWord() === '') cursor.fail("'<', '>', a call, '`' or '%{'");
  return { kind: 'syscall', call: parseSyscall(cursor) };
}

function parseShell(cursor: Cursor): string {
  return parseEnclosed(cursor, '`');
}

function parseEnclosed(cursor: Cursor, close: string): string {
  const start = cursor.offset;
  const end = cursor.text.indexOf(close, start);
  if (end < 0) {
    cursor.back(cursor.text.length);
    cursor.fail(`'${close}'`);
  }
  cursor.back(end + close.length);
  return cursor.text.slice(start, end);
}

function parseSyscall(cursor: Cursor): SyscallSpec {
  const name = cursor.name('the name of a call');
  cursor.expect('(');
  const args = parseItems(cursor, ')');
  cursor.expect('=');
  const result = parseExpression(cursor);
  const errno = cursor.take(ERRNO_NAME);
  let note: string | null = null;
  if (cursor.sign('(')) {
    note = cursor.takeHere(/[^)\n]*/) ?? '';
    cursor.expect(')');
  }
  return { name, args, result, errno, note };
}
