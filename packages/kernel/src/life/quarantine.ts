import { messageOf } from '../load/describe-value.ts';
import type { Generation } from './generation.ts';
import type { Roster } from './roster.ts';
import { isLeaving } from './states.ts';
import { planUnload } from './unload-plan.ts';
import type { Unloader } from './unloader.ts';

/** Withdraws a module that keeps throwing on the packet path, with those that cannot live without it. */
export class Quarantine {
  readonly #roster: Roster;
  readonly #unloader: Unloader;
  readonly #after: number;
  /** Those that cannot be withdrawn yet, as somebody who needs them is just starting or coming back. */
  readonly #waiting = new Set<Generation>();

  /** @param after how many throws make a quarantine; as many again, and its code runs no more. */
  constructor(roster: Roster, unloader: Unloader, after: number) {
    this.#roster = roster;
    this.#unloader = unloader;
    this.#after = after;
  }

  threw(generation: Generation, place: string, error: unknown): void {
    generation.throws++;
    const { throws, phase } = generation;
    if (throws >= 2 * this.#after) {
      // It would throw for ever, within one instant of virtual time.
      generation.resources.silence();
      if (isLeaving(phase)) this.#unloader.forceOut(generation);
    }
    if (phase !== 'live' || throws < this.#after) return;
    generation.trouble ??= `quarantined: threw ${throws} times on the packet path, last at ${place}: ${messageOf(error)}`;
    this.#withdraw(generation);
  }

  /** Somebody is live now, or gone: those that waited for that may be withdrawn. */
  retry(): void {
    for (const generation of this.#waiting) {
      this.#waiting.delete(generation);
      if (generation.phase === 'live') this.#withdraw(generation);
    }
  }

  #withdraw(generation: Generation): void {
    const { order, refusal } = planUnload(generation, this.#roster, { cascade: true });
    if (refusal !== undefined) {
      this.#waiting.add(generation);
      return;
    }
    for (const member of order) if (member !== generation) member.trouble = `${generation.label} was ${generation.trouble}`;
    this.#unloader.start(order, {});
    if (generation.throws >= 2 * this.#after) this.#unloader.forceOut(generation);
  }
}
