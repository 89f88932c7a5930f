import { ScriptFailure } from '../system/script-failure.ts';
import type { PythonToken } from './python-lexer.ts';

/** Reads the words of Python one after the other. */
export class PythonWords {
  readonly #tokens: readonly PythonToken[];
  #at = 0;

  constructor(tokens: readonly PythonToken[]) {
    this.#tokens = tokens;
  }

  get peek(): PythonToken {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '', line: this.#tokens.at(-1)?.line ?? 1 };
  }

  get next(): PythonToken | undefined {
    return this.#tokens[this.#at + 1];
  }

  get isOver(): boolean {
    return this.#at >= this.#tokens.length;
  }

  get at(): number {
    return this.#at;
  }

  /** The words from there on, as text. */
  since(at: number): string {
    return this.#tokens
      .slice(at, this.#at)
      .map(({ text }) => text)
      .join(' ');
  }

  skip(): PythonToken {
    const token = this.peek;
    this.#at++;
    return token;
  }

  /** The words up to and with the first '=' of the line, where they are as the pattern says, and skips them; null: they are not. */
  ahead(pattern: RegExp): string[] | null {
    const rest = this.#tokens.slice(this.#at);
    const end = rest.findIndex(({ kind, text }) => kind === 'end' || (kind === 'sign' && text === '='));
    const words = rest.slice(0, end + 1).map(({ text }) => text);
    if (end < 0 || rest[end]!.kind === 'end' || !pattern.test(words.join(' '))) return null;
    this.#at += words.length;
    return words;
  }

  /** A sign or a keyword, if it is next. */
  take(text: string): boolean {
    if (!this.isNext(text)) return false;
    this.#at++;
    return true;
  }

  /** Whether a sign or a keyword is next. */
  isNext(text: string): boolean {
    const { kind, text: found } = this.peek;
    return found === text && (kind === 'name' || kind === 'sign');
  }

  takeKind(kind: PythonToken['kind']): boolean {
    if (this.isOver || this.peek.kind !== kind) return false;
    this.#at++;
    return true;
  }

  expect(text: string): void {
    if (!this.take(text)) throw this.unexpected(`'${text}'`);
  }

  name(): string {
    if (this.peek.kind !== 'name') throw this.unexpected('a name');
    return this.skip().text;
  }

  unexpected(expected: string): ScriptFailure {
    const { kind, text } = this.peek;
    return new ScriptFailure(`in the code ${expected} is expected, not ${kind === 'end' ? 'the end of the line' : `'${text}'`}`);
  }
}
