import type { Connection } from '../machine/connection.ts';
import { AcceptQueue } from './accept-queue.ts';
import type { Request } from './request.ts';

/** A socket that listens (RFC 9293 §3.10.7.2), while it does: `Connection.listener` of its own connection, and of children that nobody has accepted. */
export class Listener {
  readonly conn: Connection;
  /** What may wait to be accepted: one more than this does, as in Linux. */
  backlog = 0;
  readonly accepted: AcceptQueue = new AcceptQueue();
  /** Requests that it has in the table, and those among them whose SYN-ACK has not been due again. */
  requests = 0;
  young = 0;
  /** When it last had no room for a request, kernel ms: for two minutes from then on cookies are believed. */
  overflowAtMs = 0;
  hasOverflowed = false;
  /** TCP_SAVE_SYN: the headers of requests; null: there are none. */
  savedSyns: Map<Request, Uint8Array> | null = null;
  isOpen = true;
  /** By which those that wait find it again when it was handed over; 0: it was not yet. */
  number = 0;

  constructor(conn: Connection) {
    this.conn = conn;
  }
}
