import type { Contributions, CurrentOwner, DropReason, Neighbour, NeighbourProtocol, NetDevice, Skb } from '@softnet/contract';
import type { NeighbourConfName } from './neighbour-settings.ts';
import type { Asking } from './neighbour-states.ts';
import type { ReachableTimes } from './reachable-times.ts';

interface Seat {
  readonly protocol: NeighbourProtocol;
  readonly owner: number;
}

export interface ProtocolsHost {
  readonly protocols: Contributions<NeighbourProtocol>;
  readonly current: CurrentOwner;
  readonly gone: DropReason;
  readonly setting: (neighbour: Neighbour, name: NeighbourConfName) => number;
  readonly times: (family: number) => ReachableTimes;
}

/** The neighbour protocol of each family: of two generations, the newer. */
export class Protocols implements Asking {
  readonly #contributions: Contributions<NeighbourProtocol>;
  readonly #current: CurrentOwner;
  readonly #host: ProtocolsHost;
  #seen: readonly NeighbourProtocol[] = [];
  #seats = new Map<number, Seat>();

  constructor(host: ProtocolsHost) {
    this.#host = host;
    this.#contributions = host.protocols;
    this.#current = host.current;
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
      skb.memory.pool.drop(skb, this.#host.gone);
      return;
    }
    const caller = this.#current.id;
    this.#current.id = seat.owner;
    seat.protocol.failed(neighbour, skb);
    this.#current.id = caller;
  }

  reachableMs(neighbour: Neighbour): number {
    const { device, family } = neighbour;
    const saidMs = this.#seats.get(family)?.protocol.reachableMs(device) ?? 0;
    const baseMs = saidMs > 0 ? saidMs : this.#host.setting(neighbour, 'base_reachable_time_ms');
    return this.#host.times(family).of(device.ifindex, baseMs);
  }

  retransMs(neighbour: Neighbour): number {
    const saidMs = this.#seats.get(neighbour.family)?.protocol.retransMs(neighbour.device) ?? 0;
    return saidMs > 0 ? saidMs : this.#host.setting(neighbour, 'retrans_time_ms');
  }
}

/** Devices on which everybody is reached alike: one neighbour stands for all. */
export function hasOneNeighbour({ addressLen, flags }: NetDevice, mask: number): boolean {
  return addressLen === 0 || (flags & mask) !== 0;
}
