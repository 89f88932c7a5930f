import type { Change, Contributions, CurrentOwner, Neighbour, NeighbourListener, ProxyEntry } from '@softnet/contract';

/** Tells the control plane what becomes of neighbours: `NeighbourListener`. */
export class NeighbourNews {
  readonly #listeners: Contributions<NeighbourListener>;
  readonly #current: CurrentOwner;
  readonly #raise: () => void;
  /** What a listener threw, and whose it is. */
  #fault: { readonly error: unknown; readonly owner: number } | null = null;

  /** @param raise has {@link rethrow} called soon. */
  constructor(listeners: Contributions<NeighbourListener>, current: CurrentOwner, raise: () => void) {
    this.#listeners = listeners;
    this.#current = current;
    this.#raise = raise;
  }

  /** One that throws disturbs neither the others nor the neighbour, which is in the midst of a change. */
  tell(change: Change, neighbour: Neighbour): void {
    const { items, owners } = this.#listeners;
    if (items.length === 0) return;
    const caller = this.#current.id;
    for (let i = 0; i < items.length; i++) {
      const owner = owners[i]!;
      this.#current.id = owner;
      try {
        items[i]!.neighbourChanged(change, neighbour);
      } catch (error) {
        this.#fault ??= { error, owner };
        this.#raise();
      }
    }
    this.#current.id = caller;
  }

  /** As {@link tell}, of an address that is answered for. */
  tellProxy(change: 'add' | 'remove', proxy: ProxyEntry): void {
    const { items, owners } = this.#listeners;
    const caller = this.#current.id;
    for (let i = 0; i < items.length; i++) {
      const owner = owners[i]!;
      this.#current.id = owner;
      try {
        items[i]!.proxyChanged?.(change, proxy);
      } catch (error) {
        this.#fault ??= { error, owner };
        this.#raise();
      }
    }
    this.#current.id = caller;
  }

  /** Throws what a listener threw, as its own. */
  rethrow(): void {
    const fault = this.#fault;
    if (fault === null) return;
    this.#fault = null;
    this.#current.id = fault.owner;
    throw fault.error;
  }
}
