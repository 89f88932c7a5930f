import type { SockCommon } from '@softnet/contract';
import { Connection, ConnectionExtra, FLAG } from '../machine/connection.ts';
import { TCP_STATE } from '../machine/state.ts';
import type { TcpSettings } from '../machine/tcp-settings.ts';

/** What a user sets, and a new connection of the same socket, or a listener's child, has too. */
const INHERITED: number =
  FLAG.NO_DELAY | FLAG.CORK | FLAG.RECEIVE_BUFFER_LOCKED | FLAG.SEND_BUFFER_LOCKED | FLAG.QUICK_ALWAYS | FLAG.SAVE_SYN;

export function connectionOf({ ext }: SockCommon): Connection {
  return ext as Connection;
}

/** Of a socket that is just made. */
export function firstConnection(sock: SockCommon, { rmem, wmem }: Pick<TcpSettings, 'rmem' | 'wmem'>): Connection {
  const conn = new Connection(sock);
  conn.sendBufferBytes = wmem[1]!;
  conn.receiveBufferBytes = rmem[1]!;
  return conn;
}

/** The one that follows it, of `sock`: with all that the user has set. */
export function followingConnection(before: Connection, sock: SockCommon, settings: Pick<TcpSettings, 'rmem' | 'wmem'>): Connection {
  const conn = firstConnection(sock, settings);
  conn.flags = before.flags & INHERITED;
  conn.userMssBytes = before.userMssBytes;
  if ((conn.flags & FLAG.RECEIVE_BUFFER_LOCKED) !== 0) conn.receiveBufferBytes = before.receiveBufferBytes;
  if ((conn.flags & FLAG.SEND_BUFFER_LOCKED) !== 0) conn.sendBufferBytes = before.sendBufferBytes;
  if (before.extra !== null) conn.extra = inheritedExtra(before.extra);
  return conn;
}

/** Its connection is over: what Linux has as TCP_CLOSE of a socket that is none's yet is none of these. */
export function isOver({ sock, flags }: Connection): boolean {
  return sock.state === TCP_STATE.CLOSED && (flags & (FLAG.CONNECTING | FLAG.CONNECTED)) !== 0;
}

/** Nobody will send by it: shut down, or over. */
export function isShutForSending(conn: Connection): boolean {
  return (conn.flags & FLAG.FIN_QUEUED) !== 0 || isOver(conn);
}

/** Nothing more will come that its user would be given. */
export function isShutForReceiving(conn: Connection): boolean {
  return (conn.flags & (FLAG.FIN_RECEIVED | FLAG.SHUT_RECEIVE)) !== 0 || isOver(conn);
}

function inheritedExtra(before: ConnectionExtra): ConnectionExtra | null {
  const extra = new ConnectionExtra();
  extra.keepIdleSec = before.keepIdleSec;
  extra.keepIntervalSec = before.keepIntervalSec;
  extra.keepProbes = before.keepProbes;
  extra.userTimeoutMs = before.userTimeoutMs;
  extra.synRetries = before.synRetries;
  extra.linger2Sec = before.linger2Sec;
  extra.deferAccept = before.deferAccept;
  extra.notSentLowBytes = before.notSentLowBytes;
  extra.windowClamp = before.windowClamp;
  extra.congestionName = before.congestionName;
  extra.hasBoundAddress = before.hasBoundAddress;
  extra.tellsQueue = before.tellsQueue;
  return extra;
}
