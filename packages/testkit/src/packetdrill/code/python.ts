import { ScriptFailure } from '../system/script-failure.ts';
import type { PythonToken } from './python-lexer.ts';
import { readPython } from './python-lexer.ts';
import type { PythonValue } from './python-values.ts';
import { compare, fail, number, operate, show, truth } from './python-values.ts';

const WEAKEST_FIRST: readonly (readonly string[])[] = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/', '//', '%']];
const COMPARISONS = Object.freeze(['==', '!=', '<=', '>=', '<', '>'] as const);
/** So deep code may nest. */
const DEEPEST = 100;

/** Runs the part of Python that scripts use: assertions, assignments, print, comparisons, logic, arithmetic, `%` of strings. */
export class Python {
  readonly names: Map<string, PythonValue>;
  readonly printed: string[] = [];
  #tokens: readonly PythonToken[] = [];
  #at = 0;
  #depth = 0;
  /** Behind `and`, `or` and `if`, where the left side has decided: nothing fails there. */
  #skipping = false;

  constructor(names: Iterable<readonly [string, PythonValue]> = []) {
    this.names = new Map<string, PythonValue>([['True', true], ['False', false], ['None', null], ...names]);
  }

  /** @throws ScriptFailure for an assertion that does not hold, and for what is not known. */
  run(text: string): void {
    this.#tokens = readPython(text);
    this.#at = 0;
    while (this.#at < this.#tokens.length) {
      if (this.#peek.kind !== 'end') this.#statement();
      if (this.#peek.kind !== 'end') throw this.#unexpected('the end of the line');
      this.#at++;
    }
  }

  get #peek(): PythonToken {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '' };
  }

  #take(text: string): boolean {
    const { kind, text: found } = this.#peek;
    if (found !== text || kind === 'string' || kind === 'end') return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unexpected(`'${text}'`);
  }

