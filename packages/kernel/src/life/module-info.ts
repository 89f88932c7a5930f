import type { ModuleInfo } from '../api.ts';
import type { Generation } from './generation.ts';
import type { Roster } from './roster.ts';

/** One generation as plain data. */
export function describeModule(generation: Generation, { dependence }: Roster): ModuleInfo {
  const { name, number, manifest, state, throws, trouble } = generation;
  return {
    name,
    generation: number,
    version: manifest.version,
    summary: manifest.summary,
    state,
    needs: dependence.providers(generation).map(({ label }) => label),
    neededBy: dependence.directDependents(generation).map(({ label }) => label),
    usage: generation.usage(),
    throws,
    trouble,
  };
}
