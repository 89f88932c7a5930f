import { MemoryAccounts } from '@softnet/contract';
import type { FaultInfo, KernelEvent, Unload, UnloadOptions, UnloadReport } from '@softnet/kernel';
import { Kernel, World } from '@softnet/kernel';
import { QUIET_HOST } from '../net/quiet-host.ts';
import { describeFault, stillHeld, takenAtStage1 } from './hints.ts';
import type { Pace } from './pace.ts';
import { paceOf } from './pace.ts';
import { nameOfSource, needsRealTime, sourceOf } from './source.ts';
import type { ComplianceSubject, Stage, Traffic } from './subject.ts';
import { ComplianceFailure } from './subject.ts';

/** Timers fired and sources polled at one instant of virtual time; beyond it, the instant does not end. */
const STEPS = 100_000;
/** Of a step in real time. */
const HANGS_AFTER_MS = 8000;

/** One trial of a module: kernels of its own, in which things are done to it, each with a deadline. */
export class Trial {
  readonly subject: ComplianceSubject;
  readonly kernels: readonly Kernel[];
  /** The one in which the module is judged. */
  readonly kernel: Kernel;
  readonly world: World;
  readonly pace: Pace;
  readonly events: string[] = [];
  name: string;
  /** What fails now is for another check to judge. */
  stage: Stage | undefined;
  #traffic: Traffic | undefined;
  /** Its users let go, or began to. */
  #closing = false;
  /** Doors that were there when its unload began. */
  #doors: readonly string[] = [];
  /** What newcomers were told. */
  #refusal = '';

  /** Makes the kernels; nothing is loaded. */
  constructor(subject: ComplianceSubject, seed = 1) {
    const { hangsAfterMs = HANGS_AFTER_MS } = subject;
    this.subject = subject;
    this.kernels = subject.world?.(seed) ?? (needsRealTime(subject) ? realKernels(seed, hangsAfterMs) : virtualKernels(seed));
    this.kernel = this.kernels[0]!;
    this.world = this.kernel.world;
    this.pace = paceOf(this.world, hangsAfterMs);
    this.name = nameOfSource(sourceOf(subject));
    for (const kernel of this.kernels) kernel.on((event) => this.events.push(`${this.world.nowUs} ${kernel.name} ${describe(event)}`));
  }

  /** Loads what the module needs, into every kernel. */
  async loadNeeds(): Promise<void> {
    for (const kernel of this.kernels) {
      for (const need of this.subject.needs ?? []) await this.step('load of what it needs', () => kernel.load(need));
    }
  }

  /** Loads it, after what it needs, into every kernel. */
  async load(): Promise<this> {
    await this.loadNeeds();
    for (const kernel of this.kernels) await this.loadInto(kernel);
    return this;
  }

  async loadInto(kernel: Kernel, what = 'load', source = sourceOf(this.subject)): Promise<void> {
    this.stage = 'load';
    this.name = (await this.step(what, () => kernel.load(source))).name;
    this.stage = undefined;
  }

  /** Loaded, with traffic that has moved bytes. */
  async underTraffic(): Promise<Traffic> {
    await this.load();
    this.stage = 'traffic';
    const traffic = await this.step('traffic()', () => this.subject.traffic(this.kernels));
    this.#traffic = traffic;
    await this.moves(traffic, 'when all is well');
    this.stage = undefined;
    return traffic;
  }

