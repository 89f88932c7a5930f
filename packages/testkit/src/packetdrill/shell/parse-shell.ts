import { ScriptFailure } from '../system/script-failure.ts';
import { ShellWords } from './parse-word.ts';
import type { Redirection, ShellNode, SimpleCommand, Word } from './shell-syntax.ts';

/** So deep commands may nest. */
const DEEPEST = 20;
const KEYWORDS: readonly string[] = ['then', 'elif', 'else', 'fi', 'do', 'done', '}'];

/** Reads shell text: lists, `&&`, `||`, `!`, pipes, if, for, while, groups, redirections. @throws ScriptFailure */
export function parseShell(text: string, depth = 0): ShellNode {
  if (depth > DEEPEST) throw new ScriptFailure(`the shell line is more than ${DEEPEST} levels deep`);
  return new ShellParser(text, depth).all();
}

class ShellParser {
  readonly #words: ShellWords;
  readonly #start: number;
  #depth: number;

  constructor(text: string, depth: number) {
    this.#words = new ShellWords(text, (inner) => parseShell(inner, this.#depth + 1));
    this.#start = depth;
    this.#depth = depth;
  }

  all(): ShellNode {
    const list = this.#list();
    if (!this.#words.isOver || this.#depth !== this.#start) throw this.#words.fail('a command');
    return list;
  }

  #list(): ShellNode {
    const items: ShellNode[] = [];
    for (;;) {
      while (this.#words.take('\n', ';') !== null);
      if (this.#words.isOver || this.#words.char === ')' || KEYWORDS.some((each) => this.#words.isNext(each))) break;
      items.push(this.#logic());
      if (this.#words.take('\n', ';') === null && !this.#words.isOver && this.#words.char !== ')') throw this.#words.fail("';'");
    }
    return { kind: 'list', items };
  }

  #logic(): ShellNode {
    let left = this.#pipe();
    for (;;) {
      const sign = this.#words.take('&&', '||');
      if (sign === null) return left;
      while (this.#words.take('\n') !== null);
      left = { kind: sign === '&&' ? 'and' : 'or', left, right: this.#pipe() };
    }
  }

  #pipe(): ShellNode {
    const isNot = this.#words.takeKeyword('!');
    const items = [this.#command()];
    while (!this.#words.text.startsWith('||', this.#words.at) && this.#words.take('|') !== null) items.push(this.#command());
    const item: ShellNode = items.length === 1 ? items[0]! : { kind: 'pipe', items };
    return isNot ? { kind: 'not', item } : item;
  }

  #command(): ShellNode {
    if (++this.#depth > DEEPEST) throw new ScriptFailure(`the shell line is more than ${DEEPEST} levels deep`);
    const command = this.#compound() ?? this.#simple();
    this.#words.blanks();
    this.#depth--;
    return command;
  }

  #compound(): ShellNode | null {
    const words = this.#words;
    if (words.takeKeyword('if')) return this.#if();
    if (words.takeKeyword('for')) return this.#for();
    if (words.isNext('while') || words.isNext('until')) {
      const isUntil = words.takeKeyword('until');
      if (!isUntil) words.takeKeyword('while');
      const condition = this.#list();
      return { kind: 'while', condition, isUntil, body: this.#body('do', 'done') };
    }
    if (words.takeKeyword('{')) return this.#group('}');
    return words.take('(') === null ? null : this.#group(')');
  }

  #group(close: string): ShellNode {
    const body = this.#list();
    if (this.#words.take(close) === null) throw this.#words.fail(`'${close}'`);
    return { kind: 'group', body, redirections: this.#redirections() };
  }

  #body(open: string, close: string): ShellNode {
    this.#keyword(open);
    const body = this.#list();
    this.#keyword(close);
    return body;
  }

  #keyword(word: string): void {
    while (this.#words.take('\n', ';') !== null);
    if (!this.#words.takeKeyword(word)) throw this.#words.fail(`'${word}'`);
  }

  #if(): ShellNode {
    const branches: (readonly [ShellNode, ShellNode])[] = [];
    let other: ShellNode | null = null;
    do {
      const condition = this.#list();
      this.#keyword('then');
      branches.push([condition, this.#list()]);
    } while (this.#words.takeKeyword('elif'));
    if (this.#words.takeKeyword('else')) other = this.#list();
    this.#keyword('fi');
    return { kind: 'if', branches, other };
  }

  #for(): ShellNode {
    const [part] = this.#words.word() ?? [];
    if (part?.kind !== 'text') throw this.#words.fail('a name');
    this.#keyword('in');
    const words: Word[] = [];
    for (let word = this.#words.word(); word !== null; word = this.#words.word()) words.push(word);
    return { kind: 'for', name: part.text, words, body: this.#body('do', 'done') };
  }

  #simple(): SimpleCommand {
    const assignments: (readonly [string, Word])[] = [];
    const words: Word[] = [];
    const redirections: Redirection[] = [];
    for (;;) {
      const redirection = this.#redirection();
      if (redirection !== null) {
        redirections.push(redirection);
        continue;
      }
      const word = this.#words.word();
      if (word === null) break;
      const assigned = words.length === 0 ? assignment(word) : null;
      if (assigned === null) words.push(word);
      else assignments.push(assigned);
    }
    if (words.length + assignments.length + redirections.length === 0) throw this.#words.fail('a command');
    return { kind: 'simple', assignments, words, redirections };
  }

  #redirections(): Redirection[] {
    const all: Redirection[] = [];
    for (let next = this.#redirection(); next !== null; next = this.#redirection()) all.push(next);
    return all;
  }

  #redirection(): Redirection | null {
    const words = this.#words;
    words.blanks();
    const found = /(\d?|&)(>>?|<)(&[\d-])?/y;
    found.lastIndex = words.at;
    const [all, from, sign, both] = found.exec(words.text) ?? [];
    if (all === undefined) return null;
    words.at += all.length;
    const stream = sign === '<' ? 'input' : from === '&' ? 'both' : from === '2' ? 'errors' : 'output';
    if (both !== undefined) return { from: stream, appends: false, to: null };
    const to = words.word();
    if (to === null) throw words.fail('a file');
    return { from: stream, appends: sign === '>>', to };
  }
}

/** `NAME=value` before a command. */
function assignment(word: Word): readonly [string, Word] | null {
  const [first, ...rest] = word;
  if (first?.kind !== 'text' || first.quoted) return null;
  const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(first.text) ?? [];
  return name === undefined ? null : [name, [{ kind: 'text', text: value!, quoted: true }, ...rest]];
}
