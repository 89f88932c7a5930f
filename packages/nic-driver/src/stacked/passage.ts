import type { SkbQueue, TxQueue } from '@softnet/contract';

/**
 * What a stacked device does with what passes through it: the part that its kind writes. Frames are whole, `data` at the link header; the
 * device is up.
 */
export interface Passage {
  /** Takes all that it can of what is sent, and hands it, or what becomes of it, to {@link StackedLink.send}. As `DeviceDriver.transmit`. */
  transmit(queue: TxQueue, batch: SkbQueue): void;
  /** Takes all that the device below has received, and hands it, or what becomes of it, to {@link StackedLink.received}. */
  receive(batch: SkbQueue): void;
  /** The device goes down: nothing stays under way. */
  stop(): void;
  /** The device is gone for good, down before. */
  close(): void;
  /** The next generation has its state: cancels timers, drops nothing. */
  leave(): void;
  /** The last generation had the state, and left it as it is. */
  resume(): void;
}
