import type { CurrentOwner, DeviceTraffic, Port, Timer, TxQueue } from '@softnet/contract';

/** What has left one moderated transmit queue, and nobody was told yet. */
export class UntoldCompletions {
  readonly queue: TxQueue;
  timer: Timer | null = null;
  packets = 0;
  bytes = 0;

  constructor(queue: TxQueue) {
    this.queue = queue;
  }
}

/** What {@link Completions} asks of its module's context. */
export interface CompletionHost {
  readonly traffic: Port<DeviceTraffic>;
  readonly current: CurrentOwner;
  timer(fire: (untold: UntoldCompletions) => void, untold: UntoldCompletions): Timer;
}

/**
 * Tells netdev what has left its transmit queues: at once, or, where a queue's interrupts are moderated, at the latest `coalesceUs` after
 * the first frame, or when `coalescePackets` have left. Allocates nothing once a queue's moderation is set.
 */
export class Completions {
  readonly #host: CompletionHost;
  /** Of moderated queues only: the others are not looked up. */
  readonly #untold = new Map<TxQueue, UntoldCompletions>();

  constructor(host: CompletionHost) {
    this.#host = host;
  }

  add(queue: TxQueue, packets: number, bytes: number): void {
    const { coalesceUs, coalescePackets } = queue;
    const untold = coalesceUs === 0 ? undefined : this.#untold.get(queue);
    if (untold === undefined) {
      this.#tell(queue, packets, bytes);
      return;
    }
    untold.packets += packets;
    untold.bytes += bytes;
    if (coalescePackets > 0 && untold.packets >= coalescePackets) this.#flush(untold);
    else if (!untold.timer!.armed) untold.timer!.arm(coalesceUs);
  }

  /** The queue's moderation is another, or it is new here; what is untold is told. */
  moderate(queue: TxQueue): void {
    this.flush(queue);
    if (queue.coalesceUs === 0 || this.#untold.has(queue)) return;
    const untold = new UntoldCompletions(queue);
    untold.timer = this.#host.timer((due) => this.#flush(due), untold);
    this.#untold.set(queue, untold);
  }

  /** Tells what is untold. */
  flush(queue: TxQueue): void {
    const untold = this.#untold.get(queue);
    if (untold !== undefined) this.#flush(untold);
  }

  /** The queue is no more. */
  forget(queue: TxQueue): void {
    this.flush(queue);
    this.#untold.delete(queue);
  }

  #flush(untold: UntoldCompletions): void {
    const { queue, packets, bytes } = untold;
    untold.timer!.cancel();
    untold.packets = 0;
    untold.bytes = 0;
    if (packets > 0) this.#tell(queue, packets, bytes);
  }

  #tell(queue: TxQueue, packets: number, bytes: number): void {
    const { current, traffic } = this.#host;
    const caller = current.id;
    current.id = traffic.owner;
    traffic.current.completed(queue, packets, bytes);
    current.id = caller;
  }
}
