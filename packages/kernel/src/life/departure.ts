import type { Held } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { FaultInfo, HolderInfo } from '../api.ts';
import { objectInfo, tallyInfo } from '../holds/holder-info.ts';
import type { ObjectList } from '../holds/object-list.ts';
import type { Generation } from './generation.ts';
import { callHook } from './hook-call.ts';
import type { Parts } from './parts.ts';

/** Where a departure stands; finer than the module's state, which outsiders see. */
type Phase = 'withdrawing' | 'draining' | 'returning' | 'stopping' | 'ended';

/** One generation's way out: stage 1, stage 2, gone; or back to live. */
export class Departure {
  readonly generation: Generation;
  /** What held it up when stage 1 began. */
  readonly initial: number;
  readonly ended: Promise<'gone' | 'live'>;
  phase: Phase = 'withdrawing';
  readonly broken: HolderInfo[] = [];
  readonly leaks: string[] = [];
  readonly #faultsBefore: number;
  readonly #parts: Parts;
  #resolve: (outcome: 'gone' | 'live') => void = () => undefined;
  #withdrawn: Promise<unknown> = Promise.resolve();
  #stopTearOff: () => void = () => undefined;
  #forced = false;

  /** Does stage 1, in this tick. */
  constructor(generation: Generation, parts: Parts) {
    this.generation = generation;
    this.initial = generation.holds;
    this.#faultsBefore = generation.faults.length;
    this.#parts = parts;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    generation.shutDoors();
  }

  get forced(): boolean {
    return this.#forced;
  }

  /** Nothing holds it any more: it goes as soon as nobody has to go before. */
  get ready(): boolean {
    return this.phase === 'draining' && this.generation.holds === 0;
  }

