import { NetError } from '@softnet/contract';
import type { DryRun, Unload, UnloadOptions, UnloadReport } from '../api.ts';
import { Departure } from './departure.ts';
import type { Generation } from './generation.ts';
import { lackOf } from './lack.ts';
import type { Parts } from './parts.ts';
import type { Roster } from './roster.ts';
import { refusedUnload, UnloadOperation } from './unload-operation.ts';
import { describePlan, planUnload } from './unload-plan.ts';

/** Sends generations away, one by one or in cascade, and calls them back. */
export class Unloader {
  readonly #parts: Parts;
  readonly #roster: Roster;
  readonly #departures = new Map<Generation, Departure>();
  /** The unloads that a departure belongs to: the one that began it first, then those that joined. */
  readonly #operations = new Map<Departure, UnloadOperation[]>();

  #reviewing = false;

  constructor(parts: Parts, roster: Roster) {
    this.#parts = parts;
    this.#roster = roster;
  }

  unload(name: string, options: UnloadOptions): Unload {
    try {
      const target = this.#roster.get(name, 'unload');
      const under = this.#departures.get(target);
      if (under !== undefined) return this.#join(under, options);
      const plan = planUnload(target, this.#roster, options);
      if (plan.refusal !== undefined) throw plan.refusal;
      return this.start(plan.order, options);
    } catch (refusal) {
      return refusedUnload(name, refusal as NetError);
    }
  }

  dryRun(name: string, options: UnloadOptions): DryRun {
    return describePlan(planUnload(this.#roster.get(name, 'unload'), this.#roster, options));
  }

  /** Stage 1 for all of `order` in this tick (dependents first, the one asked for last); the rest follows by itself. */
  start(order: readonly Generation[], options: UnloadOptions): UnloadOperation {
    const departures = order.map((generation) => this.#depart(generation));
    const operation = this.#operate(departures);
    for (const departure of departures) void departure.run();
    operation.heed(options, this.#parts.alarm);
    return operation;
  }

  /** @throws NetError (the promise rejects) when there is nothing to abort, or the module may not be live now. */
  async abort(name: string): Promise<void> {
    const generation = this.#roster.get(name, 'abort');
    const departure = this.#departures.get(generation);
    if (departure === undefined) {
      throw new NetError('EINVAL', `${generation.label} is ${generation.state}: there is no unload to abort`, {
        syscall: 'abort',
        module: generation.label,
      });
    }
    const operation = this.#operations.get(departure)?.find(({ module }) => module === generation.label);
    if (operation !== undefined) return operation.callOff('asked');
    const refusal = this.#mayReturnAlone(departure, new Set());
    if (refusal !== undefined) throw refusal;
    departure.turnBack();
    await departure.comeBack();
  }

  /** A hold was let go of, or a state changed: whoever watches wants to know, and somebody may be done. Asked at each release. */
  stir(generation: Generation): void {
    const departure = this.#departures.get(generation);
    if (departure === undefined) return;
    for (const operation of this.#operations.get(departure) ?? []) operation.step(departure);
    this.#reviewSoon();
  }

  /** Forces out a generation that leaves. */
  forceOut(generation: Generation): void {
    this.#departures.get(generation)?.force();
  }

  /** The end of the kernel: everything goes, by force after `deadlineMs`. */
  async unloadAll(deadlineMs: number): Promise<UnloadReport | undefined> {
    const leaving = [...this.#departures.values()];
    const options = { deadlineMs, onDeadline: 'force' } as const;
    const joined = leaving.map(({ generation }) => this.unload(generation.label, options));
    const order = this.#leavingOrder();
    const report = order.length === 0 ? undefined : await this.start(order, options);
    await Promise.all(joined);
    return report;
  }

  #depart(generation: Generation): Departure {
    const departure = new Departure(generation, this.#parts);
    this.#departures.set(generation, departure);
    this.#operations.set(departure, []);
    void departure.ended.then((outcome) => this.#ended(departure, outcome));
    return departure;
  }

  /** Not at once: the release may stand in the middle of a batch, whose end is the grace period. */
  #reviewSoon(): void {
    if (this.#reviewing) return;
    this.#reviewing = true;
    queueMicrotask(() => {
      this.#reviewing = false;
      for (const departure of this.#departures.values()) if (departure.ready && this.#isFree(departure)) void departure.finish();
    });
  }

  #operate(departures: readonly Departure[]): UnloadOperation {
    const operation = new UnloadOperation(departures, {
      mayReturn: (asked) => this.#mayReturn(asked),
      waitsFor: (departure) => this.#waitsFor(departure),
    });
    for (const departure of departures) this.#operations.get(departure)?.push(operation);
    return operation;
  }

  /**
   * Whom a departure waits for at stage 2: dependents that are not gone, and those that leave together with it and are
   * still held. For a cascade goes as a whole: until its last hold is released, all of it can come back.
   */
  #waitsFor(departure: Departure): string[] {
    const dependents = this.#roster.dependence.directDependents(departure.generation).map(({ label }) => label);
    const { members, leaving } = this.#group(departure);
    const held = members.filter((member) => member.blocked(leaving)).map(({ generation }) => generation.label);
    return [...new Set([...dependents, ...held])];
  }

  /** Does it wait for nobody? */
  #isFree(departure: Departure): boolean {
    if (this.#roster.dependence.directDependents(departure.generation).length > 0) return false;
    const { members, leaving } = this.#group(departure);
    return !members.some((member) => member.blocked(leaving));
  }

  /** The others that leave with a departure, and the generations of all of them. */
  #group(departure: Departure): { readonly members: readonly Departure[]; readonly leaving: ReadonlySet<Generation> } {
    const all = this.#operations.get(departure)?.[0]?.departures ?? [];
    return { members: all.filter((member) => member !== departure), leaving: new Set(all.map(({ generation }) => generation)) };
  }

  #ended(departure: Departure, outcome: 'gone' | 'live'): void {
    const { generation } = departure;
    this.#departures.delete(generation);
    this.#operations.delete(departure);
    if (outcome === 'gone') this.#roster.remove(generation);
    // Whoever waited for this one to go may go now.
    this.#reviewSoon();
  }

  /** Whoever asks for an unload under way joins it: to that of a dependent, as an unload of its own. */
  #join(under: Departure, options: UnloadOptions): Unload {
    const { label, comingBack } = under.generation;
    if (comingBack) {
      throw new NetError('EBUSY', `${label} is coming back to live: unload it again when it is`, { syscall: 'unload', module: label });
    }
    const operation = this.#operations.get(under)?.find(({ module }) => module === label) ?? this.#operate([under]);
    operation.heed(options, this.#parts.alarm);
    return operation;
  }

  #mayReturn(operation: UnloadOperation): NetError | undefined {
    const returning = new Set(operation.departures.map(({ generation }) => generation));
    return this.#mayReturnAlone(operation.departures.at(-1) as Departure, returning);
  }

  /** Why this departure cannot be called off, undefined if it can. */
  #mayReturnAlone(departure: Departure, returning: ReadonlySet<Generation>): NetError | undefined {
    const { generation, phase, forced } = departure;
    const details = { syscall: 'abort', module: generation.label };
    const refuse = (why: string): NetError => new NetError('EBUSY', `${generation.label} cannot come back to live: ${why}`, details);
    if (phase === 'returning') return new NetError('EALREADY', `${generation.label} is coming back already`, details);
    if (phase === 'stopping' || phase === 'ended') return refuse('it is stopping; load it again when it is gone');
    if (forced) return refuse('it is being forced out');
    const newest = this.#roster.find(generation.name);
    if (newest !== generation) return refuse(`${newest?.label} has taken its place`);
    const lack = this.#roster.dependence.unmet(generation, returning);
    if (lack === undefined) return undefined;
    return refuse(lackOf(lack));
  }

  /** All that is loaded and does not leave yet: dependents before what they need. */
  #leavingOrder(): Generation[] {
    const order = new Set<Generation>();
    for (const generation of this.#roster.all) {
      for (const each of [...this.#roster.dependence.dependents(generation), generation]) if (each.state === 'live') order.add(each);
    }
    return [...order];
  }
}
