import type { Contributions, EthertypeHandler } from '@softnet/contract';

/** Who handles an ethertype. */
export interface EthertypeEntry {
  readonly handler: EthertypeHandler;
  /** Integer of its module, for `CurrentOwner`. */
  readonly owner: number;
}

/** The handlers by ethertype: of two generations, the one that went live last. */
export class EthertypeTable {
  readonly #handlers: Contributions<EthertypeHandler>;
  #seen: readonly EthertypeHandler[] | null = null;
  #entries = new Map<number, EthertypeEntry>();

  constructor(handlers: Contributions<EthertypeHandler>) {
    this.#handlers = handlers;
  }

  find(ethertype: number): EthertypeEntry | null {
    if (this.#seen !== this.#handlers.items) this.refresh();
    return this.#entries.get(ethertype) ?? null;
  }

  /** Handlers have come or gone. */
  refresh(): void {
    const { items, owners } = this.#handlers;
    this.#entries = new Map(items.map((handler, i) => [handler.ethertype, { handler, owner: owners[i]! }]));
    this.#seen = items;
  }
}
