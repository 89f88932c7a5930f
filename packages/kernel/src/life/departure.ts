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
  /** Labels of those whose going it must wait for. */
  readonly #waitsFor: () => readonly string[];
  #resolve: (outcome: 'gone' | 'live') => void = () => undefined;
  #withdrawn: Promise<unknown> = Promise.resolve();
  #stopTearOff: () => void = () => undefined;
  #forced = false;
  #checking = false;

  /** Does stage 1, in this tick. */
  constructor(generation: Generation, parts: Parts, waitsFor: () => readonly string[]) {
    this.generation = generation;
    this.initial = generation.holds;
    this.#faultsBefore = generation.faults.length;
    this.#parts = parts;
    this.#waitsFor = waitsFor;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    generation.shutDoors();
  }

  get forced(): boolean {
    return this.#forced;
  }

  /** Dependents that must be gone before it may go. */
  waitsFor(): readonly string[] {
    return this.#waitsFor();
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
    for (const object of this.#listed('wait')) {
      const list = rootOf(object).holdKind as ObjectList<Held>;
      const endsWithGroup = list.spec.drain !== 'wait' && [...leaving].some(({ label }) => label === list.module);
      if (!endsWithGroup) return true;
    }
    return false;
  }

  /** Tells the module, then drains. */
  async run(): Promise<void> {
    this.#withdrawn = this.#hook('withdraw');
    await this.#withdrawn;
    if (this.phase === 'withdrawing') this.#drain();
  }

  /** Something was let go of, or a dependent is gone: is this the end? Cheap, and asked at each release. */
  check(): void {
    if (this.#checking || !this.#done()) return;
    this.#checking = true;
    // The release may stand in the middle of a batch: its end is the grace period.
    queueMicrotask(() => {
      this.#checking = false;
      if (this.#done()) void this.#finish();
    });
  }

  /** Calls it off. The caller has checked that it may be. Resolves with false when the module failed to come back. */
  async comeBack(): Promise<boolean> {
    this.phase = 'returning';
    this.generation.comingBack = true;
    await this.#withdrawn;
    const failure = await this.#hook('abort');
    this.generation.comingBack = false;
    if (failure === undefined) {
      this.generation.openDoors();
      this.#end('live');
      return true;
    }
    this.generation.trouble = `it failed to come back from stage 1: ${failure.message}`;
    this.#forced = true;
    this.#drain();
    return false;
  }

  /** Closes what holds it up, by each module's proper close; what is still held after the hooks' deadline is torn off. */
  force(): void {
    if (this.#forced) return;
    this.#forced = true;
    if (this.phase === 'draining') this.#closeHolders();
  }

  #drain(): void {
    this.phase = 'draining';
    if (this.generation.state !== 'draining') this.generation.to('draining');
    if (this.#forced) this.#closeHolders();
    this.check();
  }

  #done(): boolean {
    return this.phase === 'draining' && this.generation.holds === 0 && this.#waitsFor().length === 0;
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

  async #finish(): Promise<void> {
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
