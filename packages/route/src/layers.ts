import type { Contributions, CurrentOwner, Dst, Flow, LightweightTunnel, NetDevice, NetworkLayer } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';

interface Seat {
  readonly layer: NetworkLayer;
  readonly owner: number;
}

/** The network layer of each family: of two generations, the newer. And whether those that stack on next hops are still the same. */
export class Layers {
  readonly #contributions: Contributions<NetworkLayer>;
  readonly #tunnels: Contributions<LightweightTunnel>;
  readonly #current: CurrentOwner;
  #seen: readonly NetworkLayer[] = [];
  #seenTunnels: readonly LightweightTunnel[];
  #seats = new Map<number, Seat>();

  constructor(contributions: Contributions<NetworkLayer>, tunnels: Contributions<LightweightTunnel>, current: CurrentOwner) {
    this.#contributions = contributions;
    this.#tunnels = tunnels;
    this.#current = current;
    this.#seenTunnels = tunnels.items;
  }

  /** Whether layers or tunnels have come or gone since {@link look}. */
  get changed(): boolean {
    return this.#seen !== this.#contributions.items || this.#seenTunnels !== this.#tunnels.items;
  }

  /** Looks again. Returns the families whose layer is another one now; UNSPEC, that is all, where tunnels are. */
  look(): number[] {
    const { items, owners } = this.#contributions;
    this.#seen = items;
    const before = this.#seats;
    this.#seats = new Map(items.map((layer, index) => [layer.family, { layer, owner: owners[index]! }]));
    if (this.#seenTunnels !== this.#tunnels.items) {
      this.#seenTunnels = this.#tunnels.items;
      return [ADDRESS_FAMILY.UNSPEC];
    }
    const families = new Set([...before.keys(), ...this.#seats.keys()]);
    return [...families].filter((family) => before.get(family)?.layer !== this.#seats.get(family)?.layer);
  }

  of(family: number): NetworkLayer | null {
    return this.#seats.get(family)?.layer ?? null;
  }

  /** Those of this family have all begun to leave. Where there is none, nobody leaves. */
  leaves(family: number): boolean {
    let leaves = false;
    for (const layer of this.#contributions.items) {
      if (layer.family !== family) continue;
      if (layer.uses.open) return false;
      leaves = true;
    }
    return leaves;
  }

  /** Some layer may take ways without carrier for dead. */
  get carrierMatters(): boolean {
    return this.#seen.some((layer) => layer.needsCarrier !== undefined);
  }

  /** Whether, to the layer of this family, ways by a device without carrier are dead. */
  needsCarrier(family: number, device: NetDevice | null): boolean {
    const layer = this.of(family);
    return device !== null && layer?.needsCarrier?.(device) === true;
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
