import { ScriptFailure } from '../system/script-failure.ts';
import type { PythonValue } from './python-values.ts';

/** So deep functions may call one another. */
const DEEPEST = 100;
/** So many statements may be run. */
const MOST_STEPS = 1_000_000;

/** What names stand for while code runs, and what it has printed. */
export class PythonScope {
  readonly names: Map<string, PythonValue>;
  readonly printed: string[];
  readonly #outer: PythonScope | null;
  readonly #root: PythonScope;
  #depth = 0;
  #steps = 0;

  constructor(names: Iterable<readonly [string, PythonValue]>, outer: PythonScope | null = null) {
    this.names = new Map(names);
    this.#outer = outer;
    this.#root = outer === null ? this : outer.#root;
    this.printed = outer?.printed ?? [];
  }

  get(name: string): PythonValue {
    const value = this.names.get(name);
    if (value !== undefined) return value;
    if (this.#outer === null) throw new ScriptFailure(`in the code there is no name '${name}'`);
    return this.#outer.get(name);
  }

  /** Runs a function's body with names of its own. @throws ScriptFailure where too many are under way. */
  within<T>(names: Iterable<readonly [string, PythonValue]>, body: (scope: PythonScope) => T): T {
    if (++this.#root.#depth > DEEPEST) throw new ScriptFailure(`in the code functions call one another more than ${DEEPEST} deep`);
    const result = body(new PythonScope(names, this));
    this.#root.#depth--;
    return result;
  }

  /** A statement more. @throws ScriptFailure where there are too many. */
  step(): void {
    if (++this.#root.#steps > MOST_STEPS) throw new ScriptFailure(`the code has not ended after ${MOST_STEPS} steps`);
  }
}
