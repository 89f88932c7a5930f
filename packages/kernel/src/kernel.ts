import type { Clock, Contributions, DropReason, FaceHost, PointToken, Port, ServiceToken } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type {
  DryRun,
  FaultInfo,
  HolderInfo,
  ModuleInfo,
  ModuleSource,
  ReplaceOptions,
  ReplaceReport,
  ShutdownReport,
  Unload,
  UnloadOptions,
} from './api.ts';
import type { Composition } from './compose/composition.ts';
import { composeKernel, PART } from './compose/kernel-parts.ts';
import type { KernelListener } from './kernel-events.ts';
import type { KernelOptions } from './kernel-options.ts';
import { checkMs } from './life/milliseconds.ts';
import { describeModule } from './life/module-info.ts';
import type { CounterInfo } from './registries/counters.ts';
import type { LogEntry } from './registries/journal.ts';
import type { SysctlTree } from './settings/sysctl-tree.ts';
import type { TimerAccount } from './time/wheel-timer.ts';
import type { World } from './time/world.ts';

/** The settings of a kernel, for those who turn them. */
export type Sysctl = Pick<SysctlTree, 'get' | 'set' | 'list'>;

/**
 * A network kernel: modules are loaded into it, replaced and unloaded while it runs. It names no protocol. Several in one
 * process share nothing but, if so made, a World.
 */
export class Kernel implements FaceHost {
  readonly name: string;
  readonly world: World;
  readonly clock: Clock;
  /** The tree of settings: get, set, list. */
  readonly sysctl: Sysctl;
  readonly #composition: Composition;
  readonly #loads = new Set<Promise<unknown>>();
  /** Whose timers those of programs are. */
  readonly #programs: TimerAccount = { owner: 0, label: 'kernel', armed: 0, dead: false };
  #ended: Promise<ShutdownReport> | undefined;

  constructor(options: KernelOptions = {}) {
    this.name = options.name ?? 'kernel';
    checkMs('hookDeadlineMs', options.hookDeadlineMs);
    this.#composition = composeKernel(options);
    this.world = this.#composition.get(PART.world);
    this.clock = this.#composition.get(PART.executive).clock;
    this.sysctl = this.#composition.get(PART.settings);
  }

  /**
   * Loads a module: a class, a bundle, or the name of one that was offered; first what it requires, from what was offered.
   * @throws NetError (the promise rejects) that names the module, what was expected, and what to do.
   */
  load(source: ModuleSource | string): Promise<ModuleInfo> {
    return this.#busy('load', async () => this.#describe(await this.#composition.get(PART.loader).load(source)));
  }

