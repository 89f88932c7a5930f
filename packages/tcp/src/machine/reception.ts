import type { Skb } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import type { Connection } from './connection.ts';
import { FLAG, windowLeft } from './connection.ts';
import type { DelayedAck } from './delayed-ack.ts';
import { Disorder } from './disorder.ts';
import type { MachineHost } from './machine-host.ts';
import type { Segment } from './segment.ts';
import { isAfter, isBefore, minSeq } from './sequence.ts';
import { isIn, MAY_RECEIVE } from './state.ts';

/** The window, in segments, while memory is short. */
const SEGMENTS_WHEN_SHORT = 4;

/** The sixth and seventh check of RFC 9293 §3.10.7.4: urgent data and the segment text, in order and out of it. */
export class Reception {
  readonly #host: MachineHost;
  readonly #acks: DelayedAck;
  /** Of connections where all is in order. */
  #spare: Disorder | null = null;

  constructor(host: MachineHost, acks: DelayedAck) {
    this.#host = host;
    this.#acks = acks;
  }

  /** URG (RFC 9293 §3.8.5, RFC 6093): the octet before the pointer, or with `tcp_stdurg` the one at it, is urgent. One that was there already is not; nor are older ones. As Linux. */
  urgent(conn: Connection, { flags, seq, urgentPointer }: Segment): void {
    if ((flags & TCP_FLAG.URG) === 0 || !isIn(conn.sock.state, MAY_RECEIVE)) return;
    const past = this.#host.settings.stdurg || urgentPointer === 0 ? 1 : 0;
    const up = (seq + urgentPointer + past) | 0;
    if (!isAfter(up, conn.copiedSeq) || !isAfter(up, conn.rcvNxt)) return;
    if ((conn.flags & FLAG.URGENT_RECEIVED) !== 0 && !isAfter(up, conn.rcvUp)) return;
    conn.rcvUp = up;
    conn.urgentByte = -1;
    conn.flags |= FLAG.URGENT_RECEIVED;
    this.#host.wake(conn);
  }

  /** Takes the payload, where it has its place in the window. @returns whether RCV.NXT moved. */
  text(conn: Connection, segment: Segment): boolean {
    const { seq, lenBytes } = segment;
    const end = (seq + lenBytes) | 0;
    if (conn.extra !== null) conn.extra.dataSegmentsIn += segment.segments;
    if (!isAfter(end, conn.rcvNxt)) {
      this.#old(conn, segment, end);
      return false;
    }
    const windowEnd = (conn.rcvNxt + windowLeft(conn)) | 0;
    if (!isBefore(seq, windowEnd) || windowEnd === conn.rcvNxt) {
      segment.fault = this.#host.reasons['tcp.window'];
      this.#acks.quick(conn);
      return false;
    }
    const skb = segment.skb!;
    if (!this.#host.admit(conn, skb)) {
      segment.fault = this.#host.reasons['tcp.full'];
      conn.flags |= FLAG.ACK_PENDING;
      return false;
    }
    segment.skb = null;
    const to = minSeq(end, windowEnd);
    if (isAfter(seq, conn.rcvNxt)) {
      this.#outOfOrder(conn, segment, skb, to);
      return false;
    }
    this.#inOrder(conn, segment, skb, to);
    return (conn.flags & FLAG.OVER) === 0;
  }

  /** It lies outside of the window: what of it was there before is told by D-SACK. */
  stray(conn: Connection, { seq, lenBytes }: Segment): void {
    this.#duplicate(conn, seq, minSeq((seq + lenBytes) | 0, conn.rcvNxt));
  }

  /** Its window grows as its user reads, and as the buffer does (right-sizing): slow start of the window, as Linux. */
  growWindow(conn: Connection, lenBytes: number): void {
    const { windowSlowStart } = conn;
    const full = this.#host.fullBytes(conn);
    const free = this.#host.freeBytes(conn);
    if (this.#host.isMemoryShort()) {
      // As Linux: who reads more slowly than it comes gets a few segments at a time.
      if (free < full >> 1) conn.windowSlowStart = Math.min(windowSlowStart, SEGMENTS_WHEN_SHORT * conn.toldMssBytes);
      return;
    }
    const room = Math.min(Math.min(conn.windowClamp, full) - windowSlowStart, free);
    if (room <= 0) return;
    // Who sends tiny segments takes more memory than window: he gets no more of it.
    const growth = lenBytes >= 128 ? 2 * conn.toldMssBytes : 0;
    conn.windowSlowStart = windowSlowStart + Math.min(growth, room);
  }

