import type { PythonFunction, PythonValue } from './python-values.ts';
import { compare, fail, formatted, number, show, truth } from './python-values.ts';

/** So long a range may be. */
const LONGEST = 100_000;

function list(value: PythonValue | undefined): readonly PythonValue[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'string' ? [...value] : fail(`${show(value ?? null)} is no list`);
}

function manyOf(args: readonly PythonValue[]): readonly PythonValue[] {
  return args.length === 1 ? list(args[0]) : args;
}

function range(args: readonly PythonValue[]): PythonValue {
  const [start, end] = args.length < 2 ? [0, number(args[0] ?? 0)] : [number(args[0]!), number(args[1]!)];
  const step = args[2] === undefined ? 1 : number(args[2]);
  const count = step === 0 ? fail('range takes a step other than 0') : Math.max(Math.ceil((end - start) / step), 0);
  return count > LONGEST ? fail(`a range of ${count}`) : Array.from({ length: count }, (_, i) => start + i * step);
}

function numberFrom(value: PythonValue | undefined): number {
  if (typeof value !== 'string') return number(value ?? 0);
  const found = Number(value.trim());
  return value.trim() === '' || Number.isNaN(found) ? fail(`'${value}' is no number`) : found;
}

/** Python's own functions, as far as they are known. `print` is the scope's. */
export const PYTHON_FUNCTIONS: ReadonlyMap<string, PythonFunction> = new Map<string, PythonFunction>([
  ['len', ([value]) => list(value).length],
  ['abs', ([value]) => Math.abs(number(value ?? 0))],
  ['int', ([value]) => Math.trunc(numberFrom(value))],
  ['float', ([value]) => numberFrom(value)],
  ['bool', ([value]) => truth(value ?? false)],
  ['str', ([value]) => show(value ?? '')],
  ['repr', ([value]) => show(value ?? null)],
  ['hex', ([value]) => `0x${number(value ?? 0).toString(16)}`],
  ['round', ([value, digits]) => Number(number(value ?? 0).toFixed(number(digits ?? 0)))],
  ['min', (args) => Math.min(...manyOf(args).map(number))],
  ['max', (args) => Math.max(...manyOf(args).map(number))],
  ['sum', ([values]) => list(values).reduce((sum: number, each) => sum + number(each), 0)],
  ['any', ([values]) => list(values).some(truth)],
  ['all', ([values]) => list(values).every(truth)],
  ['list', ([values]) => list(values ?? [])],
  ['tuple', ([values]) => list(values ?? [])],
  ['sorted', ([values]) => [...list(values)].sort((a, b) => (compare('<', a, b) ? -1 : 1))],
  ['range', range],
]);

/** `value.name(...)`. @throws ScriptFailure for what is not known. */
export function method(value: PythonValue, name: string, args: readonly PythonValue[]): PythonValue {
  if (typeof value !== 'string') return fail(`${show(value)} has no '${name}' that is known`);
  const [first] = args;
  switch (name) {
    case 'format':
      return formatAll(value, args);
    case 'join':
      return list(first).map(show).join(value);
    case 'strip':
      return value.trim();
    case 'lower':
      return value.toLowerCase();
    case 'upper':
      return value.toUpperCase();
    case 'startswith':
      return value.startsWith(show(first ?? ''));
    case 'endswith':
      return value.endsWith(show(first ?? ''));
    case 'split':
      return first === undefined ? value.trim().split(/\s+/) : value.split(show(first));
    default:
      return fail(`text has no '${name}' that is known`);
  }
}

function formatAll(text: string, values: readonly PythonValue[]): string {
  let next = 0;
  return text.replace(/\{\{|\}\}|\{(\d*)(?::([^}]*))?\}/g, (all, index: string | undefined, spec = '') => {
    if (index === undefined) return all[0]!;
    const value = values[index === '' ? next++ : Number(index)];
    return value === undefined ? fail(`'${text}' wants more values than ${values.length}`) : formatted(value, spec);
  });
}
