import type { Dst, Flow, Held, Objects } from '@softnet/contract';
import { DstUse, isFresh, NetError } from '@softnet/contract';
import type { ErrorDsts } from './error-dsts.ts';
import type { Lookups } from './lookups.ts';

/** Who keeps a dst: the holds that hold up the modules behind it. */
export class DstUses {
  readonly #lookups: Lookups;
  readonly #errors: ErrorDsts;
  /** For dsts that nobody waits for: it is still remembered whose they are. */
  readonly #rest: Objects<DstUse>;

  constructor(lookups: Lookups, errors: ErrorDsts, rest: Objects<DstUse>) {
    this.#lookups = lookups;
    this.#errors = errors;
    this.#rest = rest;
  }

  attach(use: DstUse, flow: Flow, holder: Held, place: string): Dst {
    const dst = this.#lookups.lookup(flow);
    if (use.dst === dst && use.holdNext !== null && use.holdHolder === holder) {
      use.generation = dst.generation.value;
      return dst;
    }
    this.detach(use);
    try {
      this.#derive(use, dst, holder, place);
    } catch (error) {
      this.detach(use);
      // The layer, a transformation or the driver leaves: established flows go on, nobody new comes in.
      if (!(error instanceof NetError)) throw error;
      return this.#keep(use, this.#refused(use, flow.family, holder, place));
    }
    return this.#keep(use, dst);
  }

  validate(use: DstUse, flow: Flow): Dst {
    if (isFresh(use)) return use.dst!;
    const { holdHolder, holdPlace } = use;
    // Nobody's: its holder has ended, or it never was attached.
    if (holdHolder === null) return this.#lookups.lookup(flow);
    return this.attach(use, flow, holdHolder, holdPlace);
  }

  detach(use: DstUse): void {
    use.dst = null;
    if (use.holdNext !== null) use.holdKind!.release(use);
  }

  #keep(use: DstUse, dst: Dst): Dst {
    use.dst = dst;
    use.generation = dst.generation.value;
    return dst;
  }

  /** `use` in the list of the first dst that has one; of all others, of the device and of those that it is stacked on, a use derived from it. */
  #derive(use: DstUse, dst: Dst, holder: Held, place: string): void {
    let bottom = dst;
    for (let at: Dst | null = dst; at !== null; at = at.child) {
      if (at.uses !== null) deriveIn(at.uses, use, at, holder, place);
      bottom = at;
    }
    for (let at = bottom.device; at !== null; at = at.lower) if (at.uses !== null) deriveIn(at.uses, use, bottom, holder, place);
    if (use.holdNext === null) this.#rest.derive(use, holder, place);
  }

  #refused(use: DstUse, family: number, holder: Held, place: string): Dst {
    this.#rest.derive(use, holder, place);
    return this.#errors.of('leaving', family);
  }
}

/** The first list has `use` itself; another one that says of what it is. */
function deriveIn(list: Objects<DstUse>, use: DstUse, dst: Dst, holder: Held, place: string): void {
  if (use.holdNext === null) {
    list.derive(use, holder, place);
    return;
  }
  const further = new DstUse();
  further.dst = dst;
  list.derive(further, use, place);
}
