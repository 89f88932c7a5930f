import type { Counter, DropReason, NetDevice, Port, RxQueue, Skb, SkbPool, TxQueue } from '@softnet/contract';
import type { TurnTaker } from '../driver/turns.ts';

/** What a tap asks of its module. */
export interface TapHost {
  readonly pool: Port<SkbPool>;
  readonly reasons: TapReasons;
  /** Interfaces that Linux deleted under us. */
  readonly deleted: Counter;
  received(queue: RxQueue, skb: Skb): void;
  sent(queue: TxQueue, packets: number, bytes: number): void;
  /** Left us, and was not sent. */
  completed(queue: TxQueue, packets: number, bytes: number): void;
  wake(queue: TxQueue): void;
  setCarrier(device: NetDevice, on: boolean): void;
  ask(queue: TurnTaker): void;
  forget(queue: TurnTaker): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface TapReasons {
  readonly tooLong: DropReason;
  readonly truncated: DropReason;
  /** The `virtio_net_hdr` lies. */
  readonly header: DropReason;
  readonly refused: DropReason;
  readonly unplugged: DropReason;
}
