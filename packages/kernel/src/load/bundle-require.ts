import { NetError } from '@softnet/contract';
import { describeValue } from './describe-value.ts';

/** Gives a built-in of Node by its name, with or without `node:`; undefined where there is none of that name. */
export type ResolveBuiltin = (name: string) => unknown;

/** What a bundle may ask for. */
export interface BundleLibraries {
  readonly libraries: Readonly<Record<string, unknown>>;
  readonly builtin: ResolveBuiltin | undefined;
}

/** The `require` of one bundle, and what the bundle asked of it. */
export interface BundleRequire {
  readonly require: (name: unknown) => unknown;
  /** Names that were handed in. */
  readonly given: ReadonlySet<string>;
  /** The refusals that it threw, to know them again when they come out of the bundle. */
  readonly refusals: ReadonlySet<unknown>;
}

/** Makes a `require` that hands in the host's libraries, and refuses everything else with what to do about it. */
export function makeBundleRequire(filename: string, host: BundleLibraries): BundleRequire {
  const given = new Set<string>();
  const refusals = new Set<unknown>();
  const require = (name: unknown): unknown => {
    if (typeof name === 'string') {
      if (Object.hasOwn(host.libraries, name)) {
        given.add(name);
        return host.libraries[name];
      }
      const builtin = host.builtin?.(name);
      if (builtin !== undefined) {
        return builtin;
      }
    }
    const refusal = refuse(filename, name, host);
    refusals.add(refusal);
    throw refusal;
  };
  return { require, given, refusals };
}

/** Names of Node's built-ins that plugins ask for without `node:`; only to give the better advice. */
const BUILTIN =
  /^(?:node:.*|assert|buffer|child_process|crypto|dgram|dns|events|fs|http|http2|https|module|net|os|path|perf_hooks|process|stream|timers|tls|tty|url|util|v8|vm|worker_threads|zlib)(?:\/promises)?$/;

function refuse(filename: string, name: unknown, host: BundleLibraries): NetError {
  const names = Object.keys(host.libraries).sort();
  const available = `the host hands in ${names.length === 0 ? 'nothing' : names.map((library) => `'${library}'`).join(', ')}`;
  const asked = `bundle ${filename} requires ${describeValue(name)}`;
  if (typeof name !== 'string') {
    return new NetError('EINVAL', `${asked}, but the name of a library must be a string; ${available}.`);
  }
  if (BUILTIN.test(name) && host.builtin === undefined) {
    const advice = 'Do without it, or ask the host to hand in built-ins (in Node: nodeBuiltins of @softnet/kernel/node).';
    return new NetError('EACCES', `${asked}, but this host gives plugins no built-ins of Node; ${available}. ${advice}`);
  }
  const advice = /^[./]|^file:/.test(name)
    ? 'Build it without code splitting (tsup: splitting: false).'
    : `Bundle '${name}' into it (tsup: noExternal: ['${name}']), or ask the host to hand it in.`;
  return new NetError('ENOENT', `${asked}, but a plugin is one CommonJS file, and ${available}. ${advice}`);
}
