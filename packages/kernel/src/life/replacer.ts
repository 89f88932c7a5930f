import { NetError } from '@softnet/contract';
import type { ModuleSource, ReplaceOptions, ReplaceReport } from '../api.ts';
import { loadOrder } from '../load/load-order.ts';
import type { CheckedManifest } from '../load/manifest-check.ts';
import type { Known } from '../load/requirements.ts';
import { meets } from '../load/requirements.ts';
import type { Generation } from './generation.ts';
import { HandOver } from './hand-over.ts';
import type { Loader } from './loader.ts';
import type { Roster } from './roster.ts';
import type { Starter } from './starter.ts';
import type { Unloader } from './unloader.ts';

/** Replaces a live generation by one of another build. */
export class Replacer {
  readonly #roster: Roster;
  readonly #loader: Loader;
  readonly #starter: Starter;
  readonly #unloader: Unloader;

  constructor(roster: Roster, loader: Loader, starter: Starter, unloader: Unloader) {
    this.#roster = roster;
    this.#loader = loader;
    this.#starter = starter;
    this.#unloader = unloader;
  }

  /** @throws NetError (the promise rejects); then the old generation never left. */
  async replace(name: string, source: ModuleSource, options: ReplaceOptions): Promise<ReplaceReport> {
    const old = this.#roster.get(name, 'replace');
    refuseUnlessLive(old);
    const { moduleClass, manifest } = this.#loader.open(source);
    this.#check(old, manifest);
    const young = await this.#starter.start(moduleClass, manifest);
    try {
      refuseUnlessLive(old);
      return this.#change(old, young, options);
    } catch (error) {
      throw this.#starter.giveUp(young, error as Error);
    }
  }

  /** Everything here is one tick: what may fail comes first, then the new generation takes over. */
  #change(old: Generation, young: Generation, options: ReplaceOptions): ReplaceReport {
    const handOver = new HandOver(old, young);
    const mode = prepare(handOver, old, young, options.mode);
    this.#starter.goLive(young);
    const adopted = handOver.complete();
    const { forceAfterMs } = options;
    const drained = this.#unloader.start([old], forceAfterMs === undefined ? {} : { deadlineMs: forceAfterMs, onDeadline: 'force' });
    return { from: old.label, to: young.label, mode, adopted, drained };
  }

  /** Would the new build serve all whom the old one serves, and find all that it needs? */
  #check(old: Generation, manifest: CheckedManifest): void {
    const details = { syscall: 'replace', module: old.label };
    if (manifest.name !== old.name) {
      throw new NetError(
        'EINVAL',
        `${old.label} can be replaced by another ${old.name}, but this is ${manifest.name}: load that one beside it`,
        details,
      );
    }
    const young: Known = { name: manifest.name, manifest, state: 'offered' };
    const others = this.#roster.all.filter((generation) => generation !== old);
    for (const dependent of others) {
      const lost = dependent.manifest.requires.find((need) => need.need !== 'optional' && meets(old, need) && !meets(young, need));
      if (lost === undefined || others.some((other) => other.state === 'live' && meets(other, lost))) continue;
      const offers = manifest.provides.find(({ name }) => name === lost.token.name)?.version ?? 'none';
      const sentence = `${dependent.label} requires ${lost.token.name} ${lost.range}, but ${manifest.name} ${manifest.version} provides ${offers}`;
      throw new NetError('EBUSY', `${old.label} cannot be replaced: ${sentence}`, details);
    }
    loadOrder<Known>(young, [...others, young]);
  }
}

function refuseUnlessLive(generation: Generation): void {
  if (generation.state === 'live') return;
  const advice = generation.state === 'starting' ? 'await its load first' : 'load makes a new generation beside it';
  throw new NetError('EBUSY', `${generation.label} is ${generation.state}, and only a live module is replaced: ${advice}`, {
    syscall: 'replace',
    module: generation.label,
  });
}

/** Readies the objects that move: all, or, where the old generation drains, its parked listeners. */
function prepare(handOver: HandOver, old: Generation, young: Generation, wanted: ReplaceOptions['mode']): 'handover' | 'drain' {
  const must = wanted === 'handover' || old.manifest.registry || young.manifest.registry;
  if (must && wanted === 'drain') {
    throw new NetError(
      'EBUSY',
      `${old.label} owns a registry that its users share, so it cannot drain beside another: replace it by hand-over`,
      {
        module: old.label,
      },
    );
  }
  if (must || wanted === undefined) {
    const obstacle = handOver.obstacle();
    try {
      if (obstacle !== undefined) throw new NetError('EBUSY', `hand-over is impossible: ${obstacle}`, { module: old.label });
      handOver.prepare('all');
      return 'handover';
    } catch (error) {
      if (must) throw error;
    }
  }
  handOver.prepare('parked');
  return 'drain';
}
