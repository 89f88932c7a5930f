import { ScriptFailure } from '../system/script-failure.ts';
import { method } from './python-functions.ts';
import { readPython } from './python-lexer.ts';
import type { PythonScope } from './python-scope.ts';
import type { PythonValue } from './python-values.ts';
import { compare, fail, formatted, number, operate, show, truth } from './python-values.ts';
import { PythonWords } from './python-words.ts';

/** An expression, ready to be worked out. */
export type Worth = (scope: PythonScope) => PythonValue;

const WEAKEST_FIRST: readonly (readonly string[])[] = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '//', '/', '%']];
const COMPARISONS = Object.freeze(['==', '!=', '<=', '>=', '<', '>'] as const);
/** So deep code may nest. */
const DEEPEST = 100;

/** Reads Python's expressions, strongest last. */
export class PythonExpressions {
  readonly #words: PythonWords;
  #depth = 0;

  constructor(words: PythonWords) {
    this.#words = words;
  }

  /** `1, 2` is a tuple. */
  tuple(): Worth {
    const first = this.one();
    if (!this.#words.isNext(',')) return first;
    const items = [first];
    while (this.#words.take(',') && this.#words.peek.kind !== 'end' && !this.#words.isNext(':')) items.push(this.one());
    return (scope) => items.map((item) => item(scope));
  }

  /** With the conditional, which binds most weakly. */
  one(): Worth {
    if (++this.#depth > DEEPEST) throw new ScriptFailure(`the code is more than ${DEEPEST} levels deep`);
    const value = this.#or();
    this.#depth--;
    if (!this.#words.take('if')) return value;
    const condition = this.#or();
    this.#words.expect('else');
    const other = this.one();
    return (scope) => (truth(condition(scope)) ? value(scope) : other(scope));
  }

  #or(): Worth {
    let value = this.#and();
    while (this.#words.take('or')) value = either(value, this.#and(), true);
    return value;
  }

  #and(): Worth {
    let value = this.#not();
    while (this.#words.take('and')) value = either(value, this.#not(), false);
    return value;
  }

  #not(): Worth {
    if (!this.#words.take('not')) return this.#comparison();
    if (++this.#depth > DEEPEST) throw new ScriptFailure(`the code is more than ${DEEPEST} levels deep`);
    const value = this.#not();
    this.#depth--;
    return (scope) => !truth(value(scope));
  }

  /** `1 <= x < 3` compares each with the next. */
  #comparison(): Worth {
    const first = this.#binary(0);
    const rest: (readonly [string, Worth])[] = [];
    for (let sign = this.#sign(); sign !== null; sign = this.#sign()) rest.push([sign, this.#binary(0)]);
    if (rest.length === 0) return first;
    return (scope) => {
      let left = first(scope);
      for (const [sign, worth] of rest) {
        const right = worth(scope);
        if (!compare(sign, left, right)) return false;
        left = right;
      }
      return true;
    };
  }

  #sign(): string | null {
    const words = this.#words;
    const sign = COMPARISONS.find((each) => words.take(each));
    if (sign !== undefined) return sign;
    if (words.take('in')) return 'in';
    if (words.peek.text === 'not' && words.next?.text === 'in') {
      words.skip();
      words.skip();
      return 'not in';
    }
    if (words.take('is')) return words.take('not') ? '!=' : '==';
    return null;
  }

  #binary(row: number): Worth {
    const signs = WEAKEST_FIRST[row];
    if (signs === undefined) return this.#unary();
    let left = this.#binary(row + 1);
    for (;;) {
      const sign = signs.find((each) => this.#words.take(each));
      if (sign === undefined) return left;
      const [before, right] = [left, this.#binary(row + 1)];
      left = (scope) => operate(sign, before(scope), right(scope));
    }
  }

  #unary(): Worth {
    const sign = ['-', '+', '~'].find((each) => this.#words.take(each));
    if (sign !== undefined) {
      if (++this.#depth > DEEPEST) throw new ScriptFailure(`the code is more than ${DEEPEST} levels deep`);
      const value = this.#unary();
      this.#depth--;
      return (scope) => (sign === '-' ? -number(value(scope)) : sign === '+' ? number(value(scope)) : -1 - number(value(scope)));
    }
    const base = this.#behind(this.#primary());
    if (!this.#words.take('**')) return base;
    const power = this.#unary();
    return (scope) => number(base(scope)) ** number(power(scope));
  }

  /** Calls, items and methods, one behind the other. */
  #behind(first: Worth): Worth {
    let value = first;
    for (;;) {
      const before = value;
      if (this.#words.take('(')) {
        const args = this.items(')');
        value = (scope) => {
          const called = before(scope);
          return typeof called === 'function' ? called(args.map((arg) => arg(scope))) : fail(`${show(called)} is no function`);
        };
      } else if (this.#words.take('[')) value = this.#item(before);
      else if (this.#words.take('.')) {
        const name = this.#words.name();
        this.#words.expect('(');
        const args = this.items(')');
        value = (scope) =>
          method(
            before(scope),
            name,
            args.map((arg) => arg(scope)),
          );
      } else return value;
    }
  }

  /** `[1]`, `[1:3]`. */
  #item(of: Worth): Worth {
    const start = this.#words.peek.text === ':' ? null : this.one();
    const isSlice = this.#words.take(':');
    const end = isSlice && this.#words.peek.text !== ']' ? this.one() : null;
    this.#words.expect(']');
    return (scope) => {
      const whole = of(scope);
      if (typeof whole !== 'string' && !Array.isArray(whole)) return fail(`${show(whole)} has no items`);
      const from = start === null ? 0 : number(start(scope));
      if (isSlice) return whole.slice(from, end === null ? undefined : number(end(scope)));
      return whole.at(from) ?? fail(`there is no item ${from} of ${whole.length}`);
    };
  }

  #primary(): Worth {
    const { kind, text } = this.#words.peek;
    if (kind === 'number') {
      this.#words.skip();
      return () => Number(text);
    }
    if (kind === 'string' || kind === 'fstring') return this.#strings();
    if (kind === 'name') {
      this.#words.skip();
      return (scope) => scope.get(text);
    }
    if (this.#words.take('(')) return this.#bracketed();
    if (this.#words.take('[')) {
      const items = this.items(']');
      return (scope) => items.map((item) => item(scope));
    }
    throw this.#words.unexpected('a value');
  }

  /** Strings beside each other are one. */
  #strings(): Worth {
    const parts: Worth[] = [];
    for (let { kind } = this.#words.peek; kind === 'string' || kind === 'fstring'; { kind } = this.#words.peek) {
      const { text } = this.#words.skip();
      parts.push(kind === 'fstring' ? formatString(text) : () => text);
    }
    return parts.length === 1 ? parts[0]! : (scope) => parts.map((part) => part(scope)).join('');
  }

  #bracketed(): Worth {
    if (this.#words.take(')')) return () => [];
    const first = this.one();
    if (this.#words.take(')')) return first;
    this.#words.expect(',');
    const rest = this.items(')');
    return (scope) => [first(scope), ...rest.map((item) => item(scope))];
  }

  items(close: string): Worth[] {
    const items: Worth[] = [];
    while (!this.#words.take(close)) {
      items.push(this.one());
      if (!this.#words.take(',') && this.#words.peek.text !== close) throw this.#words.unexpected(`',' or '${close}'`);
    }
    return items;
  }
}

/** Python's `and` and `or` give one of their sides, and do not look at the other. */
function either(left: Worth, right: Worth, decides: boolean): Worth {
  return (scope) => {
    const value = left(scope);
    return truth(value) === decides ? value : right(scope);
  };
}

/** `f'cwnd {x:d} {y=}'`. */
function formatString(text: string): Worth {
  const parts: Worth[] = [];
  for (const [, plain, twice, inner] of text.matchAll(/([^{}]+)|(\{\{|\}\})|\{([^{}]*)\}/g)) {
    if (inner === undefined) parts.push(() => plain ?? twice![0]!);
    else parts.push(replacement(inner));
  }
  return (scope) => parts.map((part) => part(scope)).join('');
}

function replacement(inner: string): Worth {
  const [, source = '', equals, , spec = ''] = /^([^:]*?)(=?)(![rsa])?(?::(.*))?$/.exec(inner) ?? [];
  const worth = expressionOf(source);
  return (scope) => (equals === '=' ? `${source}=` : '') + formatted(worth(scope), spec);
}

/** One expression that is all of a text. @throws ScriptFailure */
function expressionOf(text: string): Worth {
  const words = new PythonWords(readPython(text));
  const worth = new PythonExpressions(words).one();
  if (words.peek.kind !== 'end') throw words.unexpected('the end of the expression');
  return worth;
}