  #unexpected(expected: string): ScriptFailure {
    const { kind, text } = this.#peek;
    return new ScriptFailure(`in the code ${expected} is expected, not ${kind === 'end' ? 'the end of the line' : `'${text}'`}`);
  }

  #statement(): void {
    if (this.#take('pass')) return;
    if (this.#take('assert')) {
      const start = this.#at;
      const holds = truth(this.#expression());
      const words = this.#tokens.slice(start, this.#at).map(({ text }) => text);
      const message = this.#take(',') ? this.#expression() : undefined;
      if (!holds) throw new ScriptFailure(`assert ${words.join(' ')}${message === undefined ? '' : `: ${show(message)}`}`);
      return;
    }
    const [{ kind, text }, next] = [this.#peek, this.#tokens[this.#at + 1]];
    if (kind === 'name' && next?.kind === 'sign' && next.text === '=') {
      this.#at += 2;
      this.names.set(text, this.#expression());
      return;
    }
    this.#expression();
  }

  /** With the conditional, which binds most weakly. */
  #expression(): PythonValue {
    if (++this.#depth > DEEPEST) throw new ScriptFailure(`the code is more than ${DEEPEST} levels deep`);
    const value = this.#or();
    if (this.#take('if')) {
      const condition = truth(this.#or());
      this.#expect('else');
      const other = this.#expression();
      this.#depth--;
      return condition ? value : other;
    }
    this.#depth--;
    return value;
  }

  #or(): PythonValue {
    let value = this.#and();
    while (this.#take('or')) value = this.#decided(truth(value), value, () => this.#and());
    return value;
  }

  #and(): PythonValue {
    let value = this.#not();
    while (this.#take('and')) value = this.#decided(!truth(value), value, () => this.#not());
    return value;
  }

  #decided(isDecided: boolean, value: PythonValue, right: () => PythonValue): PythonValue {
    const before = this.#skipping;
    this.#skipping ||= isDecided;
    const other = right();
    this.#skipping = before;
    return isDecided ? value : other;
  }

  #not(): PythonValue {
    if (this.#peek.text === 'not' && this.#peek.kind === 'name') {
      this.#at++;
      return !truth(this.#not());
    }
    return this.#comparison();
  }

  /** `1 <= x < 3` compares each with the next. */
  #comparison(): PythonValue {
    let left = this.#binary(0);
    let value: PythonValue | undefined;
    for (;;) {
      const sign = COMPARISONS.find((each) => this.#take(each)) ?? this.#membership();
      if (sign === null) return value ?? left;
      const right = this.#binary(0);
      const holds = compare(sign, left, right);
      value = value === undefined ? holds : truth(value) && holds;
      left = right;
    }
  }

  #membership(): string | null {
    if (this.#take('in')) return 'in';
    if (this.#peek.text === 'not' && this.#tokens[this.#at + 1]?.text === 'in') {
      this.#at += 2;
      return 'not in';
    }
    if (this.#take('is')) return this.#take('not') ? '!=' : '==';
    return null;
  }

  #binary(row: number): PythonValue {
    const signs = WEAKEST_FIRST[row];
    if (signs === undefined) return this.#unary();
    let left = this.#binary(row + 1);
    for (;;) {
      const sign = signs.find((each) => this.#take(each));
      if (sign === undefined) return left;
      left = operate(sign, left, this.#binary(row + 1), this.#skipping);
    }
  }

  #unary(): PythonValue {
    if (this.#take('-')) return -number(this.#unary());
    if (this.#take('+')) return number(this.#unary());
    if (this.#take('~')) return -1 - number(this.#unary());
    const base = this.#primary();
    return this.#take('**') ? number(base) ** number(this.#unary()) : base;
  }

  #primary(): PythonValue {
    const { kind, text } = this.#peek;
    this.#at++;
    if (kind === 'number') return Number(text);
    if (kind === 'string') return this.#strings(text);
    if (kind === 'name') return this.#take('(') ? this.#call(text) : this.#named(text);
    if (text === '(') return this.#bracketed();
    if (text === '[') return this.#items(']');
    this.#at--;
    throw this.#unexpected('a value');
  }

  /** Strings beside each other are one. */
  #strings(first: string): string {
    let whole = first;
    while (this.#peek.kind === 'string') whole += this.#tokens[this.#at++]!.text;
    return whole;
  }

  #named(name: string): PythonValue {
    const value = this.names.get(name);
    if (value !== undefined) return value;
    if (this.#skipping) return null;
    throw new ScriptFailure(`in the code there is no name '${name}'`);
  }

  #bracketed(): PythonValue {
    if (this.#take(')')) return [];
    const value = this.#expression();
    if (!this.#take(',')) {
      this.#expect(')');
      return value;
    }
    return [value, ...this.#items(')')];
  }

  #items(close: string): PythonValue[] {
    const items: PythonValue[] = [];
    while (!this.#take(close)) {
      items.push(this.#expression());
      if (!this.#take(',') && this.#peek.text !== close) throw this.#unexpected(`',' or '${close}'`);
    }
    return items;
  }

  #call(name: string): PythonValue {
    const args = this.#items(')');
    const [first = null, ...rest] = args;
    switch (name) {
      case 'print':
        this.printed.push(args.map(show).join(' '));
        return null;
      case 'len':
        return typeof first === 'string' || Array.isArray(first) ? first.length : fail(`len of ${show(first)}`);
      case 'abs':
        return Math.abs(number(first));
      case 'int':
        return Math.trunc(typeof first === 'string' ? Number(first) : number(first));
      case 'float':
        return typeof first === 'string' ? Number(first) : number(first);
      case 'str':
        return show(first);
      case 'min':
        return Math.min(...(Array.isArray(first) ? first : [first, ...rest]).map(number));
      case 'max':
        return Math.max(...(Array.isArray(first) ? first : [first, ...rest]).map(number));
      default:
        return fail(`there is no function '${name}'`);
    }
  }
}
