import type { FaultInfo, KernelEvent, Unload, UnloadOptions, UnloadReport } from '@softnet/kernel';
import { Kernel, World } from '@softnet/kernel';
import { nameOfSource, sourceOf } from './source.ts';
import type { ComplianceSubject, Traffic } from './subject.ts';
import { ComplianceFailure } from './subject.ts';

/** Timers fired and sources polled at one instant of virtual time; beyond it, the instant does not end. */
const STEPS = 100_000;
/** How long a step may take, µs of kernel time: ten minutes. */
const STEP_US = 600_000_000;

/** One trial of a module: kernels of its own, in which things are done to it, each with a deadline. */
export class Trial {
  readonly subject: ComplianceSubject;
  readonly kernels: readonly Kernel[];
  /** The one in which the module is judged. */
  readonly kernel: Kernel;
  readonly world: World;
  readonly events: string[] = [];
  name: string;
  #traffic: Traffic | undefined;

  /** Makes the kernels; nothing is loaded. */
  constructor(subject: ComplianceSubject, seed = 1) {
    this.subject = subject;
    this.kernels = subject.world?.(seed) ?? twoKernels(seed);
    this.kernel = this.kernels[0]!;
    this.world = this.kernel.world;
    this.name = nameOfSource(sourceOf(subject));
    for (const kernel of this.kernels) kernel.on((event) => this.events.push(`${this.world.nowUs} ${kernel.name} ${describe(event)}`));
  }

  /** Loads what the module needs, into every kernel. */
  async loadNeeds(): Promise<void> {
    for (const kernel of this.kernels) {
      for (const need of this.subject.needs ?? []) await this.step('load of what it needs', () => kernel.load(need));
    }
  }

  async load(): Promise<this> {
    await this.loadNeeds();
    for (const kernel of this.kernels) {
      const info = await this.step('load', () => kernel.load(sourceOf(this.subject)));
      this.name = info.name;
    }
    return this;
  }

  /** Loaded, with traffic that has moved bytes. */
  async underTraffic(): Promise<Traffic> {
    await this.load();
    const traffic = await this.step('traffic()', () => this.subject.traffic(this.kernels));
    this.#traffic = traffic;
    await this.moves(traffic, 'when all is well');
    return traffic;
  }

  /** Does one thing, within a deadline of kernel time. */
  async step<T>(what: string, act: () => PromiseLike<T>): Promise<T> {
    try {
      return await this.world.run(act(), { limitUs: STEP_US });
    } catch (error) {
      throw this.failure(`${what} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Bytes move over what is open. */
  async moves(traffic: Traffic, when: string): Promise<number> {
    const count = await this.step(`exchange() ${when}`, () => traffic.exchange());
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
    this.must(
      isNetError(error),
      `openAnother() ${when} must be refused with a NetError, but got ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
    );
  }

  /** Comes to the end of stage 1, and says that this is how it is. */
  async draining(): Promise<void> {
    const state = (): string | undefined => this.kernel.module(this.name)?.state;
    for (let waited = 0; state() === 'withdrawing' && waited < 20; waited++) await this.world.advance(1_000_000);
    this.well();
    this.must(state() === 'draining', `with objects open it must be draining after stage 1, but is ${state() ?? 'gone'}`);
  }

  unload(options: UnloadOptions = {}): Unload {
    return this.kernel.unload(this.name, options);
  }

  /** It went, properly: nothing failed, nothing was left. */
  async gone(unload: Unload, what: string): Promise<UnloadReport> {
    const report = await this.step(what, () => unload);
    this.must(report.outcome === 'gone', `${what} must end with gone, but it is ${report.outcome} again`);
    this.faultless(report.faults);
    this.must(report.leaks.length === 0, `${what} left behind: ${report.leaks.join('; ')}`);
    return report;
  }

  /** Nothing of its own failed so far. */
  well(): void {
    this.faultless(this.kernel.faults.filter(({ module }) => module.startsWith(`${this.name}#`)));
  }

  faultless(faults: readonly FaultInfo[]): void {
    const [first] = faults;
    if (first === undefined) return;
    const { hook, module, message } = first;
    throw this.failure(hook === 'packet' ? `threw on the packet path: ${message}` : `${hook} of ${module} failed: ${message}`);
  }

  /** Its users let go. */
  async close(traffic: Traffic): Promise<void> {
    await this.step('close()', () => traffic.close());
    if (this.#traffic === traffic) this.#traffic = undefined;
  }

  must(condition: boolean, sentence: string): void {
    if (!condition) throw this.failure(sentence);
  }

  failure(sentence: string): ComplianceFailure {
    return new ComplianceFailure(`${this.name}: ${sentence}`);
  }

  /** Takes everything down, by force where it must; what fails here was judged elsewhere. */
  async end(): Promise<void> {
    try {
      if (this.#traffic !== undefined) await this.world.run(this.#traffic.close(), { limitUs: STEP_US });
    } catch {
      // A module that fails to let go is taken down all the same.
    }
    for (const kernel of this.kernels) {
      try {
        await this.world.run(kernel.shutdown(), { limitUs: STEP_US });
      } catch {
        // The same.
      }
    }
  }
}

/** By its shape: a bundle may have another copy of the class. */
export function isNetError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && error.name === 'NetError' && typeof (error as { code?: unknown }).code === 'string';
}

function twoKernels(seed: number): Kernel[] {
  const world = new World({ clock: 'virtual', seed, maxStepsPerInstant: STEPS });
  return ['a', 'b'].map((name) => new Kernel({ world, name, seed }));
}

function describe(event: KernelEvent): string {
  return event.sort === 'state'
    ? `${event.module} ${event.from} → ${event.to}`
    : `${event.fault.module} ${event.fault.hook}: ${event.fault.message}`;
}
