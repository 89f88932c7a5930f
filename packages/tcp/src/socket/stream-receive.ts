import type { Message } from '@softnet/contract';
import { clearControl, ERRNO, MESSAGE_FLAG, putControl, SOCK_FLAG, SOL, TCP_SOCKET_OPTION } from '@softnet/contract';
import { putInt, takeError } from '@softnet/inet';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import { TCP_STATE } from '../machine/state.ts';
import type { ReceiveQueues } from '../segment/receive-queue.ts';
import { isShutForReceiving } from './connection-of.ts';
import { hasUrgent, isUnconnected, takeErrno, URGENT_READ } from './stream-poll.ts';

const { EAGAIN, EINVAL, ENOTCONN } = ERRNO;

/** RECEIVE (RFC 9293 §3.10.3): what came in order, the urgent octet beside it. Linux's `tcp_recvmsg` of who does not wait. */
export class StreamReceive {
  readonly #machine: Machine;
  readonly #queues: ReceiveQueues;

  constructor(machine: Machine, queues: ReceiveQueues) {
    this.#machine = machine;
    this.#queues = queues;
  }

  /** Octets given; 0: the end of the stream; -EAGAIN; an error that waited. MSG_WAITALL and SO_RCVLOWAT are for who waits. */
  receive(conn: Connection, message: Message): number {
    const { sock } = conn;
    const { flags } = message;
    clearControl(message);
    message.hasAddress = false;
    if ((flags & MESSAGE_FLAG.ERRQUEUE) !== 0) return takeError(sock, message);
    if (sock.state === TCP_STATE.LISTEN) return -ENOTCONN;
    if ((flags & MESSAGE_FLAG.OOB) !== 0) return this.#urgent(conn, message);
    const count = this.#queues.read(conn, message);
    if (count < 0) return count;
    if (count > 0) {
      if ((flags & MESSAGE_FLAG.PEEK) === 0) this.#machine.readSome(conn);
      if (conn.extra?.tellsQueue === true) this.#tellQueue(conn, message);
      return count;
    }
    if (conn.receiveQueue !== null && this.#queues.readableBytes(conn) > 0) return 0;
    if ((conn.flags & FLAG.FIN_RECEIVED) !== 0) return 0;
    if (sock.error !== 0) return -takeErrno(sock);
    if (isShutForReceiving(conn)) return 0;
    return isUnconnected(conn) ? -ENOTCONN : -EAGAIN;
  }

  /** What waits, and behind the last of it one for the end of the stream (TCP_INQ). */
  #tellQueue(conn: Connection, message: Message): void {
    const left = this.#queues.readableBytes(conn);
    const atEnd = left === 0 && (conn.flags & FLAG.FIN_RECEIVED) !== 0;
    putInt(putControl(message, SOL.TCP, TCP_SOCKET_OPTION.INQ, 4), 0, atEnd ? 1 : left);
  }

  /** MSG_OOB: Linux's `tcp_recv_urg`. */
  #urgent(conn: Connection, message: Message): number {
    const { sock } = conn;
    const { flags } = message;
    message.flags = 0;
    if ((sock.flags & SOCK_FLAG.OOBINLINE) !== 0 || (conn.flags & FLAG.URGENT_RECEIVED) === 0 || conn.urgentByte === URGENT_READ)
      return -EINVAL;
    if (isUnconnected(conn)) return -ENOTCONN;
    const octet = hasUrgent(conn) ? this.#queues.octetAt(conn, (conn.rcvUp - 1) | 0) : -1;
    if (octet < 0) return isShutForReceiving(conn) ? 0 : -EAGAIN;
    if ((flags & MESSAGE_FLAG.PEEK) === 0) conn.urgentByte = URGENT_READ;
    message.flags = MESSAGE_FLAG.OOB;
    const place = firstPlace(message);
    if (place === null) {
      message.flags |= MESSAGE_FLAG.TRUNC;
      return 0;
    }
    if ((flags & MESSAGE_FLAG.TRUNC) === 0) place[0] = octet;
    return 1;
  }
}

/** Where an octet has room; null: nowhere. */
function firstPlace({ data, more }: Message): Uint8Array | null {
  if (data !== null && data.length > 0) return data;
  return more?.find(({ length }) => length > 0) ?? null;
}
