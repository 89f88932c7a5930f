import type { Clock, DropReason, NetDevice, Poll, PollSource, Skb, Tally } from '@softnet/contract';
import { BACKLOG_DEPTH, dequeue, enqueue, SkbQueue } from '@softnet/contract';
import { claim, passOn, purge } from '@softnet/skb';
import type { DeviceTable } from './device-table.ts';
import { PLACE } from './owner-places.ts';
import type { Reasons } from './reasons.ts';
import type { Receiver } from './receiver.ts';

/** What both backlogs need. */
export interface BacklogParts {
  readonly reasons: Reasons;
  /** Packets that wait: what the module waits for. */
  readonly waiting: Tally;
  /** The most that may wait: net.core.netdev_max_backlog. */
  readonly maxPackets: () => number;
}

/** Why a packet may not begin again, or null; counts that it does. */
export function countReentry(skb: Skb, waiting: number, { reasons, maxPackets }: BacklogParts): DropReason | null {
  if (skb.reentries >= BACKLOG_DEPTH) return reasons['backlog.depth'];
  if (waiting >= maxPackets()) return reasons['backlog.full'];
  skb.reentries++;
  return null;
}

/** Packets to be received, with an empty stack: loopback, tunnels that unwrap, the pair of a virtual wire. Linux's `netif_rx`. */
export class ReceiveBacklog implements PollSource {
  /** Set once, by who registers it. */
  poller: Poll | null = null;
  readonly #parts: BacklogParts;
  readonly #table: DeviceTable;
  readonly #receiver: Receiver;
  readonly #clock: Clock;
  readonly #queue = new SkbQueue();
  /** Of one device; what a batch that threw has left stays here. */
  readonly #batch = new SkbQueue();
  #counted = 0;

  constructor(parts: BacklogParts, table: DeviceTable, receiver: Receiver, clock: Clock) {
    this.#parts = parts;
    this.#table = table;
    this.#receiver = receiver;
    this.#clock = clock;
  }

  add(skb: Skb, device: NetDevice): void {
    claim(skb, PLACE.BACKLOG);
    const refused = countReentry(skb, this.#queue.lenPackets, this.#parts);
    if (refused !== null) {
      device.stats.rxDropped++;
      skb.memory.pool.drop(skb, refused);
      return;
    }
    skb.dst = null;
    skb.ifindex = device.ifindex;
    skb.timeUs = this.#clock.nowUs | 0;
    enqueue(this.#queue, skb);
    this.#parts.waiting.add();
    this.#counted++;
    this.poller?.raise();
  }

  /** In order, those of one device in a row as a batch. */
  poll(budget: number): number {
    const queue = this.#queue;
    const batch = this.#batch;
    let left = budget;
    while (left > 0 && (batch.first ?? queue.first) !== null) {
      const { ifindex } = (batch.first ?? queue.first)!;
      for (; left > 0 && queue.first !== null && queue.first.ifindex === ifindex; left--) {
        passOn(queue.first, PLACE.BACKLOG);
        enqueue(batch, dequeue(queue)!);
      }
      this.#receive(this.#table.byIndex(ifindex));
    }
    return budget - left;
  }

  #receive(device: NetDevice | null): void {
    try {
      if (device === null) purge(this.#batch, this.#parts.reasons['backlog.no-device']);
      else this.#receiver.receive(device, 0, this.#batch);
    } finally {
      const now = this.#queue.lenPackets + this.#batch.lenPackets;
      this.#parts.waiting.sub(this.#counted - now);
      this.#counted = now;
    }
  }
}
