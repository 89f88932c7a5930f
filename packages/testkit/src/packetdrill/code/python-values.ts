import { ScriptFailure } from '../system/script-failure.ts';

/** What Python's names stand for here. */
export type PythonValue = number | string | boolean | null | readonly PythonValue[] | PythonFunction;

/** Made by `def`, or known by name. */
export type PythonFunction = (args: readonly PythonValue[]) => PythonValue;

export function fail(sentence: string): never {
  throw new ScriptFailure(`in the code: ${sentence}`);
}

export function truth(value: PythonValue): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

export function number(value: PythonValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value === null ? 0 : fail(`${show(value)} is no number`);
}

export function show(value: PythonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'function') return '<function>';
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

export function operate(sign: string, left: PythonValue, right: PythonValue): PythonValue {
  if (sign === '%' && typeof left === 'string') return format(left, Array.isArray(right) ? right : [right]);
  if (sign === '+' && typeof left === 'string') return left + show(right);
  if (sign === '+' && Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
  const [a, b] = [number(left), number(right)];
  if ((sign === '/' || sign === '//' || sign === '%') && b === 0) return fail('a division by zero');
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
  return text.replace(/%(?:%|([-0]?\d*(?:\.\d+)?)([dsufxr]))/g, (_all, spec: string | undefined, kind: string | undefined) => {
    if (kind === undefined) return '%';
    if (next >= values.length) return fail(`'${text}' wants more values than ${values.length}`);
    return formatted(values[next++]!, `${spec}${kind === 'u' ? 'd' : kind}`);
  });
}

/** By a format such as '08.3f', 'd', '>5' or ''. */
export function formatted(value: PythonValue, spec: string): string {
  const [, align, zero, width, digits, kind] =
    /^([<>]?)-?(0?)(\d*)(?:\.(\d+))?([dsfxr]?)$/.exec(spec) ?? fail(`the format '${spec}' is not known`);
  let text = show(value);
  if (kind === 'f' || (digits !== undefined && kind === '')) text = number(value).toFixed(digits === undefined ? 6 : Number(digits));
  else if (kind === 'x') text = number(value).toString(16);
  else if (kind === 'd') text = String(Math.trunc(number(value)));
  const isLeft = align === '<' || spec.startsWith('-') || (align === '' && typeof value === 'string');
  return isLeft ? text.padEnd(Number(width)) : text.padStart(Number(width), zero === '0' ? '0' : ' ');
}