  /** Makes modules known without loading them. Returns their names. @throws NetError for a bad one. */
  offer(...sources: readonly ModuleSource[]): string[] {
    return sources.map((source) => this.#composition.get(PART.loader).offer(source));
  }

  /** Names that can be loaded. */
  get offered(): string[] {
    return this.#composition.get(PART.loader).offeredNames;
  }

  /**
   * Unloads the newest generation of `name`, or exactly `name#generation`. Stage 1 happens before this returns. Await the
   * result for the report, or iterate over it for progress; a refusal rejects both. An unload under way is joined.
   */
  unload(name: string, options: UnloadOptions = {}): Unload {
    return this.#composition.get(PART.unloader).unload(name, options);
  }

  /** What {@link Kernel.unload} would do with the same arguments. Changes nothing. @throws NetError ENOENT, EINVAL. */
  dryRun(name: string, options: UnloadOptions = {}): DryRun {
    return this.#composition.get(PART.unloader).dryRun(name, options);
  }

  /**
   * Calls an unload off: back to live, with what it took along.
   * @throws NetError (the promise rejects) EINVAL, EBUSY, EALREADY when it may not come back; EIO when it tried and failed.
   */
  abort(name: string): Promise<void> {
    return this.#composition.get(PART.unloader).abort(name);
  }

  /** Replaces a live module by another build of it. @throws NetError (the promise rejects); then the old one never left. */
  replace(name: string, source: ModuleSource, options: ReplaceOptions = {}): Promise<ReplaceReport> {
    return this.#busy('replace', () => this.#composition.get(PART.replacer).replace(name, source, options));
  }

  /** All generations that are not gone, in the order of loading. */
  modules(): ModuleInfo[] {
    return this.#composition.get(PART.roster).all.map((generation) => this.#describe(generation));
  }

  /** The newest generation of `name`, or exactly `name#generation`; undefined when there is none. */
  module(name: string): ModuleInfo | undefined {
    const generation = this.#composition.get(PART.roster).find(name);
    return generation === undefined ? undefined : this.#describe(generation);
  }

  /** What holds up the unload of a module, or of each. @throws NetError ENOENT. */
  holders(name?: string): HolderInfo[] {
    const roster = this.#composition.get(PART.roster);
    const generations = name === undefined ? roster.all : [roster.get(name, 'holders')];
    return generations.flatMap((generation) => generation.holders());
  }

  /** The way to a service, for programs outside of modules. */
  port<T extends object>(token: ServiceToken<T>): Port<T> {
    return this.#composition.get(PART.board).port(token);
  }

  /**
   * Calls `then` in `delayUs` of kernel time (0 and negative: at the next turn), for programs outside of modules; what it throws is listed in {@link Kernel.faults}. Not called once
   * the kernel has left its World.
   * @param place a static name for lists. @returns how to call it off; does nothing once it has been called. @throws ModuleFault for a delay that is no number up to 2⁴⁸.
   */
  after(delayUs: number, then: () => void, place: string): () => void {
    const timer = this.#composition.get(PART.executive).wheel.timer(this.#programs, then, undefined, place);
    timer.arm(delayUs);
    return () => timer.cancel();
  }

  /** What live modules contribute to a point. */
  contributions<T extends object>(point: PointToken<T>): Contributions<T> {
    return this.#composition.get(PART.board).contributions(point);
  }

  dropReasons(): DropReason[] {
    return this.#composition.get(PART.dropReasons).all();
  }

  counters(): CounterInfo[] {
    return this.#composition.get(PART.counters).all();
  }

  /** The last entries of the log. */
  get logs(): readonly LogEntry[] {
    return this.#composition.get(PART.journal).entries;
  }

  /** The last hooks and batches that failed. */
  get faults(): readonly FaultInfo[] {
    return this.#composition.get(PART.events).faults;
  }

  /** Listens to states and faults. Returns how to stop. */
  on(listener: KernelListener): () => void {
    return this.#composition.get(PART.events).on(listener);
  }

  /**
   * Unloads everything, dependents first, and leaves the World. What is still open after `deadlineMs` (default: no time at
   * all; Infinity waits) is closed by force and stands in the report. The second call gets the first one's report.
   * @throws NetError EINVAL (the promise rejects) for a bad deadline; then nothing happened.
   */
  async shutdown(options: { readonly deadlineMs?: number } = {}): Promise<ShutdownReport> {
    checkMs('deadlineMs', options.deadlineMs);
    this.#ended ??= this.#end(options.deadlineMs ?? 0);
    return this.#ended;
  }

  async #end(deadlineMs: number): Promise<ShutdownReport> {
    await Promise.allSettled(this.#loads);
    try {
      return await this.#composition.get(PART.unloader).unloadAll(deadlineMs);
    } finally {
      this.world.detach(this.#composition.get(PART.executive));
    }
  }

  #describe(generation: Parameters<typeof describeModule>[0]): ModuleInfo {
    return describeModule(generation, this.#composition.get(PART.roster));
  }

  /** Work that a shutdown waits for. */
  #busy<T>(syscall: string, work: () => Promise<T>): Promise<T> {
    if (this.#ended !== undefined)
      return Promise.reject(new NetError('ESHUTDOWN', `${this.name} is shut down: make a new kernel`, { syscall }));
    const working = work();
    this.#loads.add(working);
    const done = (): void => {
      this.#loads.delete(working);
    };
    working.then(done, done);
    return working;
  }
}
