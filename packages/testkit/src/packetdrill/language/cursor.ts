import type { Position } from './syntax-error.ts';
import { ScriptSyntaxError } from './syntax-error.ts';

/** White space and the three kinds of comments; an open block comment reaches to the end. */
const BLANK = /(?:\s+|\/\/[^\n]*|#[^\n]*|\/\*[\s\S]*?(?:\*\/|$))+/;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/;

/**
 * Reads a script from front to end. The language has no one set of tokens: `S.` is flags in a packet and a name with a dot elsewhere, so who
 * reads says what he would take.
 */
export class Cursor {
  readonly file: string;
  readonly text: string;
  #offset = 0;
  readonly #sticky = new Map<RegExp, RegExp>();

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  get offset(): number {
    return this.#offset;
  }

  /** Goes back to where a reader stood. */
  back(offset: number): void {
    this.#offset = offset;
  }

  /** Where the next word stands. */
  get at(): Position {
    this.skip();
    return this.positionOf(this.#offset);
  }

  positionOf(offset: number): Position {
    const before = this.text.slice(0, offset);
    const line = before.split('\n').length;
    return { line, column: offset - before.lastIndexOf('\n') };
  }

  /** The next word stands on the line of the last one: an event may end with what the next begins with. */
  get isOnLine(): boolean {
    const start = this.#offset;
    this.skip();
    return !this.text.slice(start, this.#offset).includes('\n');
  }

  get atEnd(): boolean {
    this.skip();
    return this.#offset >= this.text.length;
  }

  /** Passes white space and comments. */
  skip(): void {
    const blank = this.#stickyOf(BLANK);
    blank.lastIndex = this.#offset;
    if (blank.test(this.text)) this.#offset = blank.lastIndex;
  }

  /** What a pattern fits that begins here, behind white space; null: it does not fit, and nothing is taken. */
  take(pattern: RegExp): string | null {
    this.skip();
    return this.takeHere(pattern);
  }

  /** The same without passing white space. */
  takeHere(pattern: RegExp): string | null {
    const sticky = this.#stickyOf(pattern);
    sticky.lastIndex = this.#offset;
    const found = sticky.exec(this.text);
    if (found === null || found[0] === '') return null;
    this.#offset = sticky.lastIndex;
    return found[0];
  }

  /** Takes a sign, if it stands here. */
  sign(text: string): boolean {
    this.skip();
    if (!this.text.startsWith(text, this.#offset)) return false;
    this.#offset += text.length;
    return true;
  }

  /** Takes a whole word, if it stands here. */
  word(text: string): boolean {
    if (this.peekWord() !== text) return false;
    this.#offset += text.length;
    return true;
  }

  /** The name that stands here; '' for none. */
  peekWord(): string {
    this.skip();
    const word = this.#stickyOf(WORD);
    word.lastIndex = this.#offset;
    return word.exec(this.text)?.[0] ?? '';
  }

  /** @throws ScriptSyntaxError */
  name(expected: string): string {
    return this.take(WORD) ?? this.fail(expected);
  }

  /** @throws ScriptSyntaxError */
  expect(text: string, expected = `'${text}'`): void {
    if (!this.sign(text)) this.fail(expected);
  }

  #stickyOf(pattern: RegExp): RegExp {
    const sticky = this.#sticky.get(pattern) ?? new RegExp(pattern.source, 'y');
    this.#sticky.set(pattern, sticky);
    return sticky;
  }

  /** Decimal or 0x. @throws ScriptSyntaxError where none stands here, or one above `most`. */
  integer(expected: string, most: number = 0xffffffff): number {
    const start = this.at;
    const text = this.take(/0[xX][0-9a-fA-F]+|\d+/) ?? this.fail(expected);
    const value = Number(text);
    if (value > most) throw new ScriptSyntaxError(this.file, start, `${expected} of at most ${most}`, text);
    return value;
  }

  /** @throws ScriptSyntaxError always: what was expected here. */
  fail(expected: string): never {
    const { at } = this;
    const rest = this.text.slice(this.#offset);
    const found = rest === '' ? 'the end of the script' : `'${(/^(?:[A-Za-z0-9_.]+|[\s\S])/.exec(rest) ?? [''])[0]}'`;
    throw new ScriptSyntaxError(this.file, at, expected, found);
  }
}
