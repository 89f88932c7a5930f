import type { CurrentOwner, DeviceTraffic, DropReason, Poll, PollSource, Port, RxQueue, Skb, Timer } from '@softnet/contract';
import { dequeue, enqueue, SkbQueue, splice } from '@softnet/contract';
import { purge } from '@softnet/skb';
import type { ReceiveLine } from './receive-line.ts';
import { WaitingLines } from './waiting-lines.ts';

/** What {@link ReceiveLines} asks of its module's context. */
export interface ReceiveHost {
  readonly traffic: Port<DeviceTraffic>;
  readonly current: CurrentOwner;
  poll(source: PollSource): Poll;
  timer(fire: (line: ReceiveLine) => void, line: ReceiveLine): Timer;
}

/**
 * Hands received frames up in batches (Linux's NAPI). A queue is polled when the first frame has come, or, where its interrupts are
 * moderated, at the latest `coalesceUs` after it, or when `coalescePackets` wait; then until it is empty, in turn with the
 * others ({@link WaitingLines}). Without `coalesceUs` packets do not count: the last of them would wait for ever. Allocates nothing.
 */
export class ReceiveLines implements PollSource {
  readonly #host: ReceiveHost;
  readonly #poll: Poll;
  readonly #waiting = new WaitingLines();
  readonly #batch = new SkbQueue();
  #batchOf: RxQueue | null = null;

  constructor(host: ReceiveHost) {
    this.#host = host;
    this.#poll = host.poll(this);
  }

  /** Puts a frame last. There is room. */
  put(line: ReceiveLine, skb: Skb): void {
    enqueue(line.frames, skb);
    line.put = (line.put + 1) | 0;
    if (line.waits) return;
    const { coalesceUs, coalescePackets } = line.queue;
    const { timer } = line;
    const isFull = coalescePackets > 0 && line.frames.lenPackets >= coalescePackets;
    if (coalesceUs === 0 || timer === null || isFull) this.#wait(line);
    else if (!timer.armed) timer.arm(coalesceUs);
  }

  /** The queue's moderation is another; what waits is polled at once. Also when it is new. */
  moderate(line: ReceiveLine): void {
    if (line.queue.coalesceUs > 0) line.timer ??= this.#host.timer((due) => this.#raise(due), line);
    this.#raise(line);
  }

  /** The line has what `before` had: its frames are polled when those would have been. */
  resume(line: ReceiveLine, before: ReceiveLine): void {
    line.open = before.open;
    line.put = before.put;
    line.taken = before.taken;
    if (before.dueUs < 0) this.moderate(line);
    else {
      line.timer = this.#host.timer((due) => this.#raise(due), line);
      line.timer.armAt(before.dueUs);
    }
  }

  /** The next generation has its frames. */
  leave(line: ReceiveLine): void {
    const { timer } = line;
    line.left = true;
    line.dueUs = timer?.armed === true ? timer.whenUs : -1;
    timer?.cancel();
  }

  /** Drops what waits in it, and in the batch that somebody's fault has cut short. */
  clear(line: ReceiveLine, reason: DropReason): void {
    line.timer?.cancel();
    line.taken = line.put;
    purge(line.frames, reason);
    if (this.#batchOf === line.queue) purge(this.#batch, reason);
  }

  poll(budget: number): number {
    let left = budget;
    // Somebody above threw: what he left of the batch goes on.
    if (this.#batch.first !== null) left -= this.#handUp();
    while (left > 0) {
      const line = this.#waiting.take();
      if (line === null) break;
      if (line.left) continue;
      this.#fill(line, left);
      if (line.frames.first !== null) this.#wait(line);
      left -= this.#handUp();
    }
    return budget - left;
  }

  #fill(line: ReceiveLine, limitPackets: number): void {
    const { frames, queue } = line;
    const count = Math.min(frames.lenPackets, limitPackets);
    if (count === frames.lenPackets) splice(this.#batch, frames);
    else for (let i = 0; i < count; i++) enqueue(this.#batch, dequeue(frames)!);
    line.taken = (line.taken + count) | 0;
    this.#batchOf = queue;
  }

  #handUp(): number {
    const count = this.#batch.lenPackets;
    if (count === 0) return 0;
    const { current, traffic } = this.#host;
    const caller = current.id;
    current.id = traffic.owner;
    traffic.current.receive(this.#batchOf!, this.#batch);
    current.id = caller;
    return count;
  }

  /** Its time has come. */
  #raise(line: ReceiveLine): void {
    if (!line.waits && !line.left && line.frames.first !== null) this.#wait(line);
  }

  #wait(line: ReceiveLine): void {
    if (line.timer?.armed === true) line.timer.cancel();
    this.#waiting.add(line);
    this.#poll.raise();
  }
}

/** The ring of a queue. */
export function lineOf(queue: RxQueue): ReceiveLine {
  return queue.ext as ReceiveLine;
}
