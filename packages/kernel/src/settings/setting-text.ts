import type { SettingSpec } from '@softnet/contract';
import { NetError } from '@softnet/contract';

/** Any value that a setting can have. */
export type AnySettingValue = boolean | number | string | readonly number[];

const INTEGER = /^[+-]?\d+$/;

/** The value as `sysctl` prints it: '1', '4096 131072 6291456', 'cubic'. */
export function settingText(value: AnySettingValue): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'object' ? value.join(' ') : `${value}`;
}

/** What the spec takes, for errors and lists: '3 integers from 4096 to 2147483647 (bytes)'. */
export function settingRange(spec: SettingSpec): string {
  if (spec.type === 'bool') return '0 or 1';
  if (spec.type === 'enum') return `one of ${spec.values.join(', ')}`;
  if (spec.type === 'string') return `a text of up to ${spec.maxLength} characters`;
  const unit = spec.unit === undefined ? '' : ` (${spec.unit})`;
  const count = spec.type === 'int' ? 'an integer' : spec.default.length > 0 ? `${spec.default.length} integers` : 'integers';
  const order = spec.type === 'ints' && spec.rising === true ? ', none below the one before it' : '';
  return `${count} from ${spec.min} to ${spec.max}${unit}${order}`;
}

/** The value that was given, as itself or as its text; undefined if the spec does not allow it. */
export function allowedValue(spec: SettingSpec, given: unknown): AnySettingValue | undefined {
  const value = parse(spec, given);
  if (value === undefined || !allowed(spec, value)) return undefined;
  // Adding 0 makes 0 of -0.
  if (typeof value === 'number') return value + 0;
  return typeof value === 'object' ? Object.freeze(value.map((n) => n + 0)) : value;
}

/** The same. @throws NetError EINVAL naming the setting, the range and what was given. */
export function settingValue(name: string, spec: SettingSpec, given: unknown): AnySettingValue {
  const value = allowedValue(spec, given);
  if (value !== undefined) return value;
  throw new NetError('EINVAL', `${name} takes ${settingRange(spec)}, got ${shown(given)}`, { syscall: 'sysctl' });
}

/** @throws NetError EINVAL when the spec contradicts itself, or its default is not allowed by it. */
export function checkSpec(name: string, spec: SettingSpec): void {
  if ((spec.type === 'int' || spec.type === 'ints') && !(spec.min <= spec.max)) {
    throw new NetError('EINVAL', `${name}: its range ${spec.min} to ${spec.max} is empty`, { syscall: 'sysctl' });
  }
  settingValue(`the default of ${name}`, spec, spec.default);
}

/** Equal values, whether or not they are one object. */
export function sameValue(a: AnySettingValue, b: AnySettingValue): boolean {
  return typeof a === typeof b && settingText(a) === settingText(b);
}

function parse(spec: SettingSpec, given: unknown): AnySettingValue | undefined {
  switch (spec.type) {
    case 'bool':
      return parseBool(given);
    case 'int':
      return typeof given === 'string' ? parseInteger(given.trim()) : ofType(given, 'number');
    case 'ints':
      return parseIntegers(given);
    default:
      return ofType(given, 'string');
  }
}

function parseBool(given: unknown): boolean | undefined {
  const digit = typeof given === 'string' ? given.trim() : given;
  if (digit === true || digit === 1 || digit === '1') return true;
  return digit === false || digit === 0 || digit === '0' ? false : undefined;
}

function parseIntegers(given: unknown): number[] | undefined {
  const words = typeof given === 'string' ? given.trim().split(/[\s,]+/) : given;
  if (!Array.isArray(words)) return undefined;
  const numbers = words
    .filter((word) => word !== '')
    .map((word) => (typeof word === 'string' ? parseInteger(word) : ofType(word, 'number')));
  return numbers.every((number) => number !== undefined) ? numbers : undefined;
}

function parseInteger(text: string): number | undefined {
  return INTEGER.test(text) ? Number(text) : undefined;
}

function ofType<T extends 'number' | 'string'>(given: unknown, type: T): (T extends 'number' ? number : string) | undefined {
  // biome-ignore lint/suspicious/noExplicitAny: what `typeof` just said
  return typeof given === type ? (given as any) : undefined;
}

function allowed(spec: SettingSpec, value: AnySettingValue): boolean {
  const inRange = (n: number, { min, max }: { min: number; max: number }) => Number.isSafeInteger(n) && n >= min && n <= max;
  switch (spec.type) {
    case 'bool':
      return true;
    case 'int':
      return inRange(value as number, spec);
    case 'ints': {
      const numbers = value as readonly number[];
      const fits = spec.default.length === 0 || numbers.length === spec.default.length;
      const rises = spec.rising !== true || numbers.every((n, i) => i === 0 || n >= numbers[i - 1]!);
      return fits && rises && numbers.every((n) => inRange(n, spec));
    }
    case 'enum':
      return spec.values.includes(value as string);
    case 'string':
      return (value as string).length <= spec.maxLength;
  }
}

function shown(given: unknown): string {
  if (typeof given === 'string') return `'${given}'`;
  try {
    return Array.isArray(given) ? `[${given.join(', ')}]` : String(given);
  } catch {
    return `what cannot be printed (${typeof given})`;
  }
}
