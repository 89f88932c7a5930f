import type { Skb, TxQueue } from '@softnet/contract';
import { dequeue, enqueue, SkbQueue } from '@softnet/contract';

/**
 * Frames that wait for one direction of a cable, by transmit queue; the first of one of them is on the line. Frames of queues with a
 * higher `TxQueue.priority` go first; queues of one priority take turns, a frame each. Of the sender's kernel.
 */
export class LineQueues {
  /** By index of the transmit queue. */
  readonly queues: SkbQueue[] = [new SkbQueue()];
  /** Whose first frame is on the line; -1: the line is free. */
  onLine = -1;
  lenPackets = 0;

  /** As many as the device has. They are empty. */
  resize(count: number): void {
    this.queues.length = 0;
    for (let i = 0; i < count; i++) this.queues.push(new SkbQueue());
    this.onLine = -1;
    this.lenPackets = 0;
  }

  put(index: number, skb: Skb): void {
    enqueue(this.queues[index]!, skb);
    this.lenPackets++;
  }

  /** The frame that goes on the line next, and stays in its queue until {@link depart}. Null: none waits. The line is free. */
  choose(txQueues: readonly TxQueue[]): Skb | null {
    if (this.lenPackets === 0) return null;
    const count = this.queues.length;
    let chosen = -1;
    // From the one behind the last; the first of several with the same priority has it.
    for (let i = 1, at = this.#last + 1; i <= count; i++, at++) {
      if (at >= count) at = 0;
      if (this.queues[at]!.first === null) continue;
      if (chosen < 0 || txQueues[at]!.priority > txQueues[chosen]!.priority) chosen = at;
    }
    this.onLine = chosen;
    this.#last = chosen;
    return this.queues[chosen]!.first;
  }

  /** Takes the frame that was on the line, which is free then. */
  depart(): Skb {
    const skb = dequeue(this.queues[this.onLine]!)!;
    this.onLine = -1;
    this.lenPackets--;
    return skb;
  }

  #last = 0;
}
