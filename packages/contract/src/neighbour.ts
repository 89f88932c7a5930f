import type { Timer } from './clock.ts';
import type { NetDevice } from './device.ts';
import { Held } from './held.ts';
import type { AddressWords } from './route-table.ts';
import type { Skb } from './skb.ts';
import { SkbQueue } from './skb-queue.ts';
import { definePoint, defineService } from './token.ts';

/** RFC 4861 §7.3.2, with Linux's additions. */
export const NEIGHBOUR_STATE = Object.freeze({
  NONE: 0,
  /** Being asked for; packets wait in the queue. */
  INCOMPLETE: 1,
  REACHABLE: 2,
  STALE: 4,
  DELAY: 8,
  PROBE: 16,
  /** Nobody answered: packets are refused until the next try. */
  FAILED: 32,
  /** Needs no resolution: loopback, multicast, point to point. */
  NOARP: 64,
  /** Set by hand. */
  PERMANENT: 128,
} as const);

/** A host on a link, and how to reach it: shared by ARP and ND. Kind `keep`: it holds nothing up. Linux's `struct neighbour`. */
export class Neighbour extends Held {
  family = 0;
  /** Address, four words: see {@link Flow}. */
  address0 = 0;
  address1 = 0;
  address2 = 0;
  address3 = 0;
  device: NetDevice;
  /** One of {@link NEIGHBOUR_STATE}; written by the core only. */
  state = 0;
  /** Link address, `device.addressLen` bytes of it; zeros while unknown. */
  linkAddress: Uint8Array;
  /**
   * Sends a packet to it: writes the link header and transmits, or queues and asks. Set by the core at each change of
   * state. A **corridor**; returns one of `TRANSMIT`.
   */
  output: (neighbour: Neighbour, skb: Skb) => number;
  /** What waits for the answer, in order and bounded. */
  queue = new SkbQueue();
  /** Solicitations sent since the last answer. */
  probes = 0;
  /** Kernel ms, wrapping int32. */
  confirmedMs = 0;
  usedMs = 0;
  updatedMs = 0;
  /** How many next hops lead by it: while there are some, it is not collected. Written by route only. */
  gatewayOf = 0;
  /** It said that it is a router (RFC 4861 §4.4). */
  isRouter = false;
  /** Next in the core's hash chain. */
  hashNext: Neighbour | null = null;
  /** The core's: in which line of those who go first when the table is full it stands, and where. */
  line: object | null = null;
  lineBefore: Neighbour | null = null;
  lineAfter: Neighbour | null = null;
  /** The core's: when its state ends. Null: it has never waited for anything. */
  timer: Timer | null = null;
  /** Its neighbour protocol's own. */
  ext: object | null = null;

  constructor(device: NetDevice, output: (neighbour: Neighbour, skb: Skb) => number) {
    super();
    this.device = device;
    this.output = output;
    this.linkAddress = new Uint8Array(device.addressLen);
  }
}

/** What an advertisement says beyond the address, by RFC 4861 §7.2.5: bits of `Neighbours.learn`. */
export const NEIGHBOUR_UPDATE = Object.freeze({
  /** A link address that differs is taken over. ARP: always. */
  OVERRIDE: 1,
  /** It answers a solicitation of ours: reachable. Else stale. */
  SOLICITED: 2,
  IS_ROUTER: 4,
  /** From a request or solicitation of theirs: make the entry if there is none. */
  CREATE: 8,
  /** It is an advertisement: who did not answer, or was not asked yet, is not there for it (RFC 4861 §7.2.5, Appendix C). */
  ANSWER: 16,
} as const);

/**
 * The neighbour core: tables, states, timers, queues, bounded garbage collection (rows R3, S5). A **corridor**: flows
 * that exist go on resolving. Callers: network layers (find), neighbour protocols (learn), TCP by way of the skb's flag.
 */
