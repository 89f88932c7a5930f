import type { Contributions, CurrentOwner, Dst, Flow, NetworkLayer } from '@softnet/contract';

interface Seat {
  readonly layer: NetworkLayer;
  readonly owner: number;
}

/** The network layer of each family: of two generations, the newer. */
export class Layers {
  readonly #contributions: Contributions<NetworkLayer>;
  readonly #current: CurrentOwner;
  #seen: readonly NetworkLayer[] = [];
  #seats = new Map<number, Seat>();

  constructor(contributions: Contributions<NetworkLayer>, current: CurrentOwner) {
    this.#contributions = contributions;
    this.#current = current;
  }

  /** Whether layers have come or gone since {@link look}. */
  get changed(): boolean {
    return this.#seen !== this.#contributions.items;
  }

  /** Looks again. Returns the families whose layer is another one now. */
  look(): number[] {
    const { items, owners } = this.#contributions;
    this.#seen = items;
    const before = this.#seats;
    this.#seats = new Map(items.map((layer, index) => [layer.family, { layer, owner: owners[index]! }]));
    const families = new Set([...before.keys(), ...this.#seats.keys()]);
    return [...families].filter((family) => before.get(family)?.layer !== this.#seats.get(family)?.layer);
  }

  of(family: number): NetworkLayer | null {
    return this.#seats.get(family)?.layer ?? null;
  }

  chooseSource(flow: Flow, dst: Dst): boolean {
    const seat = this.#seats.get(flow.family);
    if (seat === undefined) return false;
    const current = this.#current;
    const caller = current.id;
    current.id = seat.owner;
    const chosen = seat.layer.chooseSource(flow, dst);
    current.id = caller;
    return chosen;
  }

  /** False: no layer of its family. */
  prepare(dst: Dst): boolean {
    const seat = this.#seats.get(dst.family);
    if (seat === undefined) return false;
    const current = this.#current;
    const caller = current.id;
    current.id = seat.owner;
    seat.layer.prepare(dst);
    current.id = caller;
    return true;
  }
}
