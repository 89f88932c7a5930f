import type { SkbSlot } from '@softnet/contract';
import { NetError, SKB_SLOTS } from '@softnet/contract';

/** The few places in every skb that modules may own, one each. */
export class SkbSlots {
  readonly #owners: (number | undefined)[] = new Array(SKB_SLOTS).fill(undefined);

  /** @throws NetError ENOSPC when all are taken. */
  take(owner: number, name: string): SkbSlot {
    const index = this.#owners.indexOf(undefined);
    if (index === -1)
      throw new NetError('ENOSPC', `all ${SKB_SLOTS} skb slots are taken, none is left for ${name}: unload a module that has one`);
    this.#owners[index] = owner;
    return { name, index };
  }

  countOf(owner: number): number {
    return this.#owners.filter((other) => other === owner).length;
  }

  remove(owner: number): void {
    for (let index = 0; index < SKB_SLOTS; index++) if (this.#owners[index] === owner) this.#owners[index] = undefined;
  }
}
