import { ScriptFailure } from '../system/script-failure.ts';

/** What Python's names stand for here. */
export type PythonValue = number | string | boolean | null | readonly PythonValue[];

export function fail(sentence: string): never {
  throw new ScriptFailure(`in the code: ${sentence}`);
}

export function truth(value: PythonValue): boolean {
  return typeof value === 'object' && value !== null ? value.length > 0 : Boolean(value);
}

export function number(value: PythonValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value === null ? 0 : fail(`${show(value)} is no number`);
}

export function show(value: PythonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return typeof value === 'object' ? `(${value.map(show).join(', ')})` : String(value);
}

export function compare(sign: string, left: PythonValue, right: PythonValue): boolean {
  const isText = typeof left === 'string' || typeof right === 'string';
  if (sign === '==') return show(left) === show(right) || (!isText && isNumber(left) && isNumber(right) && number(left) === number(right));
  if (sign === '!=') return !compare('==', left, right);
  if (sign === 'in') return Array.isArray(right) ? right.some((item) => compare('==', left, item)) : String(right).includes(show(left));
  if (sign === 'not in') return !compare('in', left, right);
  const [a, b] = isText ? [show(left), show(right)] : [number(left), number(right)];
  if (sign === '<') return a < b;
  if (sign === '>') return a > b;
  return sign === '<=' ? a <= b : a >= b;
}

function isNumber(value: PythonValue): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

export function operate(sign: string, left: PythonValue, right: PythonValue, skipping: boolean): PythonValue {
  if (sign === '%' && typeof left === 'string') return format(left, Array.isArray(right) ? right : [right]);
  if (sign === '+' && typeof left === 'string') return left + show(right);
  const [a, b] = [number(left), number(right)];
  if ((sign === '/' || sign === '//' || sign === '%') && b === 0) return skipping ? 0 : fail('a division by zero');
  switch (sign) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '//':
      return Math.floor(a / b);
    case '%':
      return a - b * Math.floor(a / b);
    default:
      return bits(sign, BigInt(Math.trunc(a)), BigInt(Math.trunc(b)));
  }
}

function bits(sign: string, a: bigint, b: bigint): number {
  if (sign === '<<' || sign === '>>') return b < 0n || b > 512n ? fail(`a shift by ${b}`) : Number(sign === '<<' ? a << b : a >> b);
  return Number(sign === '&' ? a & b : sign === '|' ? a | b : a ^ b);
}

function format(text: string, values: readonly PythonValue[]): string {
  let next = 0;
  return text.replace(/%(?:%|[-0]*\d*(?:\.(\d+))?([dsufx]))/g, (all, digits: string | undefined, kind: string | undefined) => {
    if (kind === undefined) return '%';
    if (next >= values.length) return fail(`'${text}' wants more values than ${values.length}`);
    const value = values[next++]!;
    if (kind === 's') return show(value);
    if (kind === 'f') return number(value).toFixed(digits === undefined ? 6 : Number(digits));
    return kind === 'x' ? number(value).toString(16) : all.length > 0 ? String(Math.trunc(number(value))) : '';
  });
}
