import type { Clocks } from './clocks.ts';
import type { Connection } from './connection.ts';
import { FLAG } from './connection.ts';
import type { MachineHost } from './machine-host.ts';
import type { Output } from './output.ts';
import type { Segment } from './segment.ts';
import { isBefore } from './sequence.ts';

/** Longer than anything that is measured here. */
const LONG_MS = 1_000_000;

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
    const sinceMs = (nowMs - conn.lastReceivedMs) >>> 0;
    conn.ackPolicy.received(Math.min(sinceMs, LONG_MS) * 1000, conn.rcvWnd, conn.rcvMssBytes);
    conn.lastReceivedMs = nowMs;
    conn.flags |= FLAG.ACK_PENDING;
  }

  /**
   * `tcp.ack_merged` is 0: a frame that was merged on its way is acknowledged as often as if each of its segments had come alone, as a peer who counts acknowledgements grows by them
   * (RFC 5681 §3.1; RFC 2525 §2.13: stretch ACKs). All but its last; that one is asked about as usual. RCV.NXT goes with them. @param end of what is taken of it.
   */
  eachOf(conn: Connection, { lenBytes, segments }: Segment, end: number): void {
    const each = Math.ceil(lenBytes / segments);
    for (let to = (conn.rcvNxt + each) | 0; isBefore(to, end) && (conn.flags & FLAG.OVER) === 0; to = (to + each) | 0) {
      conn.rcvNxt = to;
      if (((to - conn.rcvWup) | 0) > conn.rcvMssBytes) this.#output.ackNow(conn);
    }
    conn.flags |= FLAG.ACK_PENDING;
  }

  /** The same of what came out of order: a duplicate for each (RFC 5681 §4.2). */
  again(conn: Connection, { segments }: Segment): void {
    for (let i = 1; i < segments; i++) this.#output.ackNow(conn);
  }

  /** Something was odd: the next ones go at once, and this one too. */
  quick(conn: Connection): void {
    conn.ackPolicy.beginQuick(conn.rcvWnd, conn.rcvMssBytes);
    conn.flags |= FLAG.ACK_PENDING | FLAG.ACK_NOW;
  }

  /** Behind a segment, when what it brought was sent already: acknowledges now, or later. */
  check(conn: Connection): void {
    if ((conn.flags & (FLAG.ACK_PENDING | FLAG.ACK_NOW)) === 0 || (conn.flags & FLAG.OVER) !== 0) return;
    const { ackPolicy, rcvMssBytes } = conn;
    const unacked = (conn.rcvNxt - conn.rcvWup) | 0;
    const isNow = (conn.flags & (FLAG.ACK_NOW | FLAG.QUICK_ALWAYS)) !== 0;
    const inDisorder = conn.disorder !== null && conn.disorder.queue.head !== null;
    // As Linux: where its user has not read, and so no window would open, it waits until he does.
    const counts = unacked <= rcvMssBytes || this.#opensWindow(conn) ? unacked : 0;
    if (isNow || ackPolicy.isDue(counts, rcvMssBytes, inDisorder)) this.#output.ackNow(conn);
    else this.#clocks.startDelack(conn, ackPolicy.delayUs / 1000);
  }

  #opensWindow(conn: Connection): boolean {
    const least = conn.sock.options === null ? 1 : conn.sock.options.receiveLowBytes;
    return ((conn.rcvNxt - conn.copiedSeq) | 0) < least || this.#output.windowToTell(conn) >= conn.rcvWnd;
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
