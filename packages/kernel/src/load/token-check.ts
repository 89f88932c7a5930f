import type { AnyToken } from '@softnet/contract';
import { ERRNO } from '@softnet/contract';
import semver from 'semver';
import { describeValue } from './describe-value.ts';

/** A part of a manifest that is not what it must be: the parts of the sentence that says so. */
export interface Mismatch {
  /** From the manifest down: 'requires[0].token.name'. */
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

/** The part of a token that is not what {@link defineService} or {@link definePoint} would have made it. Paths begin with a dot. */
export function findTokenMismatch(token: unknown): Mismatch | undefined {
  if (!isRecord(token) || (token.sort !== 'service' && token.sort !== 'point')) {
    return { path: '', expected: 'a token made by defineService(…) or definePoint(…)', found: describeValue(token) };
  }
  const { name, version, key } = token;
  if (typeof name !== 'string' || name === '') {
    return { path: '.name', expected: "the interface's name", found: describeValue(name) };
  }
  if (typeof version !== 'string' || !/^\d/.test(version) || semver.valid(version) === null) {
    return { path: '.version', expected: "a semver version such as '1.2.3'", found: describeValue(version) };
  }
  const expectedKey = `softnet:${name}@${semver.major(version)}`;
  if (key !== Symbol.for(expectedKey)) {
    return { path: '.key', expected: `Symbol.for('${expectedKey}')`, found: typeof key === 'symbol' ? String(key) : describeValue(key) };
  }
  return token.sort === 'service' ? findServiceMismatch(token) : undefined;
}

function findServiceMismatch(token: Readonly<Record<string, unknown>>): Mismatch | undefined {
  const { errno, methods, absent } = token;
  if (typeof errno !== 'string' || !Object.hasOwn(ERRNO, errno)) {
    return { path: '.errno', expected: "an errno name of the contract's ERRNO", found: describeValue(errno) };
  }
  if (methods !== undefined && !(Array.isArray(methods) && methods.every((method) => typeof method === 'string'))) {
    return { path: '.methods', expected: 'an array of method names, or left out', found: describeValue(methods) };
  }
  if (typeof absent !== 'function') {
    return { path: '.absent', expected: 'a function that makes the stand-in', found: describeValue(absent) };
  }
  return undefined;
}

/** A token that stands twice in a list: copies of one token count as the same, as their keys are equal. */
export function findDuplicate(list: 'requires' | 'provides', tokens: readonly AnyToken[]): Mismatch | undefined {
  const firstAt = new Map<symbol, number>();
  for (const [index, { name, key }] of tokens.entries()) {
    const first = firstAt.get(key);
    if (first !== undefined) {
      return { path: `${list}[${index}]`, expected: 'named once in the list', found: `'${name}' again, as in ${list}[${first}]` };
    }
    firstAt.set(key, index);
  }
  return undefined;
}

/** An object whose fields can be asked for. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
