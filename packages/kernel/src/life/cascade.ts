import { NetError } from '@softnet/contract';
import type { Departure } from './departure.ts';
import type { Roster } from './roster.ts';
import type { UnloadOperation } from './unload-operation.ts';

/**
 * The departures that began together: a module and the dependents that go with it. It goes as a whole: until the last hold
 * of the last of them is released, all of it can come back.
 */
export class Cascade {
  /** Dependents first, the module asked for last. */
  members: readonly Departure[] = [];
  /** What its callers see: the one who began it, and those who joined. */
  readonly operations = new Set<UnloadOperation>();
  readonly #roster: Roster;
  #labels: ReadonlySet<string> = new Set();

  constructor(roster: Roster) {
    this.#roster = roster;
  }

  /** Before any of them does stage 1. */
  gather(members: readonly Departure[]): void {
    this.members = members;
    this.#labels = new Set(members.map(({ generation }) => generation.label));
  }

  get target(): Departure {
    return this.members.at(-1) as Departure;
  }

  /** Is this module (`name#generation`) one of them? */
  has(label: string): boolean {
    return this.#labels.has(label);
  }

  /** Whom a member waits for at stage 2, by label: dependents that are not gone, and those of the cascade that are still held. */
  waitsFor(member: Departure): string[] {
    const dependents = this.#roster.dependence.directDependents(member.generation).map(({ label }) => label);
    const others = this.#torn ? [] : this.members.filter((other) => other !== member);
    const held = others.filter((other) => other.blocked()).map(({ generation }) => generation.label);
    return [...new Set([...dependents, ...held])];
  }

  /** Does a member wait for nobody? */
  isFree(member: Departure): boolean {
    if (this.#roster.dependence.directDependents(member.generation).length > 0) return false;
    return this.#torn || !this.members.some((other) => other !== member && other.blocked());
  }

  /** One of them is forced out, so they cannot come back, and need not wait for one another. */
  get #torn(): boolean {
    return this.members.some(({ forced }) => forced);
  }

  /** Why these members cannot come back together; undefined if they can. */
  obstacle(returning: readonly Departure[]): NetError | undefined {
    const generations = new Set(returning.map(({ generation }) => generation));
    for (const { generation, forced } of returning) {
      const { label, name, phase } = generation;
      const refuse = (why: string, code: 'EBUSY' | 'EALREADY' = 'EBUSY'): NetError =>
        new NetError(code, `${label} cannot come back to live: ${why}`, { syscall: 'abort', module: label });
      if (phase === 'live') return refuse('its unload is just beginning');
      if (phase === 'returning') return refuse('it is on its way already', 'EALREADY');
      if (phase === 'stopping' || phase === 'gone') return refuse('it is stopping; load it again when it is gone');
      if (forced) return refuse('it is being forced out');
      const newest = this.#roster.all.findLast((other) => other.name === name);
      if (newest !== generation) return refuse(`${newest?.label} has taken its place`);
      const lack = this.#roster.dependence.unmet(generation, generations);
      if (lack !== undefined) return refuse(lack);
    }
    return undefined;
  }

  /**
   * Brings members back: what is needed first, then its dependents, each when its own hook has resolved.
   * @returns what kept the first of them from it that failed; then that one and its dependents leave after all.
   */
  async comeBack(returning: readonly Departure[]): Promise<Error | undefined> {
    for (const member of returning) member.turnBack();
    let failure: Error | undefined;
    for (const member of returning.toReversed()) {
      if (failure === undefined) failure = await member.comeBack();
      else await member.leaveAfterAll();
    }
    return failure;
  }
}
