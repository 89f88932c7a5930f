import type { NetError } from '@softnet/contract';
import type { FaultInfo, Unload, UnloadOptions, UnloadProgress, UnloadReport } from '../api.ts';
import type { Departure } from './departure.ts';
import type { Alarm } from './hook-call.ts';
import { ProgressFeed } from './progress-feed.ts';

/** What an operation asks of who runs it. */
export interface Conductor {
  /** Why the operation cannot be called off now; undefined if it can. */
  mayReturn(operation: UnloadOperation): NetError | undefined;
  /** Whom a departure waits for, by label. */
  waitsFor(departure: Departure): readonly string[];
}

/** One unload as its caller sees it: the module asked for, and the dependents that go with it. */
export class UnloadOperation implements Unload {
  readonly module: string;
  readonly report: Promise<UnloadReport>;
  /** Dependents first, the module asked for last. */
  readonly departures: readonly Departure[];
  readonly #target: Departure;
  readonly #feed = new ProgressFeed();
  readonly #conductor: Conductor;
  readonly #faults: FaultInfo[] = [];
  readonly #cancels: (() => void)[] = [];
  readonly #gone: string[] = [];
  #reason: UnloadReport['reason'];
  #returned: Promise<void> = Promise.resolve();

  constructor(departures: readonly Departure[], conductor: Conductor) {
    const target = departures.at(-1) as Departure;
    this.departures = departures;
    this.#target = target;
    this.#conductor = conductor;
    this.module = target.generation.label;
    for (const departure of departures) {
      this.step(departure);
      void departure.ended.then((outcome) => {
        if (outcome === 'gone') this.#gone.push(departure.generation.label);
      });
    }
    this.report = this.#run();
  }

  // biome-ignore lint/suspicious/noThenProperty: an unload is awaited for its report
  then<A = UnloadReport, B = never>(
    resolve?: ((report: UnloadReport) => A | PromiseLike<A>) | null,
    reject?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.report.then(resolve, reject);
  }

  [Symbol.asyncIterator](): AsyncIterator<UnloadProgress> {
    return this.#feed.read();
  }

  /** Adds a caller's wishes: also those of one who joins an unload under way. */
  heed(options: UnloadOptions, alarm: Alarm): void {
    const { deadlineMs, onDeadline = 'abort', signal, force } = options;
    if (force === true) this.force();
    if (deadlineMs !== undefined) {
      this.#cancels.push(alarm(deadlineMs, () => (onDeadline === 'force' ? this.force() : this.#tryCallOff('deadline'))));
    }
    if (signal === undefined) return;
    const onAbort = (): void => this.#tryCallOff('signal');
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#cancels.push(() => signal.removeEventListener('abort', onAbort));
  }

  force(): void {
    for (const departure of this.departures) departure.force();
  }

  /**
   * Back to live: what it needs first, then its dependents, each when its own hook has resolved.
   * @throws NetError EBUSY when that cannot be any more, naming what stands in the way.
   */
  callOff(reason: NonNullable<UnloadReport['reason']>): Promise<void> {
    const refusal = this.#conductor.mayReturn(this);
    if (refusal !== undefined) throw refusal;
    this.#reason = reason;
    this.#returned = this.#comeBack();
    return this.#returned;
  }

  /** Tells whoever iterates how one departure stands. */
  step(departure: Departure): void {
    const { generation, initial } = departure;
    this.#feed.push({
      module: generation.label,
      state: generation.state,
      remaining: generation.holds,
      initial,
      waitsFor: () => this.#conductor.waitsFor(departure),
    });
  }

  #tryCallOff(reason: 'deadline' | 'signal'): void {
    try {
      void this.callOff(reason);
    } catch (error) {
      // It cannot come back any more, so it goes on leaving; the report says that it was wanted otherwise.
      this.#faults.push({ module: this.module, hook: 'abort', message: (error as Error).message });
    }
  }

  async #comeBack(): Promise<void> {
    const returning = this.departures.filter(({ phase }) => phase === 'withdrawing' || phase === 'draining').reverse();
    for (const departure of returning) departure.turnBack();
    let allBack = true;
    for (const departure of returning) {
      if (allBack) allBack = await departure.comeBack();
      else await departure.leaveAfterAll();
    }
  }

  async #run(): Promise<UnloadReport> {
    await Promise.all(this.departures.map(({ ended }) => ended));
    const outcome = await this.#target.ended;
    await this.#returned;
    for (const cancel of this.#cancels) cancel();
    this.#feed.end();
    const of = this.departures;
    return {
      module: this.module,
      outcome,
      reason: outcome === 'live' ? this.#reason : undefined,
      gone: [...this.#gone],
      closedMeanwhile: outcome === 'live' ? of.flatMap((departure) => departure.generation.closedMeanwhile) : [],
      broken: of.flatMap((departure) => departure.broken),
      faults: [...this.#faults, ...of.flatMap((departure) => departure.faults())],
      leaks: of.flatMap((departure) => departure.leaks),
    };
  }
}

/** An unload that was refused: everything about it says why. */
export function refusedUnload(module: string, refusal: NetError): Unload {
  const report = Promise.reject<UnloadReport>(refusal);
  // The refusal reaches whoever awaits or iterates; one who does neither did not care, and must not be killed for it.
  report.catch(() => undefined);
  const feed = new ProgressFeed();
  feed.end(refusal);
  return {
    module,
    report,
    // biome-ignore lint/suspicious/noThenProperty: an unload is awaited for its report
    then: (resolve, reject) => report.then(resolve, reject),
    [Symbol.asyncIterator]: () => feed.read(),
  };
}
