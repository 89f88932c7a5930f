import type { Held, Notice, ObjectSpec, Owner, SoftnetModule } from '@softnet/contract';
import { ModuleFault, NetError } from '@softnet/contract';
import type { FaultInfo, HolderInfo, ModuleState, ModuleUsage } from '../api.ts';
import { objectInfo, tallyInfo } from '../holds/holder-info.ts';
import type { Keeper } from '../holds/object-list.ts';
import { HOLD_BYTES, ObjectList } from '../holds/object-list.ts';
import { rootOf } from '../holds/root-of.ts';
import { TallyCount } from '../holds/tally-count.ts';
import { messageOf } from '../load/describe-value.ts';
import type { CheckedManifest } from '../load/manifest-check.ts';
import type { Parts } from './parts.ts';
import { Publications } from './publications.ts';
import { Resources } from './resources.ts';
import type { Phase } from './states.ts';
import { FOLLOWING, isLeaving, outward } from './states.ts';

/** Reckoned bytes of one published service or contribution: its record, closures and place in the cell. */
const BINDING_BYTES = 240;
/** What users close while their module leaves is listed up to here; beyond, only the newest. */
const CLOSED_LISTED = 10_000;

/** Faults of one hook of a generation that are kept and told; what fails more often has been heard. */
const FAULTS_KEPT = 100;

/** One generation of a module: its state, and all that it has in the kernel. */
export class Generation implements Keeper {
  readonly name: string;
  readonly number: number;
  /** `name#number`. */
  readonly label: string;
  readonly owner: number;
  readonly debug: boolean;
  /** Loses its tokens when the module is gone: the stand-in of a plugin's own service is the plugin's code. */
  manifest: CheckedManifest;
  readonly publications: Publications;
  readonly resources: Resources;
  readonly kinds = new Map<string, ObjectList<Held>>();
  readonly tallies: TallyCount[] = [];
  readonly faults: FaultInfo[] = [];
  /** Null once it is gone, so that nothing keeps its code alive. */
  module: SoftnetModule | null = null;
  phase: Phase = 'starting';
  /** What holds it up: objects that are waited for, and what tallies count. */
  holds = 0;
  /** How many holds were ever taken: tells whether there are new ones. */
  taken = 0;
  /** Throws on the packet path since it went live. */
  throws = 0;
  /** Why it leaves, where nobody asked. */
  trouble: string | undefined;
  #closedMeanwhile: HolderInfo[] = [];
  readonly #parts: Parts;

  constructor(name: string, number: number, owner: number, manifest: CheckedManifest, parts: Parts) {
    this.name = name;
    this.number = number;
    this.label = `${name}#${number}`;
    this.owner = owner;
    this.manifest = manifest;
    this.debug = parts.debug;
    this.#parts = parts;
    this.publications = new Publications(parts.board, this.label, owner);
    this.resources = new Resources(this, parts);
  }

  get state(): ModuleState {
    return outward(this.phase);
  }

  /** Declares a kind of objects. */
  declare(kind: string, spec: ObjectSpec<Held>): ObjectList<Held> {
    if (this.kinds.has(kind)) throw new ModuleFault(this.label, `declares the kind '${kind}' twice: declare each once, in start`);
    const list = new ObjectList(kind, spec, this);
    this.kinds.set(kind, list);
    return list;
  }

  /** Declares a count; asking again for the same gives the same. */
  tally(kind: string, place: string): TallyCount {
    const known = this.tallies.find((tally) => tally.kind === kind && tally.place === place);
    if (known !== undefined) return known;
    const tally = new TallyCount(kind, place, this);
    this.tallies.push(tally);
    return tally;
  }

  /** The one place that changes where it stands. */
  to(phase: Phase): void {
    const from = this.phase;
    if (!FOLLOWING[from].includes(phase)) throw new Error(`kernel bug: ${this.label} cannot go from ${from} to ${phase}`);
    this.phase = phase;
    this.#parts.watcher.phaseChanged(this, from);
  }

  /** Start is over: all that was staged is visible, in one tick. */
  goLive(): void {
    this.publications.commit();
    this.resources.commit();
    this.to('live');
  }

  /** From now on it matters who holds: what was put off is taken. */
  takeDeferred(): void {
    for (const list of this.kinds.values()) list.takeDeferred();
  }

  /** Stage 1, in one tick: nobody new comes in, listeners are silent. Owners are told by {@link notifyAll}, when all is done. */
  shutDoors(): void {
    this.publications.showDoors(false);
    this.resources.shut();
    for (const list of this.kinds.values()) {
      list.shut();
      if (list.spec.drain === 'park') this.#each(list, 'park', (object) => list.spec.park?.(object));
    }
    this.to('withdrawing');
  }

  /** An abort: everything as before stage 1, less what users closed meanwhile. */
  openDoors(): void {
    for (const list of this.kinds.values()) {
      list.reopen();
      if (list.spec.drain === 'park') this.#each(list, 'resume', (object) => list.spec.resume?.(object));
    }
    this.publications.showDoors(true);
    this.resources.reopen();
    this.throws = 0;
    this.trouble = undefined;
    this.to('live');
  }

