import { ScriptFailure } from '../system/script-failure.ts';
import type { Worth } from './python-expressions.ts';
import { PythonExpressions } from './python-expressions.ts';
import { PYTHON_FUNCTIONS } from './python-functions.ts';
import { readPython } from './python-lexer.ts';
import { PythonScope } from './python-scope.ts';
import type { PythonValue } from './python-values.ts';
import { fail, operate, show, truth } from './python-values.ts';
import { PythonWords } from './python-words.ts';

/** How a statement ended; undefined: the next follows. */
type Ending = 'break' | 'continue' | { readonly result: PythonValue } | undefined;
type Act = (scope: PythonScope) => Ending;

const CONSTANTS: readonly (readonly [string, PythonValue])[] = Object.freeze([
  ['True', true],
  ['False', false],
  ['None', null],
] as const);
/** So deep blocks may nest. */
const DEEPEST = 50;

/** Runs the part of Python that scripts use: assertions, assignments, print, if, for, while, def, expressions, formats. */
export class Python {
  readonly #scope: PythonScope;

  constructor(names: Iterable<readonly [string, PythonValue]> = []) {
    this.#scope = new PythonScope([...PYTHON_FUNCTIONS, ...CONSTANTS, ...names]);
    this.#scope.names.set('print', (args) => {
      this.#scope.printed.push(args.map(show).join(' '));
      return null;
    });
  }

  get names(): Map<string, PythonValue> {
    return this.#scope.names;
  }

  get printed(): readonly string[] {
    return this.#scope.printed;
  }

  /** @throws ScriptFailure for an assertion that does not hold, and for what is not known. */
  run(text: string): void {
    const statements = new PythonStatements(new PythonWords(readPython(text)));
    if (statements.all()(this.#scope) !== undefined) fail("'return', 'break' and 'continue' stand within functions and loops");
  }
}

/** Reads Python's statements. */
class PythonStatements {
  readonly #words: PythonWords;
  readonly #expressions: PythonExpressions;
  #depth = 0;

  constructor(words: PythonWords) {
    this.#words = words;
    this.#expressions = new PythonExpressions(words);
  }

  all(): Act {
    const acts: Act[] = [];
    while (!this.#words.isOver) this.#line(acts);
    return sequence(acts);
  }

  #line(acts: Act[]): void {
    if (this.#words.takeKind('end')) return;
    const compound = this.#compound();
    if (compound !== null) {
      acts.push(compound);
      return;
    }
    acts.push(this.#simple());
    if (!this.#words.isOver && !this.#words.takeKind('end')) throw this.#words.unexpected('the end of the line');
  }

  #compound(): Act | null {
    if (this.#words.take('if')) return this.#if();
    if (this.#words.take('for')) return this.#for();
    if (this.#words.take('def')) return this.#def();
    if (!this.#words.take('while')) return null;
    const condition = this.#expressions.one();
    const body = this.#block();
    return (scope) => {
      while (truth(condition(scope))) {
        scope.step();
        const ending = body(scope);
        if (ending === 'break') return undefined;
        if (ending !== undefined && ending !== 'continue') return ending;
      }
      return undefined;
    };
  }

  #if(): Act {
    const condition = this.#expressions.one();
    const body = this.#block();
    const other = this.#words.take('elif') ? this.#if() : this.#words.take('else') ? this.#block() : null;
    return (scope) => (truth(condition(scope)) ? body(scope) : other?.(scope));
  }

  #for(): Act {
    const names = [this.#words.name()];
    while (this.#words.take(',')) names.push(this.#words.name());
    this.#words.expect('in');
    const items = this.#expressions.tuple();
    const body = this.#block();
    return (scope) => {
      const all = items(scope);
      if (!Array.isArray(all)) return fail(`${show(all)} has no items`);
      for (const item of all as readonly PythonValue[]) {
        scope.step();
        bind(scope, names, item);
        const ending = body(scope);
        if (ending === 'break') return undefined;
        if (ending !== undefined && ending !== 'continue') return ending;
      }
      return undefined;
    };
  }

  #def(): Act {
    const name = this.#words.name();
    this.#words.expect('(');
    const parameters: string[] = [];
    while (!this.#words.take(')')) {
      parameters.push(this.#words.name());
      if (!this.#words.take(',') && this.#words.peek.text !== ')') throw this.#words.unexpected("',' or ')'");
    }
    const body = this.#block();
    return (scope) => {
      scope.names.set(name, (args) => {
        if (args.length !== parameters.length) return fail(`${name} takes ${parameters.length} values, got ${args.length}`);
        const given = parameters.map((each, i) => [each, args[i]!] as const);
        const ending = scope.within(given, body);
        return typeof ending === 'object' ? ending.result : null;
      });
      return undefined;
    };
  }

  /** `: x = 1`, or lines that are further in. */
  #block(): Act {
    this.#words.expect(':');
    if (++this.#depth > DEEPEST) throw new ScriptFailure(`the code is more than ${DEEPEST} levels deep`);
    const acts: Act[] = [];
    if (this.#words.takeKind('end')) {
      if (!this.#words.takeKind('indent')) throw this.#words.unexpected('a block that is indented');
      while (!this.#words.takeKind('dedent')) this.#line(acts);
    } else this.#line(acts);
    this.#depth--;
    return sequence(acts);
  }

  #simple(): Act {
    const words = this.#words;
    if (words.take('pass')) return () => undefined;
    if (words.take('break')) return () => 'break';
    if (words.take('continue')) return () => 'continue';
    if (words.take('assert')) return this.#assert();
    if (words.take('return')) {
      const worth: Worth = words.peek.kind === 'end' ? () => null : this.#expressions.tuple();
      return (scope) => ({ result: worth(scope) });
    }
    if (words.peek.text === 'print' && words.next?.text !== '(') return this.#print();
    if (words.peek.kind === 'name' && (words.peek.text === 'import' || words.peek.text === 'from'))
      throw new ScriptFailure(`in the code '${words.peek.text}' is not known: there are no modules`);
    return this.#assignment();
  }

  #assert(): Act {
    const at = this.#words.at;
    const condition = this.#expressions.one();
    const said = this.#words.since(at);
    const message = this.#words.take(',') ? this.#expressions.one() : null;
    return (scope) => {
      if (!truth(condition(scope))) throw new ScriptFailure(`assert ${said}${message === null ? '' : `: ${show(message(scope))}`}`);
      return undefined;
    };
  }

  /** As Python 2 wrote it. */
  #print(): Act {
    this.#words.skip();
    const items: Worth = this.#words.peek.kind === 'end' ? () => [] : this.#expressions.tuple();
    return (scope) => {
      const value = items(scope);
      scope.printed.push((Array.isArray(value) ? value : [value]).map(show).join(' '));
      return undefined;
    };
  }

  #assignment(): Act {
    const words = this.#words;
    const names = this.#targets();
    if (names !== null) {
      const worth = this.#expressions.tuple();
      return (scope) => {
        bind(scope, names, worth(scope));
        return undefined;
      };
    }
    const sign = words.next?.kind === 'sign' && /^[-+*/%&|^]=$/.test(words.next.text) ? words.next.text[0]! : null;
    if (words.peek.kind === 'name' && sign !== null) {
      const name = words.name();
      words.skip();
      const worth = this.#expressions.one();
      return (scope) => {
        scope.names.set(name, operate(sign, scope.get(name), worth(scope)));
        return undefined;
      };
    }
    const worth = this.#expressions.tuple();
    return (scope) => {
      worth(scope);
      return undefined;
    };
  }

  /** `a =`, `a, b =`: the names; null: it is no assignment. */
  #targets(): string[] | null {
    const names = this.#words.ahead(/^(?:[A-Za-z_]\w*)(?: , [A-Za-z_]\w*)* =$/);
    if (names === null) return null;
    return names.filter((each) => each !== ',' && each !== '=');
  }
}

function sequence(acts: readonly Act[]): Act {
  return (scope) => {
    for (const act of acts) {
      scope.step();
      const ending = act(scope);
      if (ending !== undefined) return ending;
    }
    return undefined;
  };
}

function bind(scope: PythonScope, names: readonly string[], value: PythonValue): void {
  if (names.length === 1) {
    scope.names.set(names[0]!, value);
    return;
  }
  if (!Array.isArray(value) || value.length !== names.length) fail(`${show(value)} are not ${names.length} values`);
  for (const [i, name] of names.entries()) scope.names.set(name, (value as readonly PythonValue[])[i]!);
}
