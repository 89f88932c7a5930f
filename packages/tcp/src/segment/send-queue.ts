import type { Skb } from '@softnet/contract';
import type { Connection } from '../machine/connection.ts';
import type { SegmentHost } from './segment-host.ts';

/** What connections have to send, and what is not acknowledged of it: on pages of the pool, which segments show too. `conn.sendQueue` is null while there is nothing. */
export class SendQueues {
  constructor(_host: SegmentHost) {}

  /**
   * Copies in what the user gives, from `from` on, behind `conn.writeSeq`, which moves on: as much as there are pages for while `sock.sendQueuedBytes` is below
   * `conn.sendBufferBytes`, and memory is not short. @returns octets taken, 0: none.
   */
  append(_conn: Connection, _source: Uint8Array, _from: number, _lenBytes: number): number {
    return 0;
  }

  /** All before `seq` is acknowledged: its pages go back. */
  release(_conn: Connection, _seq: number): void {}

  /** Puts `lenBytes` octets from `seq` on behind an skb. False: memory is out, and the skb is as it was. */
  putInto(_conn: Connection, _skb: Skb, _seq: number, _lenBytes: number): boolean {
    return false;
  }

  /** The connection is over. */
  clear(_conn: Connection): void {}
}
