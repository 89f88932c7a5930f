import type { DropReason, Skb, SkbQueue, TxQueue } from '@softnet/contract';
import { dequeue } from '@softnet/contract';
import { purge } from '@softnet/skb';
import type { TurnTaker } from './turns.ts';

/** What {@link copyOut} asks of a driver's module. */
export interface CopyOutHost {
  readonly reasons: { readonly tooLong: DropReason; readonly unconnected: DropReason };
  sent(queue: TxQueue, packets: number, bytes: number): void;
  /** Left us, and was not sent. */
  completed(queue: TxQueue, packets: number, bytes: number): void;
  ask(taker: TurnTaker): void;
}

/** Copies frames into bytes of its own, and sends them in its turn, with what others send until then. */
export interface FrameTaker extends TurnTaker {
  /** There is somebody to send to. */
  readonly connected: boolean;
  /** The longest frame that goes. */
  readonly mostBytes: number;
  /** Copies a frame. False: there is no room now, and the taker wakes the queue when there is. */
  put(skb: Skb): boolean;
}

/** `DeviceDriver.transmit` of a driver that copies: what is too long, or for nobody, is dropped with a reason; where room ends the queue stops. */
export function copyOut(host: CopyOutHost, queue: TxQueue, batch: SkbQueue, taker: FrameTaker): void {
  const { stats } = queue.device;
  const { tooLong, unconnected } = host.reasons;
  const { lenPackets, lenBytes } = batch;
  const { mostBytes } = taker;
  let packets = 0;
  let bytes = 0;
  if (!taker.connected) stats.txDropped += purge(batch, unconnected);
  for (let skb = batch.first; skb !== null; skb = batch.first) {
    const { len } = skb;
    if (len > mostBytes) {
      stats.txErrors++;
      skb.memory.pool.drop(dequeue(batch)!, tooLong);
    } else if (taker.put(skb)) {
      packets++;
      bytes += len;
      skb.memory.pool.release(dequeue(batch)!);
    } else {
      queue.stopped = true;
      break;
    }
  }
  if (packets > 0) host.ask(taker);
  host.sent(queue, packets, bytes);
  host.completed(queue, lenPackets - batch.lenPackets - packets, lenBytes - batch.lenBytes - bytes);
}
