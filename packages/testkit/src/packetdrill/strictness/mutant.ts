import type { Script, ScriptEvent } from '../language/script.ts';

/** A script of which one number, flag, option or time is another. */
export interface Mutant {
  readonly script: Script;
  readonly line: number;
  /** What was changed: 'the acknowledgment 1 → 2'. */
  readonly what: string;
  /** True: in what the script expects, so that it must fail. False: in what it does, which may make another script that is true as well. */
  readonly isExpectation: boolean;
}

/** Changed values of one place. */
export interface Change<T> {
  readonly what: string;
  readonly value: T;
}

/** The changes of a part, as changes of the whole. */
export function within<T, W>(changes: readonly Change<T>[], put: (value: T) => W): Change<W>[] {
  return changes.map(({ what, value }) => ({ what, value: put(value) }));
}

/** A number by one more, where it is said at all. */
export function oneMore(name: string, value: number | null, most = 0xffffffff): Change<number>[] {
  if (value === null) return [];
  const other = value >= most ? value - 1 : value + 1;
  return [{ what: `${name} ${value} → ${other}`, value: other }];
}

/** A script with another event in the place of one. */
export function withEvent(script: Script, index: number, event: ScriptEvent): Script {
  return { ...script, events: script.events.with(index, event) };
}
