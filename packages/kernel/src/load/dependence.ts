import type { Requirement } from '@softnet/contract';
import type { Known } from './requirements.ts';
import { meets } from './requirements.ts';

/** A requirement that must be met as long as its module lives, and who meets it, in whatever state. */
interface Need<T extends Known> {
  readonly module: T;
  readonly requirement: Requirement;
  readonly providers: Set<T>;
}

/**
 * Who needs whom, among modules that are there. Versions are compared once for each pair, when the later of the two comes;
 * every question after that is a walk over the needs at hand, for unloads ask them at each release.
 */
export class Dependence<T extends Known> {
  /** All needs that a module could meet have the token's key in common. */
  readonly #byKey = new Map<symbol, Set<Need<T>>>();
  readonly #needsOf = new Map<T, readonly Need<T>[]>();
  readonly #served = new Map<T, Set<Need<T>>>();

  /** `all` in the order in which they were loaded. */
  constructor(all: readonly T[] = []) {
    for (const module of all) this.add(module);
  }

  /** A module is there now. One that is gone, or only offered, is not. */
  add(module: T): void {
    if (module.state === 'gone' || module.state === 'offered') return;
    this.#served.set(module, new Set());
    for (const key of new Set(module.manifest.provides.map((token) => token.key))) {
      for (const need of this.#byKey.get(key) ?? []) this.#link(need, module);
    }
    const hard = module.manifest.requires.filter(({ need }) => need !== 'optional');
    this.#needsOf.set(
      module,
      hard.map((requirement) => this.#addNeed(module, requirement)),
    );
  }

  /** A module is gone. */
  remove(module: T): void {
    for (const need of this.#needsOf.get(module) ?? []) {
      for (const provider of need.providers) this.#served.get(provider)?.delete(need);
      this.#byKey.get(need.requirement.token.key)?.delete(need);
    }
    for (const need of this.#served.get(module) ?? []) need.providers.delete(module);
    this.#needsOf.delete(module);
    this.#served.delete(module);
  }

  /** Whom a module needs now: those who meet its requirements, alone or with others. */
  providers(module: T): T[] {
    return [...new Set((this.#needsOf.get(module) ?? []).flatMap(({ providers }) => [...providers]))];
  }

  /** Those who need `provider`, and whom nobody else who is live serves. */
  directDependents(provider: T): T[] {
    const found = new Set<T>();
    for (const need of this.#served.get(provider) ?? []) if (!isMetBeside(need, (other) => other === provider)) found.add(need.module);
    return [...found];
  }

  /**
   * Who could not stay if `leaving` left: whose `one` it provides, or to whose `some` it is the last live contributor; and
   * who could not stay without those. In the order in which they must leave, dependents first; without `leaving` itself.
   */
  dependents(leaving: T): T[] {
    const going = new Set([leaving]);
    for (const gone of going) {
      for (const need of this.#served.get(gone) ?? []) {
        if (!isMetBeside(need, (other) => going.has(other))) going.add(need.module); // a Set's iteration reaches what is added meanwhile
      }
    }
    going.delete(leaving);
    return this.#leavingOrder([...this.#needsOf.keys()].filter((module) => going.has(module)));
  }

  /**
   * What a module lacks, as a sentence: 'it requires Route, and route#1 is leaving'. Undefined when a live module (or one
   * of `returning`) meets each of its requirements.
   */
  unmet(module: T, returning: ReadonlySet<T> = new Set()): string | undefined {
    for (const { requirement, providers } of this.#needsOf.get(module) ?? []) {
      const all = [...providers];
      if (all.some((provider) => provider.state === 'live' || returning.has(provider))) continue;
      const leaving = all.find(({ state }) => state === 'withdrawing' || state === 'draining');
      const why = leaving === undefined ? 'which nobody provides' : `and ${leaving.label ?? leaving.name} is leaving`;
      return `it requires ${requirement.token.name}, ${why}`;
    }
    return undefined;
  }

  /**
   * Each leaves at a moment when nobody who is still there would be bereft by it. Where they hold one another up in a circle
   * (two contributors that each require the point), the youngest goes first, and then those whom that left bereft.
   */
  #leavingOrder(going: readonly T[]): T[] {
    const left = new Set<T>();
    const remaining = going.toReversed();
    while (remaining.length > 0) {
      const free = remaining.filter((module) => this.#isFree(module, left));
      const next = free.find((module) => this.#isBereft(module, left)) ?? free[0] ?? (remaining[0] as T);
      remaining.splice(remaining.indexOf(next), 1);
      left.add(next);
    }
    return [...left];
  }

  /** Would nobody who is still there miss it? */
  #isFree(module: T, left: ReadonlySet<T>): boolean {
    const served = [...(this.#served.get(module) ?? [])];
    return served.every((need) => left.has(need.module) || isMetBeside(need, (other) => other === module || left.has(other)));
  }

  #isBereft(module: T, left: ReadonlySet<T>): boolean {
    return (this.#needsOf.get(module) ?? []).some((need) => !isMetBeside(need, (other) => left.has(other)));
  }

  #addNeed(module: T, requirement: Requirement): Need<T> {
    const { key } = requirement.token;
    const need: Need<T> = { module, requirement, providers: new Set() };
    const alike = this.#byKey.get(key) ?? new Set();
    this.#byKey.set(key, alike.add(need));
    for (const provider of this.#served.keys()) this.#link(need, provider);
    return need;
  }

  #link(need: Need<T>, provider: T): void {
    if (provider === need.module || !meets(provider, need.requirement)) return;
    need.providers.add(provider);
    this.#served.get(provider)?.add(need);
  }
}

/** Is the need met by somebody live who is not `leaving`? */
function isMetBeside<T extends Known>({ providers }: Need<T>, leaving: (provider: T) => boolean): boolean {
  for (const provider of providers) if (provider.state === 'live' && !leaving(provider)) return true;
  return false;
}
