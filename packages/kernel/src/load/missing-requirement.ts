import type { AnyToken, Requirement } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { Known } from './requirements.ts';
import { meets } from './requirements.ts';

/** From the module that was asked for down to the one whose requirement it is. */
type Path = readonly Known[];

/**
 * Why a requirement cannot be met, as the most helpful of: its provider leaves (ESHUTDOWN), starts just now (EAGAIN), is
 * there in other versions only (ELIBBAD), is nowhere (ENOENT).
 */
export function missingError(path: Path, requirement: Requirement, known: readonly Known[]): NetError {
  const able = known.filter((module) => meets(module, requirement));
  const leaving = able.find(({ state }) => state === 'withdrawing' || state === 'draining');
  if (leaving !== undefined) {
    const advice = `Abort that unload, or wait for its end and load '${leaving.name}' again.`;
    return error('ESHUTDOWN', path, requirement, `'${leaving.name}', which provides it, is ${leaving.state}. ${advice}`);
  }
  const starting = able.find(({ state }) => state === 'starting');
  if (starting !== undefined) {
    return error('EAGAIN', path, requirement, `'${starting.name}', which provides it, is only starting. Await its load first.`);
  }
  const others = known.filter((module) => module.state !== 'gone' && module !== path.at(-1));
  const near = others.filter((module) => findNamesake(module, requirement) !== undefined);
  return near.length > 0 ? versionConflict(path, requirement, near) : nobody(path, requirement, others);
}

/** The token is provided, but in no version that fits. ELIBBAD, with both versions. */
export function versionConflict(path: Path, requirement: Requirement, near: readonly Known[]): NetError {
  const found = near.map((module) => describeNear(module, requirement)).join('; ');
  const { token, range } = requirement;
  const [first] = near;
  const verb = first?.state === 'live' ? 'Replace' : 'Offer';
  const preposition = first?.state === 'live' ? 'by' : 'as';
  const advice =
    `${verb} '${first?.name}' ${preposition} a build that provides ${token.name} ${range}, ` +
    `or take a build of '${requirer(path).name}' for what is there.`;
  return error('ELIBBAD', path, requirement, `versions conflict: ${found}. ${advice}`);
}

function nobody(path: Path, requirement: Requirement, known: readonly Known[]): NetError {
  const names = known.filter(({ state }) => state === 'live' || state === 'offered').map(({ name }) => name);
  const list = names.length === 0 ? 'nothing else is known' : `known are ${[...new Set(names)].sort().join(', ')}`;
  const verb = requirement.need === 'some' ? 'contributes to' : 'provides';
  const advice = `Offer or load a module that ${verb} '${requirement.token.name}' ${requirement.range}.`;
  return error('ENOENT', path, requirement, `no known module does; ${list}. ${advice}`);
}

function error(code: 'ENOENT' | 'ELIBBAD' | 'ESHUTDOWN' | 'EAGAIN', path: Path, requirement: Requirement, rest: string): NetError {
  const module = requirer(path);
  const above = path.slice(0, -1).map(({ name }) => name);
  const via = above.length === 0 ? '' : ` (to load ${above.join(' → ')})`;
  const what = requirement.need === 'some' ? 'some live module to contribute to the point' : 'a live module to provide the service';
  const sentence = `module '${module.name}' ${module.manifest.version}${via} requires ${what} '${requirement.token.name}' ${requirement.range}, but ${rest}`;
  return new NetError(code, sentence, { syscall: 'load', module: module.name });
}

function requirer(path: Path): Known {
  const last = path.at(-1);
  if (last === undefined) {
    throw new Error('assertion failed: a requirement without a requirer');
  }
  return last;
}

/** A provision of the same name: of another version, another major, another sort. */
function findNamesake({ manifest }: Known, { token }: Requirement): AnyToken | undefined {
  return manifest.provides.find(({ name }) => name === token.name);
}

function describeNear(module: Known, requirement: Requirement): string {
  const provision = findNamesake(module, requirement);
  const sort = provision?.sort === requirement.token.sort ? '' : ` as a ${provision?.sort}`;
  const fits = meets(module, requirement) ? ', which would fit, but another build of that name is in the way' : '';
  return `'${module.name}' ${module.manifest.version} (${module.state}) provides '${provision?.name}' ${provision?.version}${sort}${fits}`;
}
