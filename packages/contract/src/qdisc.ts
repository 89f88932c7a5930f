import type { NetDevice } from './device.ts';
import type { Plain } from './frozen.ts';
import type { Skb } from './skb.ts';
import { definePoint } from './token.ts';

/**
 * A queueing discipline, in a device's or a queue's cell. netdev has a FIFO of its own for when no scheduler is
 * loaded; a change puts a whole new tree into the cell (row Q5). A **corridor**. Linux's `struct Qdisc`.
 */
export interface Qdisc {
  /** 'fq_codel'. */
  readonly kind: string;
  /** major << 16; 0: the built-in one. int32. */
  readonly handle: number;
  /** How many wait in it, its classes included. */
  readonly lenPackets: number;
  readonly backlogBytes: number;
  /** Takes a packet, or drops it or another with a reason. Returns one of `TRANSMIT`. */
  enqueue(skb: Skb): number;
  /**
   * The next to send, or null: none, or not yet (`skb.timeUs`, a rate). It has then armed a timer that calls
   * `DeviceTraffic.schedule`.
   */
  dequeue(): Skb | null;
  /** Drops all that waits; cancels timers. The cell gets another one, or the device goes down. */
  reset(): void;
}

/** A kind of qdisc, by its name in `tc`. A **door**: those that it made go on in their cells. Linux's `struct Qdisc_ops`. */
export interface QdiscKind {
  readonly kind: string;
  /** @throws NetError EINVAL, saying which option. */
  create(device: NetDevice, handle: number, options: Plain): Qdisc;
}
export const QdiscKind = definePoint<QdiscKind>({ name: 'qdisc-kind', version: '1.0.0' });
