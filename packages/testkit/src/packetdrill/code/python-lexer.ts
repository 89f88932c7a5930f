import { ScriptFailure } from '../system/script-failure.ts';

/** A word of Python. `text` of a string is without its quotes; an 'fstring' has its braces yet. `line` counts from 1. */
export interface PythonToken {
  readonly kind: 'number' | 'string' | 'fstring' | 'name' | 'sign' | 'end' | 'indent' | 'dedent';
  readonly text: string;
  readonly line: number;
}

const TOKEN =
  /[ \t]*(?:(#[^\n]*)|(\n|;)|(0[xX][0-9a-fA-F]+|0[bB][01]+|\d[\d_]*\.\d*(?:[eE][-+]?\d+)?|\.\d+|\d[\d_]*(?:[eE][-+]?\d+)?)|([fFrRbBuU]{0,2})("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|([A-Za-z_]\w*)|(\*\*|\/\/|<<|>>|<=|>=|==|!=|->|[-+*/%&|^]=|[-+*/%<>()=,&|^~[\]{}:.@]))/;

/** The words of a piece of Python; lines are ended by 'end', blocks stand between 'indent' and 'dedent'. @throws ScriptFailure */
export function readPython(text: string): PythonToken[] {
  return new PythonLexer(text).read();
}

class PythonLexer {
  readonly #source: string;
  readonly #tokens: PythonToken[] = [];
  readonly #indents: number[] = [];
  #depth = 0;
  #line = 1;

  constructor(text: string) {
    this.#source = text.replaceAll('\\\n', ' ').trimEnd();
  }

  read(): PythonToken[] {
    const token = new RegExp(TOKEN.source, 'y');
    let at = this.#indentAt(0);
    while (at < this.#source.length) {
      token.lastIndex = at;
      const found = token.exec(this.#source);
      if (found === null) throw new ScriptFailure(`the code cannot be read from '${this.#source.slice(at, at + 20).trim()}' on`);
      this.#add(found);
      at = found[2] === '\n' && this.#depth === 0 ? this.#indentAt(token.lastIndex) : token.lastIndex;
      this.#line += found[0].split('\n').length - 1;
    }
    this.#push('end', '');
    while (this.#indents.length > 1) this.#dedent();
    return this.#tokens;
  }

  #push(kind: PythonToken['kind'], text: string): void {
    this.#tokens.push({ kind, text, line: this.#line });
  }

  #add([, comment, end, number, prefix, quoted, name, sign]: RegExpExecArray): void {
    if (comment !== undefined || (end === '\n' && this.#depth > 0)) return;
    if (end !== undefined) this.#push('end', end);
    else if (number !== undefined) this.#push('number', number.replaceAll('_', ''));
    else if (quoted !== undefined) this.#string(prefix!.toLowerCase(), quoted);
    else if (name !== undefined) this.#push('name', name);
    else if (sign !== undefined) {
      if ('([{'.includes(sign)) this.#depth++;
      if (')]}'.includes(sign)) this.#depth--;
      this.#push('sign', sign);
    }
  }

  #string(prefix: string, quoted: string): void {
    const marks = quoted.startsWith('"""') || quoted.startsWith("'''") ? 3 : 1;
    const inner = quoted.slice(marks, -marks);
    this.#push(prefix.includes('f') ? 'fstring' : 'string', prefix.includes('r') ? inner : unescaped(inner));
  }

  /** At the beginning of a line: what its blanks say, where it is not empty. @returns where it goes on. */
  #indentAt(start: number): number {
    let at = start;
    for (;;) {
      const [blanks] = /^[ \t]*/.exec(this.#source.slice(at))!;
      const next = this.#source[at + blanks.length];
      if (next !== '\n' && next !== '#') {
        if (next !== undefined) this.#indent(blanks.replaceAll('\t', '        ').length);
        return at + blanks.length;
      }
      const end = this.#source.indexOf('\n', at);
      if (end < 0) return this.#source.length;
      at = end + 1;
      this.#line++;
    }
  }

  #indent(width: number): void {
    const now = this.#indents.at(-1);
    if (now === undefined) this.#indents.push(width);
    else if (width > now) {
      this.#indents.push(width);
      this.#push('indent', '');
    }
    while (width < this.#indents.at(-1)! && this.#indents.length > 1) this.#dedent();
  }

  #dedent(): void {
    this.#indents.pop();
    this.#push('dedent', '');
  }
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_all, char: string) => (char === 'n' ? '\n' : char === 't' ? '\t' : char));
}
