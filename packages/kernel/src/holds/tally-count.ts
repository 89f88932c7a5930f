import type { Tally } from '@softnet/contract';
import { ModuleFault } from '@softnet/contract';
import type { Keeper } from './object-list.ts';

/** A count of buffers or the like that holds its module up while it is not zero. */
export class TallyCount implements Tally {
  readonly kind: string;
  readonly place: string;
  count = 0;
  readonly #keeper: Keeper;

  constructor(kind: string, place: string, keeper: Keeper) {
    this.kind = kind;
    this.place = place;
    this.#keeper = keeper;
  }

  add(n = 1): void {
    this.count += n;
    this.#keeper.counted(n);
  }

  sub(n = 1): void {
    if (n > this.count) {
      throw new ModuleFault(this.#keeper.label, `${this.place} takes ${n} off a tally of ${this.count} ${this.kind}: more than was added`);
    }
    this.count -= n;
    this.#keeper.counted(-n);
  }

  /** Writes off what nobody will take off any more. Returns how many that were. */
  writeOff(): number {
    const lost = this.count;
    this.sub(lost);
    return lost;
  }
}