  /** Behind a segment: where all is in order again, and was told, nothing is kept. */
  settle(conn: Connection): void {
    const { disorder } = conn;
    if (disorder !== null && disorder.queue.head === null && !disorder.report.hasDuplicate) this.forget(conn);
  }

  /** It is over. */
  forget(conn: Connection): void {
    const { disorder } = conn;
    if (disorder === null) return;
    conn.disorder = null;
    disorder.queue.clear();
    disorder.report.reset();
    disorder.next = this.#spare;
    this.#spare = disorder;
  }

  /** All of it was there: acknowledged at once, with a D-SACK (RFC 2883 §4). */
  #old(conn: Connection, segment: Segment, end: number): void {
    segment.fault = this.#host.reasons['tcp.duplicate'];
    this.#duplicate(conn, segment.seq, end);
    this.#acks.quick(conn);
  }

  #inOrder(conn: Connection, segment: Segment, skb: Skb, end: number): void {
    const { seq } = segment;
    const skip = (conn.rcvNxt - seq) | 0;
    if (skip > 0) this.#duplicate(conn, seq, conn.rcvNxt);
    this.#acks.received(conn, segment);
    if (segment.segments > 1 && !this.#host.settings.ackMerged) this.#acks.eachOf(conn, segment, end);
    if ((conn.flags & FLAG.OVER) !== 0) {
      // Whoever was called has ended it: nobody takes the packet.
      this.#host.keep(skb);
      this.#host.drop(skb);
      return;
    }
    conn.rcvNxt = end;
    this.#host.deliver(conn, skb, skip, ((end - seq) | 0) - skip);
    this.#catchUp(conn);
  }

  #outOfOrder(conn: Connection, segment: Segment, skb: Skb, end: number): void {
    const { seq } = segment;
    const { queue, report } = this.#disorderOf(conn);
    const { counters } = this.#host;
    counters['out-of-order'].value++;
    const isKnown = queue.holds(seq, end);
    // One more for whoever hands it over: it is released where no piece keeps it.
    this.#host.keep(skb);
    const taken = isKnown ? 0 : queue.insert(seq, end, skb);
    this.#host.drop(skb);
    if (taken > 0) report.arrived(seq, queue);
    else if (isKnown) this.#duplicate(conn, seq, end);
    if (segment.segments > 1 && !this.#host.settings.ackMerged) this.#acks.again(conn, segment);
    conn.flags |= FLAG.ACK_PENDING | FLAG.ACK_NOW;
  }

  /** What came before its time, and now has its place. */
  #catchUp(conn: Connection): void {
    const { disorder } = conn;
    if (disorder === null) return;
    const { queue, report } = disorder;
    let filled = false;
    for (let piece = queue.ready(conn.rcvNxt); piece !== null; piece = queue.ready(conn.rcvNxt)) {
      // Memory is out: it stays, and is tried with the next segment.
      if (!this.#host.deliverPiece(conn, piece.payload!, piece.skipBytes, (piece.end - piece.seq) | 0)) break;
      // Whoever was called has ended it.
      if (conn.disorder !== disorder) return;
      filled = true;
      conn.rcvNxt = piece.end;
      queue.shift();
    }
    report.acknowledged(conn.rcvNxt);
    // RFC 5681 §4.2: what fills a hole, all or part of it, is acknowledged at once.
    if (filled || queue.head !== null) conn.flags |= FLAG.ACK_PENDING | FLAG.ACK_NOW;
  }

  #duplicate(conn: Connection, left: number, right: number): void {
    const { settings } = this.#host;
    if ((conn.flags & FLAG.SACK) === 0 || !settings.dsack || !isBefore(left, right)) return;
    this.#disorderOf(conn).report.duplicate(left, right);
  }

  #disorderOf(conn: Connection): Disorder {
    if (conn.disorder !== null) return conn.disorder;
    const disorder = this.#spare ?? new Disorder(this.#host);
    this.#spare = disorder.next;
    disorder.next = null;
    conn.disorder = disorder;
    return disorder;
  }
}
