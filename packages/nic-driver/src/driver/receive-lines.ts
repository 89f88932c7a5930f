import type { CurrentOwner, DeviceTraffic, DropReason, Poll, PollSource, Port, RxQueue, Skb } from '@softnet/contract';
import { dequeue, enqueue, SkbQueue, splice } from '@softnet/contract';
import { purge } from '@softnet/skb';

/** Received frames of one receive queue that wait for the softirq loop. In `RxQueue.ext`. */
export class ReceiveLine {
  readonly queue: RxQueue;
  readonly frames: SkbQueue;
  readonly limitPackets: number;
  /** The device is up. */
  open = false;
  /** Among those that have frames; `next` is the one behind it. */
  waits = false;
  next: ReceiveLine | null = null;

  constructor(queue: RxQueue, limitPackets: number, frames: SkbQueue = new SkbQueue()) {
    this.queue = queue;
    this.limitPackets = limitPackets;
    this.frames = frames;
  }
}

/** Hands received frames up in batches, queue by queue in turn. Allocates nothing. */
export class ReceiveLines implements PollSource {
  readonly #traffic: Port<DeviceTraffic>;
  readonly #current: CurrentOwner;
  readonly #batch = new SkbQueue();
  readonly #poll: Poll;
  #batchOf: RxQueue | null = null;
  #first: ReceiveLine | null = null;
  #last: ReceiveLine | null = null;

  constructor(traffic: Port<DeviceTraffic>, current: CurrentOwner, poll: (source: PollSource) => Poll) {
    this.#traffic = traffic;
    this.#current = current;
    this.#poll = poll(this);
  }

  /** Puts a frame last. There is room. */
  put(line: ReceiveLine, skb: Skb): void {
    enqueue(line.frames, skb);
    if (!line.waits) this.#wait(line);
  }

  /** The line has frames from before. */
  resume(line: ReceiveLine): void {
    if (!line.waits && line.frames.first !== null) this.#wait(line);
  }

  /** Drops what waits in it, and in the batch that somebody's fault has cut short. */
  clear(line: ReceiveLine, reason: DropReason): void {
    purge(line.frames, reason);
    if (this.#batchOf === line.queue) purge(this.#batch, reason);
  }

  poll(budget: number): number {
    let left = budget;
    // Somebody above threw: what he left of the batch goes on.
    if (this.#batch.first !== null) left -= this.#handUp();
    while (left > 0 && this.#first !== null) {
      const line = this.#takeFirst(this.#first);
      this.#fill(line, left);
      if (line.frames.first !== null) this.#wait(line);
      this.#batchOf = line.queue;
      left -= this.#handUp();
    }
    return budget - left;
  }

  #fill(line: ReceiveLine, limitPackets: number): void {
    if (line.frames.lenPackets <= limitPackets) {
      splice(this.#batch, line.frames);
      return;
    }
    for (let count = 0; count < limitPackets; count++) enqueue(this.#batch, dequeue(line.frames)!);
  }

  #handUp(): number {
    const count = this.#batch.lenPackets;
    if (count === 0) return 0;
    const caller = this.#current.id;
    this.#current.id = this.#traffic.owner;
    this.#traffic.current.receive(this.#batchOf!, this.#batch);
    this.#current.id = caller;
    return count;
  }

  #wait(line: ReceiveLine): void {
    line.waits = true;
    line.next = null;
    if (this.#last === null) this.#first = line;
    else this.#last.next = line;
    this.#last = line;
    this.#poll.raise();
  }

  #takeFirst(line: ReceiveLine): ReceiveLine {
    this.#first = line.next;
    if (this.#first === null) this.#last = null;
    line.next = null;
    line.waits = false;
    return line;
  }
}
