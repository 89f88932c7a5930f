import type { NetError } from '@softnet/contract';
import type { FaultInfo, Unload, UnloadOptions, UnloadProgress, UnloadReport } from '../api.ts';
import type { Departure } from './departure.ts';
import type { Alarm } from './hook-call.ts';
import { ProgressFeed } from './progress-feed.ts';

/** Calls departures off, or says why not. */
export type CallOff = (members: readonly Departure[]) => NetError | Promise<Error | undefined>;

/** One unload as its caller sees it: the module asked for, and the dependents that go with it. */
export class UnloadOperation implements Unload {
  readonly module: string;
  readonly report: Promise<UnloadReport>;
  /** Dependents first, the module asked for last. */
  readonly members: readonly Departure[];
  readonly #callOff: CallOff;
  readonly #feed = new ProgressFeed();
  readonly #faults: FaultInfo[] = [];
  readonly #cancels: (() => void)[] = [];
  readonly #gone: string[] = [];
  #reason: UnloadReport['reason'];
  #returned: Promise<Error | undefined> = Promise.resolve(undefined);

  constructor(members: readonly Departure[], callOff: CallOff) {
    this.members = members;
    this.#callOff = callOff;
    this.module = this.#target.generation.label;
    // Those of a joined unload; a new one's take their first step when stage 1 begins.
    for (const member of members) if (member.generation.phase !== 'live') this.step(member);
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
  heed({ deadlineMs, onDeadline = 'abort', signal, force }: UnloadOptions, alarm: Alarm): void {
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
    for (const member of this.members) member.force();
  }

  /**
   * Back to live, with all that it took along. Resolves with what kept it from that, if a hook did.
   * @throws NetError EBUSY when that cannot be any more, naming what stands in the way.
   */
  callOff(reason: NonNullable<UnloadReport['reason']>): Promise<Error | undefined> {
    const answer = this.#callOff(this.members);
    if (!(answer instanceof Promise)) throw answer;
    this.#reason = reason;
    this.#returned = answer;
    return answer;
  }

  /** Tells whoever iterates how one departure stands. */
  step(member: Departure): void {
    const { generation, initial, cascade } = member;
    const { label, state, holds } = generation;
    this.#feed.push({ module: label, state, remaining: holds, initial, waitsFor: () => cascade.waitsFor(member) });
    if (state === 'gone') this.#gone.push(label);
  }

  get #target(): Departure {
    return this.members.at(-1) as Departure;
  }

  #tryCallOff(reason: 'deadline' | 'signal'): void {
    if (this.#reason !== undefined) return;
    try {
      void this.callOff(reason);
    } catch (error) {
      // It cannot come back any more, so it goes on leaving; the report says that it was wanted otherwise.
      this.#faults.push({ module: this.module, hook: 'abort', message: (error as Error).message });
    }
  }

  async #run(): Promise<UnloadReport> {
    await Promise.all(this.members.map(({ ended }) => ended));
    const outcome = await this.#target.ended;
    await this.#returned;
    for (const cancel of this.#cancels) cancel();
    this.#feed.end();
    const of = this.members;
    return {
      module: this.module,
      outcome,
      reason: outcome === 'live' ? this.#reason : undefined,
      gone: [...this.#gone],
      closedMeanwhile: outcome === 'live' ? of.flatMap(({ closedMeanwhile }) => closedMeanwhile) : [],
      broken: of.flatMap(({ broken }) => broken),
      faults: [...this.#faults, ...of.flatMap((member) => member.faults())],
      leaks: of.flatMap(({ leaks }) => leaks),
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
