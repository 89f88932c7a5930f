import { NetError } from '@softnet/contract';
import type { ModuleSource, ReplaceOptions, ReplaceReport, UnloadOptions } from '../api.ts';
import { loadOrder } from '../load/load-order.ts';
import type { CheckedManifest } from '../load/manifest-check.ts';
import type { Known } from '../load/requirements.ts';
import { meets } from '../load/requirements.ts';
import type { Generation } from './generation.ts';
import { HandOver, obstacleToHandOver } from './hand-over.ts';
import type { Loader } from './loader.ts';
import { checkMs } from './milliseconds.ts';
import type { Roster } from './roster.ts';
import type { Starter } from './starter.ts';
import type { Unloader } from './unloader.ts';

type ChosenOptions = ReplaceOptions & Pick<ReplaceReport, 'mode'>;

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
    checkMs('forceAfterMs', options.forceAfterMs);
    const { moduleClass, manifest } = this.#loader.open(source);
    this.#check(old, manifest);
    const young = await this.#starter.start(moduleClass, manifest);
    let handOver: HandOver;
    let mode: ReplaceReport['mode'];
    try {
      refuseUnlessLive(old);
      this.#check(old, manifest);
      mode = choose(old, young, options.mode);
      handOver = new HandOver(old, young, mode);
      handOver.prepare();
    } catch (error) {
      throw await this.#starter.giveUpStarted(young, error as Error);
    }
    return this.#change(old, young, handOver, { ...options, mode });
  }

  /** The tick in which the new generation takes over: nothing here fails. */
  #change(old: Generation, young: Generation, handOver: HandOver, { forceAfterMs, mode }: ChosenOptions): ReplaceReport {
    young.goLive();
    const adopted = handOver.complete();
    const options: UnloadOptions = forceAfterMs === undefined ? {} : { deadlineMs: forceAfterMs, onDeadline: 'force' };
    // Whoever listened to the change may have sent the old one away already.
    const drained = old.phase === 'live' ? this.#unloader.start([old], options) : this.#unloader.unload(old.label, options);
    handOver.tell();
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
  if (generation.phase === 'live') return;
  const advice = generation.state === 'starting' ? 'await its load first' : 'load makes a new generation beside it';
  throw new NetError('EBUSY', `${generation.label} is ${generation.state}, and only a live module is replaced: ${advice}`, {
    syscall: 'replace',
    module: generation.label,
  });
}

/** Hand-over where it is asked for, needed, or simply possible; else the old one drains. */
function choose(old: Generation, young: Generation, wanted: ReplaceOptions['mode']): 'handover' | 'drain' {
  const registry = old.manifest.registry || young.manifest.registry;
  const refuse = (why: string): NetError => new NetError('EBUSY', `${old.label} ${why}`, { module: old.label });
  if (registry && wanted === 'drain')
    throw refuse('owns a registry that its users share, so it cannot drain beside another: replace it by hand-over');
  if (wanted === 'drain') return 'drain';
  const obstacle = obstacleToHandOver(old, young);
  if (obstacle === undefined) return 'handover';
  if (registry || wanted === 'handover') throw refuse(`cannot be replaced, as hand-over is impossible: ${obstacle}`);
  return 'drain';
}
