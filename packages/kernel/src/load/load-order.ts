import type { Requirement } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import { missingError, versionConflict } from './missing-requirement.ts';
import type { Known } from './requirements.ts';
import { findProvision, meets } from './requirements.ts';

/**
 * What must be loaded for `target`, in this order; `target` is the last. Nothing but offered modules is loaded.
 *
 * - Providers are looked for among the live modules first, then among those that this plan loads anyway, then among the
 *   offered: **the first offered that fits is taken**, as offering one more must not break loads that worked. Who wants
 *   another one loads it first, by name.
 * - A `one` is never sought elsewhere while a live or planned module provides that service in a version that does not fit:
 *   two would provide it. That is a version conflict.
 * - `some` needs one contributor, and loads the first offered where none is live or planned.
 * - `optional` loads nothing, but what is loaded anyway goes first, unless it needs the requirer itself.
 *
 * For a replace, leave the old generation out of `known`.
 *
 * @throws NetError ENOENT: a requirement that nobody provides; ELIBBAD: provided in other versions only; ELOOP: a cycle, with its
 * path; ESHUTDOWN, EAGAIN: its provider leaves, or starts just now; EEXIST: two modules would provide one service.
 */
export function loadOrder<T extends Known>(target: T, known: readonly T[]): T[] {
  const plan = new Plan(target, known);
  plan.add(target);
  refuseRivals(target, [...known.filter(isPresent), ...plan.needs.keys()]);
  return sortPlan(plan.needs);
}

const isPresent = ({ state }: Known): boolean => state === 'live' || state === 'starting';

/** Which modules are to be loaded, and which of those each one needs. */
class Plan<T extends Known> {
  /** What each planned module needs of the other planned ones. */
  readonly needs = new Map<T, Set<T>>();
  /** From the target down to the module that is being resolved. */
  private readonly path: T[] = [];
  private readonly known: readonly T[];
  private readonly candidates: readonly T[];

  constructor(target: T, known: readonly T[]) {
    this.known = known;
    const taken = new Set([target, ...known.filter(isPresent)].map(({ name }) => name));
    this.candidates = known.filter((module) => module.state === 'offered' && !taken.has(module.name));
  }

  /** Plans a module and all that it needs, depth first. */
  add(module: T): void {
    const needs = new Set<T>();
    this.needs.set(module, needs);
    this.path.push(module);
    // Services first: what provides them may contribute to the points too.
    const hard = module.manifest.requires.filter(({ need }) => need !== 'optional');
    for (const requirement of hard.toSorted((a, b) => Number(a.need === 'some') - Number(b.need === 'some'))) {
      const provider = requirement.need === 'one' ? this.provider(requirement) : this.contributor(requirement);
      if (provider.state === 'live') {
        continue;
      }
      if (this.path.includes(provider)) {
        throw this.cycle(provider, requirement);
      }
      needs.add(provider);
      if (!this.needs.has(provider)) {
        this.add(provider);
      }
    }
    this.path.pop();
  }

  private provider(requirement: Requirement): T {
    const present = [...this.live(), ...this.needs.keys()].find((module) => findProvision(module, requirement) !== undefined);
    if (present !== undefined && !meets(present, requirement)) {
      throw versionConflict(this.path, requirement, [present]);
    }
    if (present === undefined && this.known.some((module) => module.state === 'starting' && meets(module, requirement))) {
      return this.missing(requirement);
    }
    return present ?? this.candidates.find((module) => this.isLoadable(module) && meets(module, requirement)) ?? this.missing(requirement);
  }

  private contributor(requirement: Requirement): T {
    const able = [...this.live(), ...this.needs.keys(), ...this.candidates.filter((module) => this.isLoadable(module))].filter((module) =>
      meets(module, requirement),
    );
    // One that waits for this very module is the last choice: it ends in a cycle.
    return able.find((module) => !this.path.includes(module)) ?? able[0] ?? this.missing(requirement);
  }

  private live(): T[] {
    return this.known.filter(({ state }) => state === 'live');
  }

  /** Two builds of one name cannot both be loaded. */
  private isLoadable(module: T): boolean {
    return [...this.needs.keys()].every((planned) => planned === module || planned.name !== module.name);
  }

  private missing(requirement: Requirement): never {
    throw missingError(this.path, requirement, this.known);
  }

  private cycle(provider: T, requirement: Requirement): NetError {
    const names = [...this.path.slice(this.path.indexOf(provider)), provider].map(({ name }) => name);
    const last = this.path.at(-1) as T;
    const what = requirement.need === 'some' ? `a contributor to '${requirement.token.name}'` : `a provider of '${requirement.token.name}'`;
    return new NetError(
      'ELOOP',
      `module '${this.path[0]?.name}' must be loadable after what it requires, but the requirements run in a circle: ${names.join(' → ')}. ` +
        `'${last.name}' waits for ${what}: load another one first, or make one of these requirements optional.`,
      { syscall: 'load', module: last.name },
    );
  }
}

/** Of a service there is at most one live provider: the plan is refused before any of it starts. */
function refuseRivals(target: Known, modules: readonly Known[]): void {
  const providerOf = new Map<symbol, Known>();
  for (const module of new Set(modules)) {
    for (const token of module.manifest.provides.filter(({ sort }) => sort === 'service')) {
      const first = providerOf.get(token.key);
      // Two that are there already are somebody else's affair: one of them is about to replace the other.
      if (first !== undefined && first.name !== module.name) {
        throw new NetError(
          'EEXIST',
          `module '${target.name}' cannot be loaded: '${first.name}' (${first.state}) and '${module.name}' (${module.state}) would both provide ` +
            `the service '${token.name}', but one module may. Replace '${first.name}' by '${module.name}', or do without one of them.`,
          { syscall: 'load', module: module.name },
        );
      }
      providerOf.set(token.key, module);
    }
  }
}

/** Providers before those who need them; optional ones too, where that makes no circle. */
function sortPlan<T extends Known>(needs: ReadonlyMap<T, ReadonlySet<T>>): T[] {
  const before = new Map([...needs].map(([module, providers]) => [module, new Set(providers)]));
  for (const module of before.keys()) {
    for (const requirement of module.manifest.requires.filter(({ need }) => need === 'optional')) {
      const provider = [...before.keys()].find((other) => meets(other, requirement));
      if (provider !== undefined && !reaches(before, provider, module)) {
        before.get(module)?.add(provider);
      }
    }
  }
  const order = new Set<T>();
  const place = (module: T): void => {
    for (const provider of before.get(module) ?? []) {
      if (!order.has(provider)) {
        place(provider);
      }
    }
    order.add(module);
  };
  for (const module of before.keys()) {
    place(module);
  }
  return [...order];
}

function reaches<T>(edges: ReadonlyMap<T, ReadonlySet<T>>, from: T, to: T): boolean {
  const seen = new Set([from]);
  for (const module of seen) {
    if (module === to) {
      return true;
    }
    for (const next of edges.get(module) ?? []) {
      seen.add(next); // a Set's iteration reaches what is added meanwhile
    }
  }
  return false;
}
