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

  /** @param after how many throws make a quarantine; as many again while it drains, and it is forced out. */
  constructor(roster: Roster, unloader: Unloader, after: number) {
    this.#roster = roster;
    this.#unloader = unloader;
    this.#after = after;
  }

  threw(generation: Generation, place: string, error: unknown): void {
    generation.throws++;
    const { throws, state } = generation;
    if (isLeaving(state) && throws >= 2 * this.#after) {
      // Its polls would throw for ever, within one instant of virtual time.
      generation.resources.stopPolls();
      this.#unloader.forceOut(generation);
    }
    if (state !== 'live' || throws < this.#after) return;
    const { order, refusal } = planUnload(generation, this.#roster, { cascade: true });
    // A dependent that is just starting cannot be withdrawn; the next throw asks again.
    if (refusal !== undefined) return;
    const reason = `quarantined: threw ${throws} times on the packet path, last at ${place}: ${error instanceof Error ? error.message : String(error)}`;
    for (const member of order) member.trouble = member === generation ? reason : `${generation.label} was ${reason}`;
    this.#unloader.start(order, {});
  }
}
