import type { AnyToken, Requirement } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import semver from 'semver';
import type { ModuleState } from '../api.ts';
import { describeValue } from './describe-value.ts';
import type { CheckedManifest } from './manifest-check.ts';

/** A module as the resolver sees it: one generation, or one that was only offered. Lists are in order of loading, then of offering. */
export interface Known {
  readonly name: string;
  /** `name#generation`, of one that was loaded. */
  readonly label?: string;
  readonly manifest: CheckedManifest;
  readonly state: ModuleState | 'offered';
}

/** The entry of a module's `provides` for the requirement's token, of whatever version; same major, as the key has it. */
export function findProvision({ manifest }: Known, { token }: Requirement): AnyToken | undefined {
  return manifest.provides.find((provision) => provision.key === token.key && provision.sort === token.sort);
}

/** True where the module provides what is required, in a version that the range admits. */
export function meets(module: Known, requirement: Requirement): boolean {
  const provision = findProvision(module, requirement);
  return provision !== undefined && semver.satisfies(provision.version, requirement.range);
}

/**
 * The module of this name: the newest that lives, else the one that was offered, else the newest that leaves.
 * @throws NetError ENOENT, with the names that are known.
 */
export function findModule<T extends Known>(name: string, known: readonly T[]): T {
  const named = known.filter((module) => module.name === name && module.state !== 'gone');
  const found =
    named.findLast(({ state }) => state === 'live' || state === 'starting') ??
    named.find(({ state }) => state === 'offered') ??
    named.at(-1);
  if (found === undefined) {
    const names = [...new Set(known.filter(({ state }) => state !== 'gone').map((module) => module.name))].sort();
    const list = names.length === 0 ? 'no module is known at all' : `known are ${names.join(', ')}`;
    throw new NetError(
      'ENOENT',
      `module ${describeValue(name)} is unknown; ${list}. Offer it first (kernel.offer), or load its class or bundle.`,
      { module: String(name) },
    );
  }
  return found;
}
