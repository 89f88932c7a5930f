import type { Counter, DropReason, Objects, Port, Timer } from '@softnet/contract';
import type { Exchange } from '../../exchange/service.ts';
import type { TalkSettings } from '../machine/output.ts';
import type { Connection } from './connection.ts';
import type { Linger } from './linger.ts';
import type { Listener } from './listener.ts';
import type { Socket } from './socket.ts';

/** What the objects of talk ask of their module. */
export interface TalkHost {
  /** Integer of the module. */
  readonly owner: number;
  readonly nowUs: number;
  readonly exchange: Port<Exchange>;
  readonly settings: TalkSettings;
  readonly counters: TalkCounters;
  readonly drops: TalkDrops;
  readonly connections: Objects<Connection>;
  readonly listeners: Objects<Listener>;
  readonly sockets: Objects<Socket>;
  readonly lingers: Objects<Linger>;
  /** Listeners by port. */
  readonly doors: Map<number, Listener>;
  timer<A>(fire: (arg: A) => void, arg: A, place: string): Timer;
  /** Where a new connection begins to count. */
  firstSeq(): number;
}

export interface TalkCounters {
  readonly segmentsIn: Counter;
  readonly segmentsOut: Counter;
  readonly retransmits: Counter;
  readonly opened: Counter;
  readonly refused: Counter;
}

export interface TalkDrops {
  readonly garbage: DropReason;
  readonly noListener: DropReason;
  readonly backlogFull: DropReason;
  readonly inboxFull: DropReason;
}
