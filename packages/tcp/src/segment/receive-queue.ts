import type { Message, Skb } from '@softnet/contract';
import type { Connection } from '../machine/connection.ts';
import type { PayloadOwner } from '../machine/reassembly.ts';
import type { SegmentHost } from './segment-host.ts';

/** What connections have received in order, and their users have not read, from `conn.copiedSeq` on. `conn.receiveQueue` is null while there is nothing. */
export class ReceiveQueues implements PayloadOwner {
  constructor(_host: SegmentHost) {}

  /** `MachineHost.deliver`. The packet is charged (`chargeReceived`). */
  deliver(_conn: Connection, _skb: Skb, _skipBytes: number, _lenBytes: number): void {}

  /** `MachineHost.deliverPiece`. False: memory is out, nothing was taken, and the piece is to stay where it is. */
  deliverPiece(_conn: Connection, _payload: object, _skipBytes: number, _lenBytes: number): boolean {
    return false;
  }

  /** `MachineHost.keep` and `drop`: how many pieces show a packet. The reader has set the count to 0. */
  keep(_payload: object): void {}
  drop(_payload: object): void {}

  /** Octets that `read` would give: up to the urgent octet, where it is not in the stream. */
  readableBytes(_conn: Connection): number {
    return 0;
  }

  /**
   * Gives octets to the user, and moves `conn.copiedSeq`: into `message.data` and `more`; with MESSAGE_FLAG.PEEK they stay (SO_PEEK_OFF is followed), with TRUNC they are thrown away, with
   * SKB the next packet itself is given. It stops before an urgent octet, or steps over it. `message.flags` becomes 0, or SKB. @returns octets; 0: there are none; -ENOBUFS.
   */
  read(_conn: Connection, _message: Message): number {
    return 0;
  }

  /** The connection is over, or nobody reads it. @returns octets that nobody has read. */
  clear(_conn: Connection): number {
    return 0;
  }
}