  /** Does one thing, within a deadline of kernel time. */
  async step<T>(what: string, act: () => PromiseLike<T>, hint?: () => string | undefined): Promise<T> {
    try {
      return await this.world.run(act(), { limitUs: this.pace.stepUs });
    } catch (error) {
      const hints = [this.#fault(), hint?.(), this.#waiting(error)].filter((each) => each !== undefined);
      throw this.failure([`${what} failed: ${error instanceof Error ? error.message : String(error)}`, ...hints].join('; '));
    }
  }

  /** Bytes move over what is open. */
  async moves(traffic: Traffic, when: string): Promise<number> {
    const leaving = isLeaving(this.kernel, this.name);
    const count = await this.step(
      `exchange() ${when}`,
      () => traffic.exchange(),
      () => (leaving ? this.taken : undefined),
    );
    this.must(count > 0, `exchange() moved no bytes ${when}: it must move some over every open object`);
    return count;
  }

  /** Nobody new comes in, and who tries gets a NetError. */
  async refusesNewcomers(traffic: Traffic, when: string): Promise<void> {
    const outcome = await this.step(`openAnother() ${when}`, () =>
      traffic.openAnother().then(
        () => undefined,
        (error: unknown) => ({ error }),
      ),
    );
    if (outcome === undefined) throw this.failure(`openAnother() let somebody new in ${when}: a door was left open`);
    const { error } = outcome;
    this.#refusal = String(error);
    this.must(
      isNetError(error),
      `openAnother() ${when} must be refused with a NetError, but got ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
    );
  }

  /** Comes to the end of stage 1, and says that this is how it is. */
  async draining(): Promise<void> {
    const state = (): string | undefined => this.kernel.module(this.name)?.state;
    const over = (): boolean => state() !== 'withdrawing';
    for (let waited = 0; !over() && waited < 20; waited++) await this.pace.settle(1_000_000, over);
    this.well();
    this.must(state() === 'draining', `with objects open it must be draining after stage 1, but is ${state() ?? 'gone'}`);
  }

  unload(options: UnloadOptions = {}): Unload {
    this.noteDoors();
    return this.kernel.unload(this.name, options);
  }

  /** Before stage 1: which doors there are. */
  noteDoors(): void {
    this.#doors = this.kernel.module(this.name) === undefined ? [] : this.kernel.dryRun(this.name).doors;
  }

  /** For steps that need what those inside have. */
  get taken(): string | undefined {
    return takenAtStage1(this.#doors, this.#refusal);
  }

  /** It went, properly: nothing failed, nothing was left. */
  async gone(unload: Unload, what: string): Promise<UnloadReport> {
    const report = await this.step(what, () => unload);
    this.must(report.outcome === 'gone', `${what} must end with gone, but it is ${report.outcome} again`);
    this.faultless(report.faults);
    this.must(report.leaks.length === 0, `${what} left behind: ${report.leaks.join('; ')}`);
    this.#settled(what);
    return report;
  }

  /** Nobody of its name is left, so nothing of it waits. */
  #settled(what: string): void {
    if (this.kernel.module(this.name) !== undefined) return;
    const account = this.kernel
      .port(MemoryAccounts)
      .current.all()
      .find(({ name }) => name === this.name);
    const bytes = account?.bytes ?? 0;
    this.must(bytes === 0, `${what} left ${bytes} bytes in its memory account: take off what admit and add have put there`);
  }

  /** Nothing of its own failed so far. */
  well(): void {
    this.faultless(this.#faults());
  }

  faultless(faults: readonly FaultInfo[]): void {
    const [first] = faults;
    if (first !== undefined) throw this.failure(describeFault(first));
  }

  /** Its users let go. */
  async close(traffic: Traffic): Promise<void> {
    this.#closing = true;
    await this.step('close()', () => traffic.close());
    if (this.#traffic === traffic) this.#traffic = undefined;
  }

  must(condition: boolean, sentence: string): void {
    if (!condition) throw this.failure(sentence);
  }

  failure(sentence: string): ComplianceFailure {
    return new ComplianceFailure(`${this.name}: ${sentence}`, { stage: this.stage });
  }

  /** Takes everything down, by force where it must; what fails here was judged elsewhere. */
  async end(): Promise<void> {
    try {
      if (this.#traffic !== undefined) await this.world.run(this.#traffic.close(), { limitUs: this.pace.endUs });
    } catch {
      // A module that fails to let go is taken down all the same.
    }
    for (const kernel of this.kernels) {
      try {
        await this.world.run(kernel.shutdown(), { limitUs: this.pace.endUs });
      } catch {
        // The same.
      }
    }
  }

  #faults(): readonly FaultInfo[] {
    return this.kernel.faults.filter(({ module }) => module.startsWith(`${this.name}#`));
  }

  /** A step may fail since a hook did: that says more. (A start that fails says so itself.) */
  #fault(): string | undefined {
    const first = this.#faults().find(({ hook }) => hook !== 'start');
    return first === undefined ? undefined : `of its faults the first: ${describeFault(first)}`;
  }

  /** Whom a step that did not end may wait for. */
  #waiting(error: unknown): string | undefined {
    const held = isNetError(error) && error.code === 'ETIMEDOUT' ? stillHeld(this.kernels) : undefined;
    return held === undefined || !this.#closing ? held : `${held}: does close() or traffic.close() release it?`;
  }
}

function isLeaving(kernel: Kernel, name: string): boolean {
  const state = kernel.module(name)?.state;
  return state === 'withdrawing' || state === 'draining';
}

/** By its shape: a bundle may have another copy of the class. */
export function isNetError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && error.name === 'NetError' && typeof (error as { code?: unknown }).code === 'string';
}

function virtualKernels(seed: number): Kernel[] {
  const world = new World({ clock: 'virtual', seed, maxStepsPerInstant: STEPS });
  return ['a', 'b'].map((name) => new Kernel({ world, name, seed, settings: QUIET_HOST }));
}

/** A hook that hangs is told before the step that waits for it. */
function realKernels(seed: number, hangsAfterMs: number): Kernel[] {
  const world = new World({ clock: 'real', seed });
  return ['a', 'b'].map((name) => new Kernel({ world, name, seed, settings: QUIET_HOST, hookDeadlineMs: hangsAfterMs / 4 }));
}

function describe(event: KernelEvent): string {
  return event.sort === 'state'
    ? `${event.module} ${event.from} → ${event.to}`
    : `${event.fault.module} ${event.fault.hook}: ${event.fault.message}`;
}
