import { NetError } from '@softnet/contract';
import { Python } from '../code/python.ts';
import { ScriptFailure } from '../system/script-failure.ts';
import { parseShell } from './parse-shell.ts';
import { SHELL_COMMANDS } from './shell-commands.ts';
import type { Redirection, ShellNode, SimpleCommand, Word } from './shell-syntax.ts';

/** What a command is given. */
export interface ShellCall {
  readonly name: string;
  readonly words: readonly string[];
  readonly input: string;
  readonly shell: Shell;
}

/** @returns what it writes, and where it fails a status; nothing: it has done it. @throws NetError, which is status 1; ScriptFailure, which ends all. */
export type ShellCommand = (call: ShellCall) => string | { readonly output: string; readonly status: number } | undefined;

/** What there is beside the shell's own commands. */
export interface ShellSystem {
  command(name: string): ShellCommand | null;
  /** @throws NetError, ScriptFailure */
  read(path: string): string;
  write(path: string, text: string): void;
}

/** So many commands are run at most. */
const MOST = 10_000;
/** So deep files may name one another. */
const DEEPEST = 8;
/** Of a process that there is not. */
const PROCESS = '4711';

interface Ran {
  readonly status: number;
  readonly output: string;
}

class Exit {
  readonly status: number;
  constructor(status: number) {
    this.status = status;
  }
}

/**
 * The part of a shell that scripts use. A command that fails ends all, as under `set -e`, but where its status is asked for (`if`, `&&`, `||`, `!`): a
 * setting that there is not must not go unseen.
 */
export class Shell {
  readonly variables = new Map<string, string>([
    ['PPID', PROCESS],
    ['$', PROCESS],
    ['?', '0'],
    ['0', 'sh'],
    ['#', '0'],
  ]);
  readonly #system: ShellSystem;
  #count = 0;
  #depth = 0;
  /** Within a condition: what fails there ends nothing. */
  #asked = 0;

  constructor(system: ShellSystem) {
    this.#system = system;
  }

  /** @returns what it has written. @throws ScriptFailure, or the NetError of a command that failed. */
  run(text: string): string {
    try {
      const { output, status } = this.#run(parseShell(text), '');
      if (status !== 0) throw new ScriptFailure(`the shell line ended with status ${status}: ${text.trim()}`);
      return output;
    } catch (error) {
      if (error instanceof Exit && error.status === 0) return '';
      throw error instanceof Exit ? new ScriptFailure(`the shell line ended with status ${error.status}`) : error;
    }
  }

  /** A file of shell text, with words of its own. */
  source(path: string, words: readonly string[]): Ran {
    if (++this.#depth > DEEPEST) throw new ScriptFailure(`'${path}' is more than ${DEEPEST} files deep`);
    const before = new Map(this.variables);
    for (const [i, word] of [path, ...words].entries()) this.variables.set(String(i), word);
    this.variables.set('#', String(words.length));
    try {
      return this.#run(parseShell(this.#system.read(path)), '');
    } catch (error) {
      if (error instanceof Exit) return { output: '', status: error.status };
      throw error;
    } finally {
      for (const name of ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '#']) restore(this.variables, before, name);
      this.#depth--;
    }
  }

  exit(status: number): never {
    throw new Exit(status);
  }

