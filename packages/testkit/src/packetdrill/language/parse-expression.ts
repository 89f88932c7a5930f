import type { Cursor } from './cursor.ts';
import type { BinarySign, Expression, RecordField, UnarySign } from './expression.ts';
import { BINARY_SIGNS } from './expression.ts';
import { ScriptSyntaxError } from './syntax-error.ts';

const NUMBER = /0[xX][0-9a-fA-F]+|\d+\.\d+|\d+/;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"/;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/;
/** So deep a script may nest: far more than any does, and no stack ends. */
const DEEPEST = 64;

/** @throws ScriptSyntaxError */
export function parseExpression(cursor: Cursor, depth = 0): Expression {
  if (depth > DEEPEST) cursor.fail(`an expression of at most ${DEEPEST} levels`);
  return parseBinary(cursor, 0, depth);
}

function parseBinary(cursor: Cursor, row: number, depth: number): Expression {
  const signs = BINARY_SIGNS[row];
  if (signs === undefined) return parseUnary(cursor, depth);
  let left = parseBinary(cursor, row + 1, depth);
  for (let sign = takeSign(cursor, signs); sign !== null; sign = takeSign(cursor, signs)) {
    left = { kind: 'binary', sign, left, right: parseBinary(cursor, row + 1, depth) };
  }
  return left;
}

function takeSign(cursor: Cursor, signs: readonly BinarySign[]): BinarySign | null {
  return signs.find((sign) => cursor.sign(sign)) ?? null;
}

function parseUnary(cursor: Cursor, depth: number): Expression {
  if (depth > DEEPEST) cursor.fail(`an expression of at most ${DEEPEST} levels`);
  const sign = (['-', '~', '&'] satisfies UnarySign[]).find((each) => cursor.sign(each));
  if (sign === undefined) return parsePrimary(cursor, depth);
  return { kind: 'unary', sign, operand: parseUnary(cursor, depth + 1) };
}

function parsePrimary(cursor: Cursor, depth: number): Expression {
  if (cursor.sign('...')) return { kind: 'ellipsis' };
  if (cursor.sign('(')) {
    const inner = parseExpression(cursor, depth + 1);
    cursor.expect(')');
    return inner;
  }
  if (cursor.sign('[')) return { kind: 'list', items: parseItems(cursor, ']', depth) };
  if (cursor.sign('{')) return { kind: 'record', fields: parseFields(cursor, depth) };
  const { at } = cursor;
  const number = cursor.take(NUMBER);
  if (number !== null) {
    if (Number(number) <= Number.MAX_SAFE_INTEGER) return numberOf(number);
    throw new ScriptSyntaxError(cursor.file, at, 'a number below 2^53', number);
  }
  const string = cursor.take(STRING);
  if (string !== null) return { kind: 'string', value: unquoted(string) };
  const name = cursor.take(WORD) ?? cursor.fail('a value');
  // Behind a space it is the note of a result.
  return cursor.takeHere(/\(/) !== null ? { kind: 'call', name, args: parseItems(cursor, ')', depth) } : { kind: 'name', name };
}

/** Up to the closing sign, which is taken. @throws ScriptSyntaxError */
export function parseItems(cursor: Cursor, close: string, depth = 0): Expression[] {
  const items: Expression[] = [];
  if (cursor.sign(close)) return items;
  for (;;) {
    items.push(parseExpression(cursor, depth + 1));
    if (cursor.sign(close)) return items;
    cursor.expect(',', `',' or '${close}'`);
  }
}

function parseFields(cursor: Cursor, depth: number): RecordField[] {
  const fields: RecordField[] = [];
  if (cursor.sign('}')) return fields;
  for (;;) {
    fields.push(parseField(cursor, depth + 1));
    if (cursor.sign('}')) return fields;
    cursor.expect(',', "',' or '}'");
  }
}

function parseField(cursor: Cursor, depth: number): RecordField {
  const start = cursor.offset;
  cursor.takeHere(/\s+/);
  cursor.sign('.');
  const name = cursor.take(WORD);
  if (name !== null) {
    const argument = cursor.sign('(') ? parseItems(cursor, ')', depth) : null;
    if (cursor.sign('=') && (argument === null || argument.length === 1)) {
      return { name, argument: argument?.[0] ?? null, value: parseExpression(cursor, depth) };
    }
  }
  cursor.back(start);
  return { name: null, argument: null, value: parseExpression(cursor, depth) };
}

function numberOf(text: string): Expression {
  const hex = /^0[xX]/.test(text);
  if (!hex && text.includes('.')) return { kind: 'real', value: Number(text) };
  return { kind: 'number', value: Number(text), hex };
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0' };

function unquoted(text: string): string {
  return text
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-fA-F]{2})|([\s\S]))/g, (_all, hex: string | undefined, other: string | undefined) =>
      hex === undefined ? (ESCAPES[other!] ?? other!) : String.fromCharCode(Number.parseInt(hex, 16)),
    );
}
