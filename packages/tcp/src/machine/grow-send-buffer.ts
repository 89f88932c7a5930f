import { sendBuffer } from './buffer-size.ts';
import type { Connection } from './connection.ts';
import { FLAG } from './connection.ts';
import type { MachineHost } from './machine-host.ts';

/** Memory that a full segment costs: a small buffer, and its record. */
export const SEGMENT_TRUESIZE = 2352;

/** The send buffer follows `cwnd`, unless the user has set it, or memory is short. */
export function growSendBuffer(conn: Connection, host: Pick<MachineHost, 'settings' | 'isMemoryShort' | 'mostSendBytes'>): void {
  if ((conn.flags & FLAG.SEND_BUFFER_LOCKED) !== 0 || host.isMemoryShort()) return;
  const { initialCwnd, reordering } = host.settings;
  const { cwnd } = conn.congestion!;
  // Over a loopback a segment is larger than all that: a buffer of less than one waits for acknowledgements that are delayed.
  const trueSize = Math.max(SEGMENT_TRUESIZE, conn.segmentBytes);
  conn.sendBufferBytes = sendBuffer(conn.sendBufferBytes, cwnd, initialCwnd, reordering, trueSize, host.mostSendBytes());
}
