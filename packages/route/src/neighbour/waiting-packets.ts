import type { DropReason, Neighbour, Skb } from '@softnet/contract';
import { dequeue, enqueue } from '@softnet/contract';
import type { NeighbourLines } from './neighbour-lines.ts';
import type { NeighbourSettings } from './neighbour-settings.ts';

/** What waits for the neighbours of a family (RFC 4861 §7.2.2): in order, bounded for each and for all; the oldest goes. */
export class WaitingPackets {
  count = 0;
  readonly #settings: NeighbourSettings;
  readonly #lines: NeighbourLines;
  readonly #full: DropReason;

  constructor(settings: NeighbourSettings, lines: NeighbourLines, full: DropReason) {
    this.#settings = settings;
    this.#lines = lines;
    this.#full = full;
  }

  /** Takes the skb. Returns false when others had to go for it. */
  add(neighbour: Neighbour, skb: Skb): boolean {
    const { queue, device } = neighbour;
    const mostPackets = this.#settings.value(device.ifindex, 'unres_qlen');
    const mostBytes = this.#settings.value(device.ifindex, 'unres_qlen_bytes');
    let fits = true;
    while (queue.lenPackets > 0 && (queue.lenPackets >= mostPackets || queue.lenBytes + skb.len > mostBytes)) {
      this.#dropOldest(neighbour);
      fits = false;
    }
    if (this.count >= this.#settings.waitingPackets) {
      this.#makeRoom(neighbour);
      fits = false;
    }
    enqueue(queue, skb);
    this.count++;
    return fits;
  }

  /** The oldest; null: nothing waits. */
  take(neighbour: Neighbour): Skb | null {
    const skb = dequeue(neighbour.queue);
    if (skb !== null) this.count--;
    return skb;
  }

  drop(neighbour: Neighbour, reason: DropReason): void {
    for (let skb = this.take(neighbour); skb !== null; skb = this.take(neighbour)) skb.memory.pool.drop(skb, reason);
  }

  /** Of the neighbour that was asked for first; gateways pay for themselves when nobody else can, and each has one at least. */
  #makeRoom(neighbour: Neighbour): void {
    const payer = this.#lines.firstAsked ?? neighbour;
    if (payer.queue.lenPackets === 0) return;
    this.#dropOldest(payer);
    this.#lines.place(payer);
  }

  #dropOldest(neighbour: Neighbour): void {
    const oldest = this.take(neighbour)!;
    oldest.memory.pool.drop(oldest, this.#full);
  }
}
