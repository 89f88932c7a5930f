import type { Change, Contributions, CurrentOwner, Neighbour, NeighbourListener } from '@softnet/contract';

/** Tells the control plane what becomes of neighbours: `NeighbourListener`. */
export class NeighbourNews {
  readonly #listeners: Contributions<NeighbourListener>;
  readonly #current: CurrentOwner;

  constructor(listeners: Contributions<NeighbourListener>, current: CurrentOwner) {
    this.#listeners = listeners;
    this.#current = current;
  }

  tell(change: Change, neighbour: Neighbour): void {
    const { items, owners } = this.#listeners;
    if (items.length === 0) return;
    const caller = this.#current.id;
    for (let i = 0; i < items.length; i++) {
      this.#current.id = owners[i]!;
      items[i]!.neighbourChanged(change, neighbour);
    }
    this.#current.id = caller;
  }
}