export interface Neighbours {
  /** The neighbour with this address on this device, made if need be. Null: the table is full, or no protocol knows the family. */
  find(device: NetDevice, family: number, address0: number, address1: number, address2: number, address3: number): Neighbour | null;
  /**
   * A neighbour's link address was heard; `bits` of {@link NEIGHBOUR_UPDATE}. Does nothing for one that nobody asked
   * for, without CREATE. Returns whether there is one.
   * @param bytes where it stands, from `offset` on; `device.addressLen` of them.
   * @param offset -1: none was said. Then what is known is confirmed, and nobody is made; false where none is known.
   */
  learn(
    device: NetDevice,
    family: number,
    address0: number,
    address1: number,
    address2: number,
    address3: number,
    bytes: Uint8Array,
    offset: number,
    bits: number,
  ): boolean;
  /** Forward progress was seen beyond it: reachable for another while (RFC 4861 §7.3.1). */
  confirm(neighbour: Neighbour): void;
  /** All that are known of a family: for `ip neigh`. */
  entries(family: number): readonly Neighbour[];
  /** Whether this host answers on the device for an address that is not its own (RFC 1027, RFC 4861 §7.2.8), by {@link NeighbourTable.addProxy}. */
  isProxied(device: NetDevice, family: number, address0: number, address1: number, address2: number, address3: number): boolean;
  /** For `ip neigh show proxy`. */
  proxies(family: number): readonly ProxyEntry[];
}
export const Neighbours = defineService<Neighbours>({
  name: 'neighbours',
  version: '1.0.0',
  errno: 'EHOSTUNREACH',
  methods: ['find', 'learn', 'confirm', 'entries', 'isProxied', 'proxies'],
  absent: () => ({
    find: () => null,
    learn: () => false,
    confirm: () => {},
    entries: () => [],
    isProxied: () => false,
    proxies: () => [],
  }),
});

/** An address that this host answers for. */
export interface ProxyEntry {
  readonly family: number;
  /** Null: on every device. */
  readonly device: NetDevice | null;
  readonly address: AddressWords;
}

/** Neighbours set by hand: `ip neigh`. A **door** of the core. */
export interface NeighbourTable {
  /**
   * Sets the link address.
   * @param state PERMANENT, the default: for good; REACHABLE, STALE, NOARP: as if it had been heard.
   * @param isRouter false by default.
   * @throws NetError EINVAL for one of another length or another state, ENOBUFS.
   */
  set(device: NetDevice, family: number, address: AddressWords, linkAddress: Uint8Array, state?: number, isRouter?: boolean): void;
  /** Forgets it; who waits is told that nobody answered. @throws NetError ENOENT. */
  remove(device: NetDevice, family: number, address: AddressWords): void;
  /** Forgets all of a device that were not set by hand. */
  flush(device: NetDevice): void;
  /** Answers for an address: `ip neigh add proxy`. @param device null: on every one. @throws NetError EEXIST, ENOBUFS. */
  addProxy(device: NetDevice | null, family: number, address: AddressWords): void;
  /** @throws NetError ENOENT. */
  removeProxy(device: NetDevice | null, family: number, address: AddressWords): void;
}
export const NeighbourTable = defineService<NeighbourTable>({ name: 'neighbour-table', version: '1.0.0' });

/** What ARP and ND bring: how to ask on the wire. One for each family. A **corridor**. Linux's `struct neigh_table`, half of it. */
export interface NeighbourProtocol {
  readonly family: number;
  /**
   * A new entry: may set the link address of one that needs no resolution (multicast, broadcast) and return NOARP, or
   * refuse by FAILED; else NONE.
   */
  begin(neighbour: Neighbour): number;
  /** Asks for it: multicast, or unicast when the state is PROBE. `skb`: the first that waits, for the source address; may be null. */
  solicit(neighbour: Neighbour, skb: Skb | null): void;
  /** Nobody answered: takes each packet that waited, tells its sender (ICMP host unreachable), and drops it. */
  failed(neighbour: Neighbour, skb: Skb): void;
  /**
   * Base of the reachable time (RFC 4861 §6.3.2), and the time between two solicitations (§10), on this device, ms: where somebody has said
   * them (a router, §6.3.4). 0: as the settings have it.
   */
  reachableMs(device: NetDevice): number;
  retransMs(device: NetDevice): number;
}
export const NeighbourProtocol = definePoint<NeighbourProtocol>({ name: 'neighbour-protocol', version: '1.0.0' });
