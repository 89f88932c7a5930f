import { sendBuffer } from './buffer-size.ts';
import type { Connection } from './connection.ts';
import { FLAG } from './connection.ts';
import type { TcpSettings } from './tcp-settings.ts';

/** Memory that a full segment costs: a small buffer, and its record. */
export const SEGMENT_TRUESIZE = 2352;

/** The send buffer follows `cwnd`, unless the user has set it. */
export function growSendBuffer(conn: Connection, { initialCwnd, reordering, wmem }: TcpSettings): void {
  if ((conn.flags & FLAG.SEND_BUFFER_LOCKED) !== 0) return;
  const { cwnd } = conn.congestion!;
  conn.sendBufferBytes = sendBuffer(conn.sendBufferBytes, cwnd, initialCwnd, reordering, SEGMENT_TRUESIZE, wmem[2]!);
}
