import type { DropReason, NetDevice, Qdisc, Skb, Tally } from '@softnet/contract';
import { dequeue, enqueue, SkbQueue, TRANSMIT } from '@softnet/contract';
import { purge } from '@softnet/skb';

/** What a queue without scheduler is: first come, first served, at most `device.txQueueLen` packets (one at least). Linux's `pfifo`. */
export class Fifo implements Qdisc {
  readonly kind = 'pfifo';
  readonly handle = 0;
  readonly #device: NetDevice;
  readonly #queue = new SkbQueue();
  readonly #waiting: Tally;
  readonly #full: DropReason;
  readonly #reset: DropReason;

  /** @param waiting counts what is in it. */
  constructor(device: NetDevice, waiting: Tally, full: DropReason, reset: DropReason) {
    this.#device = device;
    this.#waiting = waiting;
    this.#full = full;
    this.#reset = reset;
  }

  get lenPackets(): number {
    return this.#queue.lenPackets;
  }

  get backlogBytes(): number {
    return this.#queue.lenBytes;
  }

  enqueue(skb: Skb): number {
    const device = this.#device;
    if (this.#queue.lenPackets >= Math.max(1, device.txQueueLen)) {
      device.stats.txDropped++;
      skb.memory.pool.drop(skb, this.#full);
      return TRANSMIT.DROPPED;
    }
    enqueue(this.#queue, skb);
    this.#waiting.add();
    return TRANSMIT.OK;
  }

  dequeue(): Skb | null {
    const skb = dequeue(this.#queue);
    if (skb !== null) this.#waiting.sub();
    return skb;
  }

  reset(): void {
    const { lenPackets } = this.#queue;
    this.#waiting.sub(lenPackets);
    this.#device.stats.txDropped += lenPackets;
    purge(this.#queue, this.#reset);
  }
}
