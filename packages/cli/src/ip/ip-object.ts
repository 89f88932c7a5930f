import type { NetHost } from '@softnet/testkit';
import { UsageError } from '../usage-error.ts';

/** What was asked of `ip`, behind the verb. */
export interface IpRequest {
  readonly host: NetHost;
  /** -4 and -6; undefined: neither was said. */
  readonly family: number | undefined;
  /** -s. */
  readonly statistics: boolean;
  /** -br. */
  readonly brief: boolean;
  readonly words: readonly string[];
  print(line: string): void;
}

/** One of the things that `ip` is about. */
export interface IpObject {
  /** In full, with other spellings; each may be cut short. */
  readonly names: readonly string[];
  /** By name; each may be cut short, and then means the first that begins so. */
  readonly verbs: Readonly<Record<string, (request: IpRequest) => void | Promise<void>>>;
  /** Lines of how it is used, without `ip` in front. */
  readonly usage: readonly string[];
}

/** What stands in words: `dev eth0 via 10.0.0.1` by key, and all else in its order. */
export interface KeyedWords {
  readonly rest: readonly string[];
  readonly by: Readonly<Record<string, string | undefined>>;
}

/**
 * Sorts words into pairs of the keys given, and the rest.
 * @throws UsageError for a key without a value, or twice, and where the rest is longer than `restWords`.
 */
export function readKeyed(words: readonly string[], keys: readonly string[], restWords: number): KeyedWords {
  const rest: string[] = [];
  const by: Record<string, string> = {};
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (!keys.includes(word)) {
      rest.push(word);
      continue;
    }
    const value = words[++at];
    if (value === undefined) throw new UsageError(`'${word}' wants a value behind it`);
    if (by[word] !== undefined) throw new UsageError(`'${word}' stands there twice`);
    by[word] = value;
  }
  if (rest.length > restWords) throw new UsageError(`what is '${oddWord(rest, restWords)}'? Known here: ${keys.join(', ')}`);
  return { rest, by };
}

/** Of too many words the one that is not known: rather 'advmss' than what stands behind it. */
export function oddWord(rest: readonly string[], restWords: number): string {
  const isPlain = (word: string): boolean => /^[a-z_]+$/.test(word);
  return rest.slice(1).find(isPlain) ?? rest.find(isPlain) ?? rest[restWords]!;
}

/** Words without this one, and whether it was there. */
export function takeFlag(words: readonly string[], flag: string): { readonly words: readonly string[]; readonly given: boolean } {
  const left = words.filter((word) => word !== flag);
  return { words: left, given: left.length < words.length };
}

/** The word that must be there. @throws UsageError saying what is missing. */
export function wanted(word: string | undefined, what: string): string {
  if (word === undefined) throw new UsageError(`${what} is missing`);
  return word;
}

/** A whole number in words. @throws UsageError */
export function wholeNumber(word: string, what: string): number {
  if (/^\d{1,9}$/.test(word)) return Number(word);
  throw new UsageError(`${what} takes a whole number, got '${word}'`);
}

/** A number up to 32 bits, also '0x10'. @throws UsageError */
export function anyNumber(word: string, what: string): number {
  const number = /^(\d{1,10}|0x[\da-f]{1,8})$/i.test(word) ? Number(word) : Number.NaN;
  if (number <= 0xffffffff) return number;
  throw new UsageError(`${what} takes a number, got '${word}'`);
}

/** The value of a word, where it has one. @throws UsageError */
export function named<T>(word: string, value: T | undefined, what: string): T {
  if (value === undefined) throw new UsageError(`${what}, got '${word}'`);
  return value;
}

/** The first of the names that is, or begins with, the word. */
export function byBeginning(names: readonly string[], word: string): string | undefined {
  return names.find((name) => name === word) ?? names.find((name) => name.startsWith(word));
}
