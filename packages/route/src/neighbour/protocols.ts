import type { Contributions, CurrentOwner, DropReason, Neighbour, NeighbourProtocol, NetDevice, Skb } from '@softnet/contract';
import type { Asking } from './neighbour-states.ts';

interface Seat {
  readonly protocol: NeighbourProtocol;
  readonly owner: number;
}

/** RFC 4861 §10, for the moment in which a protocol goes. */
const REACHABLE_MS = 30_000;
const RETRANS_MS = 1000;

/** The neighbour protocol of each family: of two generations, the newer. */
export class Protocols implements Asking {
  readonly #contributions: Contributions<NeighbourProtocol>;
  readonly #current: CurrentOwner;
  readonly #gone: DropReason;
  #seen: readonly NeighbourProtocol[] = [];
  #seats = new Map<number, Seat>();

  constructor(contributions: Contributions<NeighbourProtocol>, current: CurrentOwner, gone: DropReason) {
    this.#contributions = contributions;
    this.#current = current;
    this.#gone = gone;
  }

  get changed(): boolean {
    return this.#seen !== this.#contributions.items;
  }

  /** Looks again. Returns the families whose protocol is another one now, or none. */
  look(): number[] {
    const { items, owners } = this.#contributions;
    this.#seen = items;
    const before = this.#seats;
    this.#seats = new Map(items.map((protocol, index) => [protocol.family, { protocol, owner: owners[index]! }]));
    return [...before.keys()].filter((family) => before.get(family)?.protocol !== this.#seats.get(family)?.protocol);
  }

  knows(family: number): boolean {
    return this.#seats.has(family);
  }

  /** What it says of a new neighbour: see `NeighbourProtocol.begin`. */
  begin(neighbour: Neighbour): number {
    const seat = this.#seats.get(neighbour.family)!;
    const caller = this.#current.id;
    this.#current.id = seat.owner;
    const state = seat.protocol.begin(neighbour);
    this.#current.id = caller;
    return state;
  }

  solicit(neighbour: Neighbour, skb: Skb | null): boolean {
    const seat = this.#seats.get(neighbour.family);
    if (seat === undefined) return false;
    const caller = this.#current.id;
    this.#current.id = seat.owner;
    seat.protocol.solicit(neighbour, skb);
    this.#current.id = caller;
    return true;
  }

  failed(neighbour: Neighbour, skb: Skb): void {
    const seat = this.#seats.get(neighbour.family);
    if (seat === undefined) {
      skb.memory.pool.drop(skb, this.#gone);
      return;
    }
    const caller = this.#current.id;
    this.#current.id = seat.owner;
    seat.protocol.failed(neighbour, skb);
    this.#current.id = caller;
  }

  reachableMs({ family, device }: Neighbour): number {
    return this.#seats.get(family)?.protocol.reachableMs(device) ?? REACHABLE_MS;
  }

  retransMs({ family, device }: Neighbour): number {
    return this.#seats.get(family)?.protocol.retransMs(device) ?? RETRANS_MS;
  }
}

/** Devices on which everybody is reached alike: one neighbour stands for all. */
export function hasOneNeighbour({ addressLen, flags }: NetDevice, mask: number): boolean {
  return addressLen === 0 || (flags & mask) !== 0;
}
