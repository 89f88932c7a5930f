import type { CurrentOwner, DropReason, NetDevice, Skb, Tally, TxQueue } from '@softnet/contract';
import { SkbQueue, splice, TRANSMIT } from '@softnet/contract';
import { claim, handOver, passOn, purge } from '@softnet/skb';
import { Fifo } from './fifo.ts';
import type { Outgoing } from './outgoing.ts';
import { PLACE } from './owner-places.ts';
import type { Reasons } from './reasons.ts';
import type { SendList } from './send-list.ts';

/** So many packets are given to a driver at a time. */
const BATCH_PACKETS = 16;
/** So many are sent for the one who happens to add one, before it is the softirq loop's business. Linux's `dev_weight`. */
const WEIGHT_PACKETS = 64;

/** What senders share. */
export interface SenderParts {
  readonly outgoing: Outgoing;
  readonly current: CurrentOwner;
  readonly reasons: Reasons;
  /** Packets on queues: what the module waits for. */
  readonly waiting: Tally;
  readonly list: SendList;
}

/** Brings packets from one queue's qdisc to the driver. Linux's `__qdisc_run` and `dev_hard_start_xmit`. */
export class Sender {
  readonly queue: TxQueue;
  /** In the list of those who want to run. */
  scheduled = false;
  next: Sender | null = null;
  readonly #parts: SenderParts;
  /** Prepared, seen by taps; the driver takes from its front. What it leaves is first the next time. */
  readonly #batch = new SkbQueue();
  /** How many of the batch are counted as waiting. */
  #counted = 0;
  #running = false;
  /** The next generation sends. */
  #left = false;

  constructor(queue: TxQueue, parts: SenderParts) {
    this.queue = queue;
    this.#parts = parts;
  }

