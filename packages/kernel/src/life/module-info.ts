import type { ModuleInfo } from '../api.ts';
import { dependentsOf, needs } from '../load/dependents.ts';
import type { Generation } from './generation.ts';

/** One generation as plain data. */
export function describeModule(generation: Generation, all: readonly Generation[]): ModuleInfo {
  const { name, number, manifest, state, throws, trouble } = generation;
  return {
    name,
    generation: number,
    version: manifest.version,
    summary: manifest.summary,
    state,
    needs: all.filter((other) => needs(generation, other)).map(({ label }) => label),
    neededBy: dependentsOf(generation, all).map(({ label }) => label),
    usage: generation.usage(),
    throws,
    trouble,
  };
}