  /** A start that failed: closes what it made, and takes everything back. */
  abandon(): void {
    const why = new NetError('ECANCELED', `${this.label} was not loaded`, { module: this.label });
    for (const list of this.kinds.values()) this.#each(list, 'close', (object) => list.spec.close(object, why));
    for (const tally of this.tallies) tally.close();
    this.dispose();
  }

  /** The end: takes back all that is left, lets the code go. Returns what the module should have let go of itself. */
  dispose(): string[] {
    this.publications.retract();
    const leaks = this.resources.takeBack();
    for (const tally of this.tallies) if (tally.close() > 0) leaks.push(`${tally.kind} (${tally.place}) still counted after stop`);
    for (const list of this.kinds.values()) {
      for (const object of list) {
        leaks.push(`${list.kind} (${object.holdPlace}) still held after stop`);
        list.unlink(object);
      }
      list.bury();
    }
    this.module = null;
    this.manifest = { ...this.manifest, requires: [], provides: [] };
    this.to('gone');
    return leaks;
  }

  /** Tells an object's owner. */
  notify(owner: Owner | null, notice: Notice): void {
    this.guard('notice', () => owner?.notice?.(notice));
  }

  /** Tells owners that the module leaves, or is back: of its objects, and of those elsewhere that hold it up by one derived here. */
  notifyAll(sort: 'leaving' | 'back'): void {
    const objects = [...this.kinds.values()].flatMap((list) =>
      [...list].filter(({ holdHolder }) => holdHolder === null || list.spec.drain === 'wait'),
    );
    for (const object of new Set(objects.map(rootOf))) this.notify(object.holdOwner, { sort, module: this.label, object });
  }

  /** Calls somebody's code that may throw, or return a promise that rejects: both are faults, and no reason to stop. */
  guard(hook: string, call: () => unknown): void {
    try {
      const result = call() as PromiseLike<unknown> | undefined;
      if (typeof result?.then === 'function') result.then(undefined, (error: unknown) => this.faulted(hook, error));
    } catch (error) {
      this.faulted(hook, error);
    }
  }

  /** Holders that an unload waits for. */
  holders(): HolderInfo[] {
    this.takeDeferred();
    return [...this.objectsOf('wait'), ...this.tallies.filter((tally) => tally.count > 0).map((tally) => tallyInfo(this.label, tally))];
  }

  /** Objects of one policy, for lists. */
  objectsOf(drain: 'wait' | 'park' | 'keep'): HolderInfo[] {
    const now = this.nowCs();
    const lists = [...this.kinds.values()].filter((list) => list.spec.drain === drain);
    return lists.flatMap((list) => Array.from(list, (object) => objectInfo(list, object, now)));
  }

  usage(): ModuleUsage {
    const objects = Object.fromEntries([...this.kinds].map(([kind, list]) => [kind, list.count + list.deferred]));
    const waiting = [...this.kinds.values()].filter(({ spec }) => spec.drain === 'wait');
    const holds = waiting.reduce((sum, { deferred }) => sum + deferred, this.holds);
    const objectCount = Object.values(objects).reduce((sum, count) => sum + count, 0);
    const bindings = this.publications.count;
    const { timers, handlers, bytes } = this.resources.usage();
    const allBytes = objectCount * HOLD_BYTES + bindings * BINDING_BYTES + bytes;
    return { objects, objectCount, holds, timers, handlers, bindings, bytes: allBytes };
  }

  epoch(): number {
    return this.#parts.epochs.now;
  }

  nextEpoch(): number {
    return ++this.#parts.epochs.now;
  }

  nowCs(): number {
    return (this.#parts.executive.clock.nowUs / 10_000) | 0;
  }

  counted(change: number): void {
    this.holds += change;
    if (change > 0) this.taken++;
    if (this.phase !== 'live') this.#parts.watcher.holdsChanged(this);
  }

  releasing(list: ObjectList<Held>, object: Held): void {
    if (!isLeaving(this.phase) || list.spec.drain === 'keep' || object.holdHolder !== null) return;
    this.#closedMeanwhile.push(objectInfo(list, object, this.nowCs()));
    if (this.#closedMeanwhile.length > 2 * CLOSED_LISTED) this.#closedMeanwhile = this.#closedMeanwhile.slice(-CLOSED_LISTED);
  }

  /** What users let go of since stage 1 began; forgets it. */
  takeClosed(): readonly HolderInfo[] {
    const closed = this.#closedMeanwhile;
    this.#closedMeanwhile = [];
    return closed;
  }

  faulted(hook: string, error: unknown): void {
    const fault = { module: this.label, hook, message: messageOf(error) };
    if (this.faults.filter((other) => other.hook === hook).length === FAULTS_KEPT) return;
    this.faults.push(fault);
    this.#parts.watcher.faulted(fault);
  }

  #each(list: ObjectList<Held>, hook: string, call: (object: Held) => unknown): void {
    for (const object of list) this.guard(hook, () => call(object));
  }
}
