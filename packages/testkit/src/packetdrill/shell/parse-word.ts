import { ScriptFailure } from '../system/script-failure.ts';
import type { ShellNode, Word, WordPart } from './shell-syntax.ts';

/** Characters that end a word that is not quoted. */
const ENDS = ' \t\n;&|<>()';

/** Reads the words of shell text, and what stands between them. */
export class ShellWords {
  readonly text: string;
  readonly #command: (text: string) => ShellNode;
  at = 0;

  /** @param command reads the text of `$(...)`. */
  constructor(text: string, command: (text: string) => ShellNode) {
    this.text = text;
    this.#command = command;
  }

  fail(expected: string): ScriptFailure {
    const rest = this.text.slice(this.at, this.at + 20);
    return new ScriptFailure(`in the shell line ${expected} is expected${rest === '' ? ' at its end' : `, not '${rest}'`}`);
  }

  get char(): string {
    return this.text[this.at] ?? '';
  }

  get isOver(): boolean {
    return this.at >= this.text.length;
  }

  /** Blanks, comments, and lines that go on. */
  blanks(): void {
    const found = /(?:[ \t]|\\\n)*(?:(?<=^|[\s;&|()])#[^\n]*)?/y;
    found.lastIndex = this.at;
    this.at += found.exec(this.text)?.[0].length ?? 0;
  }

  /** The longest of these that is next, skipped; null: none is. */
  take(...signs: readonly string[]): string | null {
    this.blanks();
    const found = signs.find((sign) => this.text.startsWith(sign, this.at));
    if (found === undefined) return null;
    this.at += found.length;
    return found;
  }

  /** Whether a word is next that is exactly this, and not quoted. */
  isNext(keyword: string): boolean {
    this.blanks();
    const end = this.at + keyword.length;
    return this.text.startsWith(keyword, this.at) && (end >= this.text.length || ENDS.includes(this.text[end]!));
  }

  takeKeyword(keyword: string): boolean {
    if (!this.isNext(keyword)) return false;
    this.at += keyword.length;
    return true;
  }

  /** The next word; null: none is next. */
  word(): Word | null {
    this.blanks();
    const parts: WordPart[] = [];
    while (!this.isOver && !ENDS.includes(this.char)) this.#part(parts, false);
    return parts.length === 0 ? null : parts;
  }

  #part(parts: WordPart[], quoted: boolean): void {
    const { char } = this;
    if (char === '$') parts.push(this.#dollar(quoted));
    else if (char === '`') parts.push({ kind: 'command', body: this.#command(this.#until('`')), quoted });
    else if (char === '\\') {
      this.at += 2;
      const escaped = this.text[this.at - 1] ?? '';
      // Within quotes it escapes only what would mean something there.
      parts.push({ kind: 'text', text: quoted && !'$`"\\\n'.includes(escaped) ? `\\${escaped}` : escaped, quoted: true });
    } else if (quoted) parts.push({ kind: 'text', text: this.#plain('"$`\\'), quoted });
    else if (char === "'") parts.push({ kind: 'text', text: this.#until("'"), quoted: true });
    else if (char === '"') this.#quoted(parts);
    else parts.push({ kind: 'text', text: this.#plain(`${ENDS}$\`\\'"`), quoted });
  }

  #quoted(parts: WordPart[]): void {
    this.at++;
    parts.push({ kind: 'text', text: '', quoted: true });
    while (this.char !== '"') {
      if (this.isOver) throw this.fail("'\"'");
      this.#part(parts, true);
    }
    this.at++;
  }

  #plain(ends: string): string {
    const start = this.at;
    while (!this.isOver && !ends.includes(this.char)) this.at++;
    return this.text.slice(start, this.at);
  }

  #until(mark: string): string {
    const end = this.text.indexOf(mark, this.at + 1);
    if (end < 0) throw this.fail(`a second ${mark}`);
    const found = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return found;
  }

  #dollar(quoted: boolean): WordPart {
    if (this.text.startsWith('$((', this.at)) return { kind: 'arithmetic', body: this.#arithmetic(), quoted };
    if (this.text.startsWith('$(', this.at)) return { kind: 'command', body: this.#command(this.#balanced(this.at + 2, ')')), quoted };
    if (this.text.startsWith('${', this.at)) return this.#braced(quoted);
    const found = /\$([A-Za-z_]\w*|[0-9?$#@*!])?/y;
    found.lastIndex = this.at;
    const [all, name] = found.exec(this.text)!;
    this.at += all.length;
    return name === undefined ? { kind: 'text', text: '$', quoted } : { kind: 'variable', name, fallback: null, quoted };
  }

  #braced(quoted: boolean): WordPart {
    const [, name, , fallback] = /^(\w+|[?$#@*])(:?-([\s\S]*))?$/.exec(this.#balanced(this.at + 2, '}')) ?? [];
    if (name === undefined) throw this.fail("a name, or a name with ':-' and what stands in its place, in braces");
    return { kind: 'variable', name, fallback: fallback === undefined ? null : this.#inner(fallback), quoted };
  }

  #arithmetic(): Word {
    const text = this.#balanced(this.at + 3, ')');
    if (this.char !== ')') throw this.fail("'))'");
    this.at++;
    return this.#inner(text);
  }

  /** A text of its own, quoted as a whole. */
  #inner(text: string): Word {
    const words = new ShellWords(text, this.#command);
    const parts: WordPart[] = [];
    while (!words.isOver) {
      if (words.char === '"') words.at++;
      else words.#part(parts, true);
    }
    return parts;
  }

  /** The text up to the bracket that closes. */
  #balanced(start: number, close: ')' | '}'): string {
    const open = close === ')' ? '(' : '{';
    let depth = 1;
    for (this.at = start; !this.isOver; this.at++) {
      if (this.char === "'" && close === ')') this.at = Math.max(this.text.indexOf("'", this.at + 1), this.at);
      else if (this.char === open) depth++;
      else if (this.char === close && --depth === 0) return this.text.slice(start, this.at++);
    }
    throw this.fail(`'${close}'`);
  }
}