  #run(node: ShellNode, input: string): Ran {
    const ran = this.#runNode(node, input);
    this.variables.set('?', String(ran.status));
    return ran;
  }

  #runNode(node: ShellNode, input: string): Ran {
    switch (node.kind) {
      case 'simple':
        return this.#simple(node, input);
      case 'list':
        return this.#list(node.items, input);
      case 'and':
      case 'or': {
        const left = this.#ask(node.left, input);
        if ((left.status === 0) !== (node.kind === 'and')) return left;
        const right = this.#run(node.right, input);
        return { ...right, output: left.output + right.output };
      }
      case 'not': {
        const { status, output } = this.#ask(node.item, input);
        return { status: status === 0 ? 1 : 0, output };
      }
      case 'pipe':
        return this.#pipe(node.items, input);
      case 'group':
        return this.#redirected(this.#run(node.body, input), node.redirections);
      case 'if':
        return this.#if(node, input);
      case 'for':
        return this.#for(node, input);
      case 'while':
        return this.#while(node, input);
    }
  }

  #ask(node: ShellNode, input: string): Ran {
    this.#asked++;
    try {
      return this.#run(node, input);
    } finally {
      this.#asked--;
    }
  }

  #list(items: readonly ShellNode[], input: string): Ran {
    let [status, output] = [0, ''];
    for (const [i, item] of items.entries()) {
      const ran = this.#run(item, input);
      output += ran.output;
      ({ status } = ran);
      // Of a chain of && the last is whatever it is; in the middle it would go unseen.
      if (status !== 0 && this.#asked === 0 && item.kind === 'simple' && i < items.length - 1)
        throw new ScriptFailure(`a command of the shell line ended with status ${status}`);
    }
    return { status, output };
  }

  #pipe(items: readonly ShellNode[], input: string): Ran {
    let ran: Ran = { status: 0, output: input };
    for (const item of items) ran = this.#ask(item, ran.output);
    return ran;
  }

  #if({ branches, other }: Extract<ShellNode, { kind: 'if' }>, input: string): Ran {
    for (const [condition, body] of branches) {
      const asked = this.#ask(condition, input);
      if (asked.status !== 0) continue;
      const ran = this.#run(body, input);
      return { ...ran, output: asked.output + ran.output };
    }
    return other === null ? { status: 0, output: '' } : this.#run(other, input);
  }

  #for({ name, words, body }: Extract<ShellNode, { kind: 'for' }>, input: string): Ran {
    let ran: Ran = { status: 0, output: '' };
    for (const word of words.flatMap((each) => this.#expand(each))) {
      this.variables.set(name, word);
      const { status, output } = this.#run(body, input);
      ran = { status, output: ran.output + output };
    }
    return ran;
  }

  #while({ condition, isUntil, body }: Extract<ShellNode, { kind: 'while' }>, input: string): Ran {
    let ran: Ran = { status: 0, output: '' };
    while ((this.#ask(condition, input).status === 0) !== isUntil) {
      const { status, output } = this.#run(body, input);
      ran = { status, output: ran.output + output };
    }
    return ran;
  }

  #simple({ assignments, words, redirections }: SimpleCommand, given: string): Ran {
    if (++this.#count > MOST) throw new ScriptFailure(`the shell line has not ended after ${MOST} commands`);
    for (const [name, value] of assignments) this.variables.set(name, this.#text(value));
    const [name, ...rest] = words.flatMap((word) => this.#expand(word));
    const from = redirections.find((each) => each.from === 'input')?.to ?? null;
    const input = from === null ? given : this.#system.read(this.#text(from));
    if (name === undefined) return this.#redirected({ status: 0, output: '' }, redirections);
    const command = SHELL_COMMANDS.get(name) ?? this.#system.command(name);
    if (command === null) throw new ScriptFailure(`there is no command '${name}'`);
    return this.#redirected(this.#call(command, { name, words: rest, input, shell: this }), redirections);
  }

  #call(command: ShellCommand, call: ShellCall): Ran {
    try {
      const answer = command(call) ?? '';
      return typeof answer === 'string' ? { status: 0, output: answer } : answer;
    } catch (error) {
      if (!(error instanceof NetError) || this.#asked === 0) throw error;
      return { status: 1, output: '' };
    }
  }

  #redirected(ran: Ran, redirections: readonly Redirection[]): Ran {
    let { output } = ran;
    for (const { from, to } of redirections) {
      if (from === 'input' || from === 'errors' || to === null) continue;
      this.#system.write(this.#text(to), output);
      output = '';
    }
    return { status: ran.status, output };
  }

  /** A word as one text. */
  #text(word: Word): string {
    return word.map((part) => this.#part(part)).join('');
  }

  /** A word as words: what is not quoted is split at blanks. */
  #expand(word: Word): string[] {
    const fields: string[] = [];
    let open: string | null = null;
    for (const part of word) {
      const text = this.#part(part);
      if (part.quoted || part.kind === 'text') {
        open = (open ?? '') + text;
        continue;
      }
      const [first = '', ...more] = text.split(/[ \t\n]+/);
      if (first !== '') open = (open ?? '') + first;
      for (const next of more) {
        if (open !== null) fields.push(open);
        open = next === '' ? null : next;
      }
    }
    if (open !== null) fields.push(open);
    return fields;
  }

  #part(part: Word[number]): string {
    if (part.kind === 'text') return part.text;
    if (part.kind === 'command') return this.#run(part.body, '').output.replace(/\n+$/, '');
    if (part.kind === 'arithmetic') return this.#arithmetic(this.#text(part.body));
    const value = part.name === '@' || part.name === '*' ? this.#all() : this.variables.get(part.name);
    if (value !== undefined && (value !== '' || part.fallback === null)) return value;
    return part.fallback === null ? '' : this.#text(part.fallback);
  }

  #all(): string {
    return Array.from({ length: Number(this.variables.get('#')) }, (_, i) => this.variables.get(String(i + 1)) ?? '').join(' ');
  }

  /** C's expressions are Python's, but for the signs of logic and the division, which is whole. */
  #arithmetic(text: string): string {
    const names = [...this.variables].map(([name, value]) => [name, Number(value) || 0] as const);
    const source = text
      .replaceAll('&&', ' and ')
      .replaceAll('||', ' or ')
      .replaceAll(/!(?!=)/g, ' not ')
      .replaceAll('/', '//');
    const python = new Python(names);
    python.run(`result = int(${source.trim() === '' ? '0' : source})`);
    return String(python.names.get('result'));
  }
}

function restore(variables: Map<string, string>, before: ReadonlyMap<string, string>, name: string): void {
  const value = before.get(name);
  if (value === undefined) variables.delete(name);
  else variables.set(name, value);
}
