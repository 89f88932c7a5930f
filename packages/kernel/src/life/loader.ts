import type { ModuleClass } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { Bundle, ModuleSource } from '../api.ts';
import { loadOrder } from '../load/load-order.ts';
import type { CheckedManifest } from '../load/manifest-check.ts';
import { checkModule } from '../load/module-check.ts';
import type { Known } from '../load/requirements.ts';
import { findModule } from '../load/requirements.ts';
import type { Generation } from './generation.ts';
import type { Roster } from './roster.ts';
import type { Starter } from './starter.ts';
import { isLeaving } from './states.ts';

/** Evaluates a bundle's text with the host's libraries. */
export type Evaluate = (bundle: Bundle) => ModuleClass;

/** A module that could be loaded. A bundle is evaluated anew at each load, so that its code can be collected after it. */
export interface Offered extends Known {
  readonly state: 'offered';
  readonly source: ModuleSource;
}

/** Finds modules and what they require, and loads them in order. */
export class Loader {
  readonly #roster: Roster;
  readonly #starter: Starter;
  readonly #evaluate: Evaluate;
  #offered: readonly Offered[] = [];

  constructor(roster: Roster, starter: Starter, evaluate: Evaluate) {
    this.#roster = roster;
    this.#starter = starter;
    this.#evaluate = evaluate;
  }

  /** Makes a module known, for loads by name and for requirements. A later offer of a name takes the place of the earlier. */
  offer(source: ModuleSource): string {
    const { manifest } = this.open(source);
    this.#offered = [...this.#offered.filter(({ name }) => name !== manifest.name), offered(manifest, source)];
    return manifest.name;
  }

  get offeredNames(): string[] {
    return this.#offered.map(({ name }) => name);
  }

  /** Loads a module by source, or by the name of one that was offered; first what it requires. Returns its generation. */
  async load(source: ModuleSource | string): Promise<Generation> {
    const target = this.#target(source);
    this.#refuseTaken(target);
    const others = this.#offered.filter(({ name }) => name !== target.name);
    let last: Generation | undefined;
    for (const module of loadOrder<Known>(target, [...this.#roster.all, ...others, target])) {
      if (module !== target && this.#loadedMeanwhile(module.name)) continue;
      last = await this.#loadOne(module as Offered);
    }
    return last as Generation;
  }

  /** The class and manifest of a source. @throws NetError for all that can be wrong with one. */
  open(source: ModuleSource): { moduleClass: ModuleClass; manifest: CheckedManifest } {
    const isBundle = typeof source === 'object' && source !== null && 'code' in source;
    const moduleClass = isBundle ? this.#evaluate(source) : source;
    const where = isBundle ? source.filename : (source as { name?: string })?.name || 'the module';
    return { moduleClass, manifest: checkModule(moduleClass, where) };
  }

  async #loadOne(module: Offered): Promise<Generation> {
    this.#refuseTaken(module);
    const { moduleClass, manifest } = this.open(module.source);
    const generation = await this.#starter.start(moduleClass, manifest);
    await this.#starter.goLive(generation);
    return generation;
  }

  /** Somebody else loaded a requirement while this plan was at work. */
  #loadedMeanwhile(name: string): boolean {
    return this.#roster.all.some((generation) => generation.name === name && generation.phase === 'live');
  }

  #target(source: ModuleSource | string): Offered {
    if (typeof source !== 'string') return offered(this.open(source).manifest, source);
    const found = findModule<Known>(source, [...this.#roster.all, ...this.#offered]);
    const known = this.#offered.find(({ name }) => name === source);
    if (known !== undefined) return known;
    this.#refuseTaken(found);
    throw new NetError('ENOENT', `${source} leaves, and its source was not offered: load its class or bundle`, {
      syscall: 'load',
      module: source,
    });
  }

  /** A name has one generation that takes new work. */
  #refuseTaken({ name }: { readonly name: string }): void {
    const there = this.#roster.find(name);
    if (there === undefined) return;
    const details = { syscall: 'load', module: there.label };
    if (there.phase === 'starting') throw new NetError('EALREADY', `${there.label} is starting already: await that load`, details);
    if (there.phase === 'live') throw new NetError('EEXIST', `${there.label} is loaded: unload it first, or replace it`, details);
    if (there.phase === 'returning') throw new NetError('EBUSY', `${there.label} is coming back to live: replace it when it is`, details);
    if (isLeaving(there.phase) && there.manifest.registry) {
      const why = 'it owns a registry, of which there is one: abort its unload, or load it again when it is gone';
      throw new NetError('EBUSY', `${there.label} is leaving and cannot have a second generation beside it: ${why}`, details);
    }
  }
}

function offered(manifest: CheckedManifest, source: ModuleSource): Offered {
  return { name: manifest.name, manifest, state: 'offered', source };
}