  /** Has it packets to send, and may it? */
  get ready(): boolean {
    const { qdisc, stopped } = this.queue;
    if (stopped || qdisc === null || this.#left) return false;
    return this.#batch.first !== null || (qdisc.lenPackets > 0 && this.#hasRoom);
  }

  /** The device is up: a queue of its own. */
  attach(): void {
    const { queue } = this;
    queue.qdisc = this.#makeQueue();
    queue.stopped = false;
    queue.inFlightBytes = 0;
  }

  /** The next generation takes over: what the driver has left is in `queue.sender`, the rest in the qdisc. */
  leave(): void {
    const left = new SkbQueue();
    splice(left, this.#batch);
    this.#countLeft();
    this.#left = true;
    this.queue.sender = left;
  }

  /** Takes over from the last generation, as it stood. */
  adopt(left: SkbQueue): void {
    const { queue } = this;
    const { qdisc } = queue;
    splice(this.#batch, left);
    this.#countLeft();
    // The built-in queue counts what waits by its module's tally.
    if (qdisc !== null && qdisc.handle === 0) {
      queue.qdisc = this.#makeQueue();
      for (let skb = qdisc.dequeue(); skb !== null; skb = qdisc.dequeue()) queue.qdisc.enqueue(skb);
    }
    this.schedule();
  }

  detach(): void {
    this.reset();
    this.queue.qdisc = null;
  }

  /** Drops all that waits. */
  reset(): void {
    this.queue.qdisc?.reset();
    this.queue.device.stats.txDropped += purge(this.#batch, this.#parts.reasons['netdev.queue-reset']);
    this.#countLeft();
  }

  /** Takes a packet: at once to the driver where nothing else waits, else by the qdisc. Returns one of `TRANSMIT`. */
  submit(skb: Skb): number {
    const { queue } = this;
    const { qdisc } = queue;
    if (qdisc === null) return refusePacket(skb, queue.device, this.#parts.reasons['netdev.down']);
    // Another qdisc than the built-in one wants to see each packet.
    const direct = qdisc.handle === 0 && qdisc.lenPackets === 0 && this.#batch.first === null;
    if (direct && !this.#running && !queue.stopped && this.#hasRoom) return this.#sendOne(skb);
    claim(skb, PLACE.QUEUE);
    const result = qdisc.enqueue(skb);
    if (!this.#running && !this.scheduled && this.ready) this.run(WEIGHT_PACKETS);
    return result;
  }

  /** Sends up to so many packets, and returns how many. More: it is scheduled. */
  run(budget: number): number {
    if (this.#running) return 0;
    this.#running = true;
    let done = 0;
    let failed = true;
    try {
      while (done < budget && this.ready) {
        this.#fill(Math.min(BATCH_PACKETS, budget - done));
        const taken = this.#batch.first === null ? 0 : this.#push();
        // A driver that takes nothing and does not say that it is full is asked again when there is a reason to.
        if (taken === 0) break;
        done += taken;
      }
      failed = false;
    } finally {
      this.#running = false;
      // A driver that threw is not asked again in vain: its other packets are not lost.
      if (failed || done >= budget) this.schedule();
    }
    return done;
  }

  /** Has it run by the softirq loop. */
  schedule(): void {
    if (this.ready) this.#parts.list.add(this);
  }

  #makeQueue(): Fifo {
    const { waiting, reasons } = this.#parts;
    return new Fifo(this.queue.device, waiting, reasons['netdev.queue-full'], reasons['netdev.queue-reset']);
  }

  get #hasRoom(): boolean {
    const { limitBytes, inFlightBytes } = this.queue;
    return limitBytes === 0 || inFlightBytes < limitBytes;
  }

  #sendOne(skb: Skb): number {
    claim(skb, PLACE.SEND);
    this.#running = true;
    let sent: boolean;
    try {
      sent = this.#parts.outgoing.prepare(skb, this.queue.device, this.#batch);
      if (this.#batch.first !== null) this.#push();
    } finally {
      this.#running = false;
      // What came meanwhile: of who was told that his packet is sent.
      this.schedule();
    }
    return sent ? TRANSMIT.OK : TRANSMIT.DROPPED;
  }

  /** From the qdisc into the batch, as far as the driver's limit allows. */
  #fill(packets: number): void {
    const { queue } = this;
    const { limitBytes, inFlightBytes } = queue;
    while (this.#batch.lenPackets < packets) {
      if (limitBytes > 0 && inFlightBytes + this.#batch.lenBytes >= limitBytes) return;
      const skb = queue.qdisc!.dequeue();
      if (skb === null) return;
      passOn(skb, PLACE.QUEUE);
      claim(skb, PLACE.SEND);
      this.#parts.outgoing.prepare(skb, queue.device, this.#batch);
    }
  }

  /** Gives the batch to the driver; returns how many it took. */
  #push(): number {
    const { queue } = this;
    const batch = this.#batch;
    const { current } = this.#parts;
    const { device } = queue;
    const packets = batch.lenPackets;
    handOver(batch, PLACE.SEND, PLACE.DRIVER);
    // Before: a driver may complete within its transmit.
    queue.inFlightBytes += batch.lenBytes;
    const caller = current.id;
    current.id = device.holdKind?.owner ?? caller;
    try {
      device.ops.transmit(queue, batch);
    } finally {
      queue.inFlightBytes = Math.max(0, queue.inFlightBytes - batch.lenBytes);
      this.#countLeft();
      handOver(batch, PLACE.DRIVER, PLACE.SEND);
    }
    current.id = caller;
    return packets - batch.lenPackets;
  }

  #countLeft(): void {
    const left = this.#batch.lenPackets;
    if (left === this.#counted) return;
    if (left > this.#counted) this.#parts.waiting.add(left - this.#counted);
    else this.#parts.waiting.sub(this.#counted - left);
    this.#counted = left;
  }
}

/** It cannot be sent now. Returns `TRANSMIT.DROPPED`. */
export function refusePacket(skb: Skb, device: NetDevice, reason: DropReason): number {
  device.stats.txDropped++;
  skb.memory.pool.drop(skb, reason);
  return TRANSMIT.DROPPED;
}
