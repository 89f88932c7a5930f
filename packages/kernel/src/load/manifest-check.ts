import type { AnyToken, Manifest, Requirement } from '@softnet/contract';
import { CONTRACT_VERSION, NetError } from '@softnet/contract';
import semver from 'semver';
import { describeThrown, describeValue } from './describe-value.ts';
import type { Mismatch } from './token-check.ts';
import { findDuplicate, findTokenMismatch, isRecord } from './token-check.ts';

/** A manifest that holds what its type says, with every field filled in. */
export type CheckedManifest = Readonly<Required<Manifest>>;

/** What a field must be, and what it is where the author left it out. */
interface Field {
  readonly expected: string;
  readonly fallback?: unknown;
  accepts(value: unknown): boolean;
}

const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const isText = (value: unknown): value is string => typeof value === 'string';
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isRange = (value: unknown): value is string => isText(value) && value.trim() !== '' && semver.validRange(value) !== null;
const REMEDY = 'Correct it in @Module({ … }) and build again.';

const FIELDS: Readonly<Record<keyof Manifest, Field>> = Object.freeze({
  name: {
    expected: 'a lower-case name such as my-module ([a-z][a-z0-9-]*, up to 63 characters)',
    accepts: (v) => isText(v) && NAME.test(v),
  },
  version: { expected: "a semver version such as '1.2.3'", accepts: (v) => isText(v) && /^\d/.test(v) && semver.valid(v) !== null },
  summary: { expected: 'a sentence (a string)', fallback: '', accepts: isText },
  contract: { expected: "a semver range such as '^1.0.0'", fallback: `^${CONTRACT_VERSION}`, accepts: isRange },
  requires: { expected: 'an array of one(…), optional(…) and some(…)', fallback: Object.freeze([]), accepts: Array.isArray },
  provides: { expected: 'an array of tokens', fallback: Object.freeze([]), accepts: Array.isArray },
  registry: { expected: 'true or false', fallback: false, accepts: isFlag },
  realTime: { expected: 'true or false', fallback: false, accepts: isFlag },
});

/**
 * Checks what `manifestOf(class)` gave, which may be anything: a stranger wrote it, against another contract perhaps.
 *
 * @param where the file or class it comes from, for the sentence of the error.
 * @throws NetError ELIBBAD where it was written for another contract (checked before the rest, which that one may
 * define otherwise); EINVAL for the first thing that is wrong, with its field, what was expected, and what was found.
 */
export function checkManifest(raw: unknown, where: string): CheckedManifest {
  if (raw === undefined) {
    throw new NetError('EINVAL', `${where} has no manifest, but a module is a class marked with @Module({ name, version, … }). Mark it.`);
  }
  let name: string | undefined;
  try {
    const manifest = readFields(raw, where);
    name = manifest.name;
    const mismatch = findRequirementMismatch(manifest.requires) ?? findProvisionMismatch(manifest.provides);
    if (mismatch !== undefined) {
      throw wrongField(subject(name, where), name, mismatch);
    }
    return manifest;
  } catch (error) {
    if (error instanceof NetError) {
      throw error;
    }
    // A getter or a proxy of the stranger's threw.
    const sentence = `the manifest of ${subject(name, where)} must be a plain object, but reading it threw ${describeThrown(error)}. ${REMEDY}`;
    throw new NetError('EINVAL', sentence, { ...(name !== undefined && { module: name }), cause: error });
  }
}

