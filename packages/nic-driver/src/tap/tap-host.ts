import type { Counter, DropReason, NetDevice, Port, Skb, SkbPool, TxQueue } from '@softnet/contract';
import type { TurnTaker } from '../driver/turns.ts';
import type { ScatterList } from './scatter-list.ts';

/** What a tap asks of its module. */
export interface TapHost {
  readonly pool: Port<SkbPool>;
  readonly scatter: ScatterList;
  readonly reasons: TapReasons;
  /** Interfaces that Linux deleted under us. */
  readonly deleted: Counter;
  received(device: NetDevice, skb: Skb): void;
  sent(queue: TxQueue, packets: number, bytes: number): void;
  /** Left us, and was not sent. */
  completed(queue: TxQueue, packets: number, bytes: number): void;
  wake(queue: TxQueue): void;
  setCarrier(device: NetDevice, on: boolean): void;
  ask(tap: TurnTaker): void;
  forget(tap: TurnTaker): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface TapReasons {
  readonly tooLong: DropReason;
  readonly refused: DropReason;
  readonly unplugged: DropReason;
}
