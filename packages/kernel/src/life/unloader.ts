import { NetError } from '@softnet/contract';
import type { DryRun, ShutdownReport, Unload, UnloadOptions } from '../api.ts';
import { Cascade } from './cascade.ts';
import type { Outcome } from './departure.ts';
import { Departure } from './departure.ts';
import type { Generation } from './generation.ts';
import type { Parts } from './parts.ts';
import type { Roster } from './roster.ts';
import { refusedUnload, UnloadOperation } from './unload-operation.ts';
import { describePlan, planUnload } from './unload-plan.ts';

/** Sends generations away, one by one or in cascade, and calls them back. */
export class Unloader {
  readonly #parts: Parts;
  readonly #roster: Roster;
  readonly #departures = new Map<Generation, Departure>();
  #reviewing = false;
  /** The kernel is shut down: nothing comes back any more. */
  #closing = false;

  constructor(parts: Parts, roster: Roster) {
    this.#parts = parts;
    this.#roster = roster;
  }

  unload(name: string, options: UnloadOptions): Unload {
    try {
      const target = this.#roster.get(name, 'unload');
      const { order, refusal } = planUnload(target, this.#roster, options);
      if (refusal !== undefined) throw refusal;
      const under = this.#departures.get(target);
      return under === undefined ? this.start(order, options) : this.#join(under, options);
    } catch (refusal) {
      if (refusal instanceof NetError) return refusedUnload(name, refusal);
      throw refusal;
    }
  }

  dryRun(name: string, options: UnloadOptions): DryRun {
    const target = this.#roster.get(name, 'unload');
    const plan = planUnload(target, this.#roster, options);
    const under = this.#departures.get(target);
    const joined =
      under !== undefined && under.cascade.target === under ? under.cascade.members.map(({ generation }) => generation) : plan.order;
    return describePlan({ ...plan, order: joined }, options.force === true);
  }

  /**
   * Stage 1 for all of `order` (dependents first, the one asked for last), in this tick: first nobody new can come in
   * anywhere, then owners are told. The rest follows by itself.
   */
  start(order: readonly Generation[], options: UnloadOptions): UnloadOperation {
    const cascade = new Cascade(this.#roster);
    const members = order.map((generation) => new Departure(generation, cascade, this.#parts, (...end) => this.#ended(...end)));
    cascade.gather(members);
    for (const member of members) this.#departures.set(member.generation, member);
    const operation = this.#operate(cascade, members);
    for (const { generation } of members) generation.shutDoors();
    for (const { generation } of members) generation.notifyAll('leaving');
    for (const member of members) void member.run();
    operation.heed(options, this.#parts.alarm);
    return operation;
  }

  /** @throws NetError (the promise rejects) when there is nothing to abort, or the module may not, or cannot, be live now. */
  async abort(name: string): Promise<void> {
    const generation = this.#roster.get(name, 'abort');
    const departure = this.#departures.get(generation);
    const details = { syscall: 'abort', module: generation.label };
    if (departure === undefined) {
      throw new NetError('EINVAL', `${generation.label} is ${generation.state}: there is no unload to abort`, details);
    }
    const operation =
      [...departure.cascade.operations].find(({ module }) => module === generation.label) ?? this.#operate(departure.cascade, [departure]);
    const failure = await operation.callOff('asked');
    if (failure !== undefined)
      throw new NetError('EIO', `${generation.label} did not come back, so it was forced out: ${failure.message}`, details);
  }

  /** A hold was let go of, or a phase changed: whoever watches wants to know, and somebody may be done. Asked at each release. */
  stir(generation: Generation): void {
    const departure = this.#departures.get(generation);
    if (departure === undefined) return;
    for (const operation of departure.cascade.operations) if (operation.members.includes(departure)) operation.step(departure);
    this.reviewSoon();
  }

  /** Somebody may be done. Not at once: a release may stand in the middle of a batch, whose end is the grace period. */
  reviewSoon(): void {
    if (this.#reviewing) return;
    this.#reviewing = true;
    queueMicrotask(() => {
      this.#reviewing = false;
      for (const departure of this.#departures.values()) {
        if (departure.forced && departure.generation.phase === 'draining') departure.closeHolders();
        if (departure.ready && departure.cascade.isFree(departure)) void departure.finish();
      }
    });
  }

  /** Forces out a generation that leaves. */
  forceOut(generation: Generation): void {
    this.#departures.get(generation)?.force();
  }

  /** The end of the kernel: everything goes, by force after `deadlineMs`, and nothing comes back. */
  async unloadAll(deadlineMs: number): Promise<ShutdownReport> {
    this.#closing = true;
    const options = { deadlineMs, onDeadline: 'force' } as const;
    const all = new Set<UnloadOperation>();
    while (this.#roster.all.length > 0) {
      const returning = [...this.#departures.values()].filter(({ generation }) => generation.phase === 'returning');
      await Promise.all(returning.map(({ ended }) => ended));
      const under = [...this.#departures.values()].map((departure) => this.#join(departure, options));
      const order = this.#leavingOrder();
      const operations = order.length === 0 ? under : [...under, this.start(order, options)];
      for (const operation of operations) all.add(operation);
      await Promise.all(operations);
    }
    const reports = await Promise.all(all);
    const faults = new Set(reports.flatMap((report) => report.faults));
    return {
      gone: [...new Set(reports.flatMap((report) => report.gone))],
      broken: [...new Set(reports.flatMap((report) => report.broken))],
      faults: [...faults],
      leaks: reports.flatMap((report) => report.leaks),
    };
  }

  /** Whoever asks for an unload under way joins it: to that of a dependent, as an unload of its own. */
  #join(under: Departure, options: UnloadOptions): UnloadOperation {
    const { label } = under.generation;
    const operation = [...under.cascade.operations].find(({ module }) => module === label) ?? this.#operate(under.cascade, [under]);
    operation.heed(options, this.#parts.alarm);
    return operation;
  }

  #operate(cascade: Cascade, members: readonly Departure[]): UnloadOperation {
    const operation = new UnloadOperation(members, (returning) => this.#callOff(cascade, returning));
    cascade.operations.add(operation);
    return operation;
  }

  #callOff(cascade: Cascade, members: readonly Departure[]): NetError | Promise<Error | undefined> {
    if (this.#closing) return new NetError('ESHUTDOWN', 'the kernel is being shut down: nothing comes back');
    return cascade.obstacle(members) ?? cascade.comeBack(members);
  }

  #ended({ generation }: Departure, outcome: Outcome): void {
    this.#departures.delete(generation);
    if (outcome === 'gone') this.#roster.remove(generation);
    // Whoever waited for this one to go may go now.
    this.reviewSoon();
  }

  /** All that is live: dependents before what they need. */
  #leavingOrder(): Generation[] {
    const order = new Set<Generation>();
    for (const generation of this.#roster.all) {
      for (const each of [...this.#roster.dependence.dependents(generation), generation]) if (each.phase === 'live') order.add(each);
    }
    return [...order];
  }
}
