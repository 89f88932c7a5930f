import type { Held } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { FaultInfo, HolderInfo } from '../api.ts';
import { objectInfo, tallyInfo } from '../holds/holder-info.ts';
import type { ObjectList } from '../holds/object-list.ts';
import { rootOf } from '../holds/root-of.ts';
import type { Cascade } from './cascade.ts';
import type { Generation } from './generation.ts';
import { callHook } from './hook-call.ts';
import type { Parts } from './parts.ts';

/** How a departure ends: the module is gone, or live again. */
export type Outcome = 'gone' | 'live';

/** One generation's way out: stage 1, stage 2, gone; or back to live. */
export class Departure {
  readonly generation: Generation;
  readonly cascade: Cascade;
  /** What held it up when stage 1 began. */
  readonly initial: number;
  readonly ended: Promise<Outcome>;
  readonly broken: HolderInfo[] = [];
  readonly leaks: string[] = [];
  /** What users let go of since stage 1 began. */
  closedMeanwhile: readonly HolderInfo[] = [];
  forced = false;
  readonly #parts: Parts;
  readonly #faultsBefore: number;
  /** Whom force has asked to close already. */
  readonly #asked = new Set<Held>();
  /** Holds taken up to the last sweep of force. */
  #taken = -1;
  readonly #onEnd: (departure: Departure, outcome: Outcome) => void;
  #resolve: (outcome: Outcome) => void = () => undefined;
  #withdrawn: Promise<unknown> = Promise.resolve();
  #stopTearOff: () => void = () => undefined;

  /** @param onEnd called in the tick in which it ends. */
  constructor(generation: Generation, cascade: Cascade, parts: Parts, onEnd: (departure: Departure, outcome: Outcome) => void) {
    this.generation = generation;
    this.cascade = cascade;
    generation.takeDeferred();
    this.initial = generation.holds;
    this.#parts = parts;
    this.#faultsBefore = generation.faults.length;
    this.#onEnd = onEnd;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Nothing holds it any more: it goes as soon as nobody has to go before. */
  get ready(): boolean {
    return this.generation.phase === 'draining' && this.generation.holds === 0;
  }

  /** What failed since stage 1 began. */
  faults(): readonly FaultInfo[] {
    return this.generation.faults.slice(this.#faultsBefore);
  }

  /**
   * Does something still hold it that those who leave with it will not let go of when they end? A hold that derives from
   * what they only park or keep does not count.
   */
  blocked(): boolean {
    const { phase, holds, tallies, kinds } = this.generation;
    if (phase === 'stopping' || phase === 'gone' || phase === 'live') return false;
    if (phase !== 'draining') return true;
    if (holds === 0) return false;
    if (tallies.some((tally) => tally.count > 0)) return true;
    const endsWithThem = (object: Held): boolean => {
      const list = rootOf(object).holdKind as ObjectList<Held>;
      return list.spec.drain !== 'wait' && this.cascade.has(list.module);
    };
    return [...kinds.values()].some((list) => list.spec.drain === 'wait' && list.some((object) => !endsWithThem(object)));
  }

  /** Stage 1 is done: tells the module, then drains. */
  async run(): Promise<void> {
    this.#withdrawn = this.#hook('withdraw');
    await this.#withdrawn;
    if (this.generation.phase === 'withdrawing') this.#drain();
  }

  /** It is to come back: from here on it does not go, whatever is let go of. The cascade has checked that it may. */
  turnBack(): void {
    this.generation.to('returning');
  }

  /** Comes back, after `turnBack`. Resolves with what kept it from that, if anything: then it leaves after all, by force. */
  async comeBack(): Promise<Error | undefined> {
    await this.#withdrawn;
    const failure = await this.#hook('abort');
    if (failure === undefined && !this.forced) {
      // It has ended before anybody hears of it: who then asks for an unload begins a new one.
      this.#end('live');
      this.generation.openDoors();
      if (this.generation.phase === 'live') this.generation.notifyAll('back');
      return undefined;
    }
    if (failure !== undefined) this.generation.trouble = `it failed to come back from stage 1: ${failure.message}`;
    this.forced = true;
    this.#drain();
    return (
      failure ?? new NetError('EBUSY', `${this.generation.label} was forced out while it came back`, { module: this.generation.label })
    );
  }

  /** What it requires failed to come back: it cannot either. */
  async leaveAfterAll(): Promise<void> {
    await this.#withdrawn;
    this.forced = true;
    this.#drain();
  }

  /** Closes what holds it up, by each module's proper close; what is still held after the hooks' deadline is torn off. */
  force(): void {
    if (this.forced) return;
    this.forced = true;
    if (this.generation.phase === 'draining') this.#beginForce();
    // A cascade that is forced need not wait for one another, and nothing may be released that would say so.
    this.#parts.watcher.holdsChanged(this.generation);
  }

  /** Asks whom force has not asked yet: also those who came since by an existing holder. */
  closeHolders(): void {
    if (this.#taken === this.generation.taken) return;
    this.#taken = this.generation.taken;
    const why = new NetError('ECONNABORTED', `${this.generation.label} was unloaded by force`, { module: this.generation.label });
    for (const root of new Set(Array.from(this.#listed('wait'), rootOf))) {
      if (root.holdNext === null || this.#asked.has(root)) continue;
      this.#asked.add(root);
      this.broken.push(this.#info(root));
      this.#close(root, why);
    }
  }

  /** The end of stage 2: closes what served those inside, takes the corridors, stops the module. */
  async finish(): Promise<void> {
    const { generation } = this;
    generation.to('stopping');
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
    this.leaks.push(...generation.dispose());
    this.#end('gone');
  }

  #drain(): void {
    this.generation.to('draining');
    if (this.forced) this.#beginForce();
    this.#parts.watcher.holdsChanged(this.generation);
  }

  #beginForce(): void {
    this.#stopTearOff = this.#parts.alarm(this.#parts.hookDeadlineMs, () => this.#tearOff());
    this.closeHolders();
  }

  /** Force's last word: what no close released. */
  #tearOff(): void {
    const { generation } = this;
    if (generation.phase !== 'draining') return;
    for (const object of this.#listed('wait')) {
      const info = this.#info(object);
      generation.faulted('close', new Error(`did not release ${info.description} (${object.holdPlace}): torn off`));
      if (!this.#asked.has(rootOf(object))) this.broken.push(info);
      (object.holdKind as ObjectList<Held>).endWithHolder(object);
    }
    for (const tally of generation.tallies) {
      if (tally.count === 0) continue;
      const info = tallyInfo(generation.label, tally);
      this.broken.push(info);
      generation.faulted('close', new Error(`${info.description} at ${info.place} never came back: written off`));
      tally.close();
    }
  }

  #end(outcome: Outcome): void {
    this.#stopTearOff();
    this.closedMeanwhile = this.generation.takeClosed();
    this.#onEnd(this, outcome);
    this.#resolve(outcome);
  }

  /** Closes one object as its own module would, and tells its owner. */
  #close(object: Held, error: NetError): void {
    const { generation } = this;
    const list = object.holdKind as ObjectList<Held>;
    const { holdOwner, holdHolder } = object;
    generation.guard('close', () => list.spec.close(object, error));
    if (holdHolder === null) generation.notify(holdOwner, { sort: 'closed', module: list.module, object, error });
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
