import type { Tally } from '@softnet/contract';
import { ModuleFault } from '@softnet/contract';
import type { Keeper } from './object-list.ts';

/** A count of buffers or the like that holds its module up while it is not zero. */
export class TallyCount implements Tally {
  readonly kind: string;
  readonly place: string;
  count = 0;
  readonly #keeper: Keeper;
  #closed = false;

  constructor(kind: string, place: string, keeper: Keeper) {
    this.kind = kind;
    this.place = place;
    this.#keeper = keeper;
  }

  add(n = 1): void {
    this.#check(n);
    if (this.#closed)
      throw new ModuleFault(this.#keeper.label, `${this.place} adds to its tally of ${this.kind} though the module is gone`);
    this.count += n;
    this.#keeper.counted(n);
  }

  sub(n = 1): void {
    this.#check(n);
    // What was written off may still come back.
    if (this.#closed) return;
    if (n > this.count) {
      throw new ModuleFault(this.#keeper.label, `${this.place} takes ${n} off a tally of ${this.count} ${this.kind}: more than was added`);
    }
    this.count -= n;
    this.#keeper.counted(-n);
  }

  /** Writes off what has not come back, for ever. Returns how many that were. */
  close(): number {
    const lost = this.count;
    this.sub(lost);
    this.#closed = true;
    return lost;
  }

  #check(n: number): void {
    if (Number.isSafeInteger(n) && n >= 0) return;
    throw new ModuleFault(this.#keeper.label, `${this.place} counts ${n} ${this.kind}: a tally takes whole numbers from 0`);
  }
}
