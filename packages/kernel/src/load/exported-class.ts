import type { ModuleClass } from '@softnet/contract';
import { manifestOf, NetError } from '@softnet/contract';
import { describeValue } from './describe-value.ts';

const EXPECTED = 'a plugin must export one class marked with @Module({ … })';
const MAX_LISTED = 8;

/**
 * The module class among the exports of a bundle: they themselves, their `default`, or the only marked class of them. Reads
 * strangers' objects, so it may throw anything; what is its own to say, it returns.
 */
export function findModuleClass(exports: unknown, filename: string): ModuleClass | NetError {
  if (isMarked(exports)) {
    return exports;
  }
  const named = listExports(exports);
  const byDefault = named.find(([name]) => name === 'default')?.[1];
  if (isMarked(byDefault)) {
    return byDefault;
  }
  const marked = named.filter(([, value]) => isMarked(value));
  const classes = new Set(marked.map(([, value]) => value as ModuleClass));
  const [only] = classes;
  if (only === undefined) {
    return noneFound(exports, named, filename);
  }
  if (classes.size > 1) {
    const names = marked.map(([name]) => name).join(', ');
    const advice = 'Export the one to load as default, and give the others bundles of their own.';
    return new NetError('EINVAL', `bundle ${filename} exports ${classes.size} modules (${names}), but ${EXPECTED}. ${advice}`);
  }
  return only;
}

function isMarked(value: unknown): value is ModuleClass {
  return typeof value === 'function' && manifestOf(value) !== undefined;
}

function listExports(exports: unknown): [name: string, value: unknown][] {
  const isThing = (typeof exports === 'object' && exports !== null) || typeof exports === 'function';
  return isThing ? Object.keys(exports).map((name) => [name, (exports as Record<string, unknown>)[name]]) : [];
}

function noneFound(exports: unknown, named: readonly (readonly [string, unknown])[], filename: string): NetError {
  const isPlainThing = typeof exports === 'object' && exports !== null;
  if (exports === undefined || exports === null || (isPlainThing && named.length === 0)) {
    return new NetError(
      'EINVAL',
      `bundle ${filename} exports nothing, but ${EXPECTED}. Write \`export default class …\` and build it as CommonJS.`,
    );
  }
  const found = isPlainThing ? describeExports(named) : describeExport(exports);
  const advice = 'Mark the class with @Module of @softnet/contract, and export it.';
  return new NetError('EINVAL', `bundle ${filename} exports ${found}, but ${EXPECTED}. ${advice}`);
}

function describeExports(named: readonly (readonly [string, unknown])[]): string {
  const listed = named.slice(0, MAX_LISTED).map(([name, value]) => `${name} (${describeExport(value)})`);
  return listed.join(', ') + (named.length > MAX_LISTED ? ` and ${named.length - MAX_LISTED} more` : '');
}

function describeExport(value: unknown): string {
  return typeof value === 'function' ? 'a function or class without a manifest' : describeValue(value);
}