  /** What failed since stage 1 began. */
  faults(): readonly FaultInfo[] {
    return this.generation.faults.slice(this.#faultsBefore);
  }

  /**
   * Does something still hold it that those who leave with it (`leaving`) will not let go of when they end? A hold that
   * derives from what they only park or keep does not count.
   */
  blocked(leaving: ReadonlySet<Generation>): boolean {
    if (this.phase === 'ended' || this.phase === 'stopping') return false;
    if (this.phase !== 'draining') return true;
    if (this.generation.holds === 0) return false;
    if (this.generation.tallies.some((tally) => tally.count > 0)) return true;
    const labels = new Set([...leaving].map(({ label }) => label));
    const endsWithThem = (object: Held): boolean => {
      const list = rootOf(object).holdKind as ObjectList<Held>;
      return list.spec.drain !== 'wait' && labels.has(list.module);
    };
    return [...this.generation.kinds.values()].some((list) => list.spec.drain === 'wait' && list.some((object) => !endsWithThem(object)));
  }

  /** Tells the module, then drains. */
  async run(): Promise<void> {
    this.#withdrawn = this.#hook('withdraw');
    await this.#withdrawn;
    if (this.phase === 'withdrawing') this.#drain();
  }

  /** It is to come back: from here on it does not go, whatever is let go of. The caller has checked that it may. */
  turnBack(): void {
    this.phase = 'returning';
    this.generation.comingBack = true;
  }

  /** Comes back, after `turnBack`. Resolves with false when the module fails to: then it is forced out. */
  async comeBack(): Promise<boolean> {
    await this.#withdrawn;
    const failure = await this.#hook('abort');
    if (failure === undefined) {
      this.generation.comingBack = false;
      this.generation.openDoors();
      this.#end('live');
      return true;
    }
    this.generation.trouble = `it failed to come back from stage 1: ${failure.message}`;
    this.#forced = true;
    await this.leaveAfterAll();
    return false;
  }

  /** What it requires failed to come back, so neither does it. */
  async leaveAfterAll(): Promise<void> {
    await this.#withdrawn;
    this.generation.comingBack = false;
    this.#drain();
  }

  /** Closes what holds it up, by each module's proper close; what is still held after the hooks' deadline is torn off. */
  force(): void {
    if (this.#forced) return;
    this.#forced = true;
    if (this.phase === 'draining') this.#closeHolders();
  }

  /** The end of stage 2: closes what served those inside, takes the corridors, stops the module. */
  async finish(): Promise<void> {
    this.phase = 'stopping';
    const { generation } = this;
    const why = new NetError('ESHUTDOWN', `${generation.label} is gone`, { module: generation.label });
    for (const object of [...this.#listed('park'), ...this.#listed('keep')]) {
      this.#close(object, why);
      if (object.holdNext === null) continue;
      this.leaks.push(`${this.#info(object).description} (${object.holdPlace}) not released by close`);
      (object.holdKind as ObjectList<Held>).unlink(object);
    }
    generation.publications.retract();
    generation.resources.stopPolls();
    await this.#hook('stop');
    for (const left of generation.dispose()) this.leaks.push(left);
    this.#end('gone');
  }

  #drain(): void {
    this.phase = 'draining';
    if (this.generation.state !== 'draining') this.generation.to('draining');
    if (this.#forced) this.#closeHolders();
    this.#parts.watcher.holdsChanged(this.generation);
  }

  #closeHolders(): void {
    const why = new NetError('ECONNABORTED', `${this.generation.label} was unloaded by force`, { module: this.generation.label });
    const roots = new Set<Held>();
    for (const object of this.#listed('wait')) roots.add(rootOf(object));
    for (const root of roots) {
      if (root.holdNext === null) continue;
      this.broken.push(this.#info(root));
      this.#close(root, why);
    }
    this.#stopTearOff = this.#parts.alarm(this.#parts.hookDeadlineMs, () => this.#tearOff());
  }

  /** Force's last word: what its close did not release. */
  #tearOff(): void {
    if (this.phase !== 'draining') return;
    const { generation } = this;
    for (const object of this.#listed('wait')) {
      generation.faulted('close', new Error(`did not release ${this.#info(object).description} (${object.holdPlace}): torn off`));
      (object.holdKind as ObjectList<Held>).unlink(object);
    }
    for (const tally of generation.tallies) {
      if (tally.count === 0) continue;
      const info = tallyInfo(generation.label, tally);
      this.broken.push(info);
      generation.faulted('close', new Error(`${info.description} at ${info.place} never came back: written off`));
      tally.writeOff();
    }
  }

  #end(outcome: 'gone' | 'live'): void {
    this.phase = 'ended';
    this.#stopTearOff();
    this.#resolve(outcome);
  }

  /** Closes one object as its own module would, and tells its owner. */
  #close(object: Held, error: NetError): void {
    const { generation } = this;
    const list = object.holdKind as ObjectList<Held>;
    const owner = object.holdOwner;
    try {
      list.spec.close(object, error);
    } catch (failure) {
      generation.faulted('close', failure);
    }
    if (object.holdHolder !== null) return;
    generation.notify(owner, { sort: 'closed', module: list.module, object, error });
  }

  async #hook(hook: 'withdraw' | 'abort' | 'stop'): Promise<Error | undefined> {
    const { label, module } = this.generation;
    const { alarm, hookDeadlineMs } = this.#parts;
    const failure = await callHook(label, hook, () => module?.[hook]?.(), alarm, hookDeadlineMs);
    if (failure !== undefined) this.generation.faulted(hook, failure);
    return failure;
  }

  *#listed(drain: 'wait' | 'park' | 'keep'): Generator<Held> {
    for (const list of this.generation.kinds.values()) if (list.spec.drain === drain) yield* list;
  }

  #info(object: Held): HolderInfo {
    return objectInfo(object.holdKind as ObjectList<Held>, object, this.generation.nowCs());
  }
}

/** The object at the start of a chain of derived holds: who must be closed so that the chain ends. */
function rootOf(object: Held): Held {
  let root = object;
  while (root.holdHolder !== null) root = root.holdHolder;
  return root;
}
