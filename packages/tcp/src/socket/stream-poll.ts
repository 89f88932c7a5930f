import type { SockCommon } from '@softnet/contract';
import { POLL, SOCK_FLAG } from '@softnet/contract';
import { pollErrors } from '@softnet/inet';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import { bitOf, isIn, TCP_STATE } from '../machine/state.ts';
import type { ReceiveQueues } from '../segment/receive-queue.ts';
import { isOver, isShutForReceiving, isShutForSending } from './connection-of.ts';
import type { SocketSettings } from './settings.ts';

const OPENING: number = bitOf(TCP_STATE.SYN_SENT) | bitOf(TCP_STATE.SYN_RECEIVED);

/** What `poll` says of a stream that does not listen: Linux's `tcp_poll`. */
export function pollStream(conn: Connection, queues: ReceiveQueues, settings: SocketSettings): number {
  const { sock } = conn;
  const bits = pollErrors(sock);
  if ((sock.flags & SOCK_FLAG.ORPHAN) !== 0) return bits | POLL.HUP;
  const { state } = sock;
  const isDeaf = isShutForReceiving(conn);
  const isMute = isShutForSending(conn);
  let found = bits;
  if (state === TCP_STATE.CLOSED || (isDeaf && isMute)) found |= POLL.HUP;
  if (isDeaf) found |= POLL.IN | POLL.RDHUP;
  if (isIn(state, OPENING)) return found;
  if (isReadable(conn, queues)) found |= POLL.IN;
  if (isMute || isWritable(conn, settings)) found |= POLL.OUT;
  else conn.flags |= FLAG.SEND_BLOCKED;
  return hasUrgent(conn) ? found | POLL.PRI : found;
}

/** As much waits as SO_RCVLOWAT says, or as much as can. */
function isReadable(conn: Connection, queues: ReceiveQueues): boolean {
  if (conn.receiveQueue === null) return false;
  const bytes = queues.readableBytes(conn);
  if (bytes <= 0) return false;
  const { options } = conn.sock;
  const least = options === null ? 1 : options.receiveLowBytes;
  return bytes >= least || conn.sock.receiveQueuedBytes >= conn.receiveBufferBytes;
}

/** Linux's `sk_stream_is_writeable`: a third of the buffer is free, and not too much was not sent at all (TCP_NOTSENT_LOWAT). */
export function isWritable(conn: Connection, settings: SocketSettings): boolean {
  const { sock, sendBufferBytes } = conn;
  return sendBufferBytes - sock.sendQueuedBytes >= sock.sendQueuedBytes >> 1 && isFewUnsent(conn, settings);
}

export function isFewUnsent({ extra, writeSeq, sndNxt }: Connection, { notsentLowat }: SocketSettings): boolean {
  const said = extra === null ? -1 : extra.notSentLowBytes;
  const least = said > 0 ? said : notsentLowat;
  return ((writeSeq - sndNxt) | 0) < least;
}

/** An urgent octet has come, and was not read (Linux's TCP_URG_VALID). */
export function hasUrgent({ flags, rcvUp, rcvNxt, urgentByte }: Connection): boolean {
  return (flags & FLAG.URGENT_RECEIVED) !== 0 && urgentByte !== URGENT_READ && ((rcvNxt - rcvUp) | 0) >= 0;
}

/** `Connection.urgentByte` of one that was read. */
export const URGENT_READ = -2;

/** Of a socket that was never connected, or no more. */
export function isUnconnected(conn: Connection): boolean {
  return conn.sock.state === TCP_STATE.CLOSED && !isOver(conn);
}

/** SO_ERROR: what the next call says, once. */
export function takeErrno(sock: SockCommon): number {
  const { error } = sock;
  sock.error = 0;
  return error;
}
