import type { Clocks } from './clocks.ts';
import type { Connection } from './connection.ts';
import { FLAG } from './connection.ts';
import type { MachineHost } from './machine-host.ts';
import type { Output } from './output.ts';
import type { Segment } from './segment.ts';

/** When what came is acknowledged (RFC 9293 §3.8.6.3, RFC 5681 §4.2). */
export class DelayedAck {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #output: Output;

  constructor(host: MachineHost, clocks: Clocks, output: Output) {
    this.#host = host;
    this.#clocks = clocks;
    this.#output = output;
  }

  /** Data came in order: its size says how large the peer's segments are, its time how quickly they follow. */
  received(conn: Connection, { lenBytes, segments }: Segment): void {
    const { nowMs } = this.#host.clock;
    const each = segments > 1 ? Math.ceil(lenBytes / segments) : lenBytes;
    if (each >= conn.rcvMssBytes || each > 536) conn.rcvMssBytes = Math.max(1, Math.min(each, conn.toldMssBytes));
    const sinceMs = conn.lastReceivedMs === 0 ? -1 : (nowMs - conn.lastReceivedMs) | 0;
    conn.ackPolicy.received(Math.min(sinceMs * 1000, 0x3fffffff), conn.rcvWnd, conn.rcvMssBytes);
    conn.lastReceivedMs = nowMs;
    conn.flags |= FLAG.ACK_PENDING;
  }

  /** Something was odd: the next ones go at once, and this one too. */
  quick(conn: Connection): void {
    conn.ackPolicy.beginQuick(conn.rcvWnd, conn.rcvMssBytes);
    conn.flags |= FLAG.ACK_PENDING | FLAG.ACK_NOW;
  }

  /** Behind a segment, when what it brought was sent already: acknowledges now, or later. */
  check(conn: Connection): void {
    if ((conn.flags & (FLAG.ACK_PENDING | FLAG.ACK_NOW)) === 0) return;
    const { ackPolicy, rcvMssBytes } = conn;
    const unacked = (conn.rcvNxt - conn.rcvWup) | 0;
    const isNow = (conn.flags & (FLAG.ACK_NOW | FLAG.QUICK_ALWAYS)) !== 0;
    const inDisorder = conn.disorder !== null && conn.disorder.queue.head !== null;
    if (isNow || ackPolicy.isDue(unacked, rcvMssBytes, inDisorder)) this.#output.ackNow(conn);
    else this.#clocks.startDelack(conn, ackPolicy.delayUs / 1000);
  }

  /** It waited long enough. */
  timeout(conn: Connection): void {
    if ((conn.flags & FLAG.ACK_PENDING) === 0) return;
    const { ackPolicy } = conn;
    // Nobody answered in time: it is no dialogue, or a slower one.
    if (ackPolicy.isInteractive) {
      ackPolicy.isInteractive = false;
      ackPolicy.atoUs = 40_000;
    } else ackPolicy.atoUs = Math.min(ackPolicy.atoUs * 2, 200_000);
    this.#host.counters['delayed-acks'].value++;
    this.#output.ackNow(conn);
  }
}