/** The manifest with each field of its right type, and defaults filled in; requirements and tokens are not looked into. */
function readFields(raw: unknown, where: string): CheckedManifest {
  if (!isRecord(raw)) {
    const mismatch = { path: '', expected: 'an object { name, version, … }', found: describeValue(raw) };
    throw wrongField(where, undefined, mismatch);
  }
  const name = readField(raw, 'name', where, undefined) as string;
  const of = subject(name, where);
  const contract = readField(raw, 'contract', of, name) as string;
  if (!semver.satisfies(CONTRACT_VERSION, contract)) {
    throw new NetError(
      'ELIBBAD',
      `${of} was written for contract ${contract}, but this host has @softnet/contract ${CONTRACT_VERSION}. ` +
        `Build it against contract ${CONTRACT_VERSION}, or load it into a host whose contract is ${contract}.`,
      { module: name },
    );
  }
  const unknown = Object.keys(raw).find((field) => !Object.hasOwn(FIELDS, field));
  if (unknown !== undefined) {
    const known = Object.keys(FIELDS).join(', ');
    throw new NetError(
      'EINVAL',
      `${of}: the manifest has an unknown field ${describeValue(unknown)}; expected are ${known}. Is it misspelt? ${REMEDY}`,
      { module: name },
    );
  }
  const fields = (Object.keys(FIELDS) as (keyof Manifest)[]).map((field) => [field, readField(raw, field, of, name)]);
  return Object.freeze(Object.fromEntries(fields)) as unknown as CheckedManifest;
}

function readField(raw: Readonly<Record<string, unknown>>, name: keyof Manifest, of: string, module: string | undefined): unknown {
  const field = FIELDS[name];
  const value = raw[name] === undefined ? field.fallback : raw[name];
  if (!field.accepts(value)) {
    throw wrongField(of, module, { path: name, expected: field.expected, found: describeValue(value) });
  }
  return Array.isArray(value) ? Object.freeze([...value]) : value;
}

function findRequirementMismatch(requires: readonly Requirement[]): Mismatch | undefined {
  for (const [index, requirement] of requires.entries()) {
    const mismatch = findNeedMismatch(requirement);
    if (mismatch !== undefined) {
      return { ...mismatch, path: `requires[${index}]${mismatch.path}` };
    }
  }
  const tokens = requires.map(({ token }) => token);
  return findDuplicate('requires', tokens);
}

function findNeedMismatch(requirement: unknown): Mismatch | undefined {
  if (!isRecord(requirement) || !isText(requirement.need) || !['one', 'optional', 'some'].includes(requirement.need)) {
    const found = isRecord(requirement) && 'need' in requirement ? `need: ${describeValue(requirement.need)}` : describeValue(requirement);
    return { path: '', expected: 'made by one(token), optional(token) or some(point)', found };
  }
  const mismatch = findTokenMismatch(requirement.token);
  if (mismatch !== undefined) {
    return { ...mismatch, path: `.token${mismatch.path}` };
  }
  const token = requirement.token as AnyToken;
  const sort = requirement.need === 'some' ? 'point' : 'service';
  if (token.sort !== sort) {
    const instead = sort === 'point' ? 'one(…) and optional(…) are for services' : 'some(…) is for points';
    return {
      path: '.token',
      expected: `a ${sort}, as it stands in ${requirement.need}(…)`,
      found: `the ${token.sort} '${token.name}'; ${instead}`,
    };
  }
  return findRangeMismatch(requirement.range, token);
}

function findRangeMismatch(range: unknown, token: AnyToken): Mismatch | undefined {
  if (!isRange(range)) {
    return { path: '.range', expected: "a semver range such as '^1.0.0'", found: describeValue(range) };
  }
  // The key of a token has its major in it: a provider of another one is never looked at.
  const major = `${semver.major(token.version)}.x`;
  if (!semver.intersects(range, major, { includePrerelease: true })) {
    const expected = `a range that admits ${token.name} ${major}, which is the token that was handed in`;
    return { path: '.range', expected, found: describeValue(range) };
  }
  return undefined;
}

function findProvisionMismatch(provides: readonly AnyToken[]): Mismatch | undefined {
  for (const [index, token] of provides.entries()) {
    const mismatch = findTokenMismatch(token);
    if (mismatch !== undefined) {
      return { ...mismatch, path: `provides[${index}]${mismatch.path}` };
    }
  }
  return findDuplicate('provides', provides);
}

function wrongField(of: string, module: string | undefined, { path, expected, found }: Mismatch): NetError {
  const what = path === '' ? 'the manifest' : `the manifest's ${path}`;
  const sentence = `${of}: ${what} must be ${expected}, but is ${found}. ${REMEDY}`;
  return new NetError('EINVAL', sentence, module === undefined ? {} : { module });
}

function subject(name: string | undefined, where: string): string {
  return name === undefined ? where : `module '${name}' (${where})`;
}
