import { ERRNO } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import type { Acceptance } from './acceptance.ts';
import { nowS } from './acceptance.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import { isStrangeAck } from './acknowledgements.ts';
import type { Closing } from './closing.ts';
import type { Connection } from './connection.ts';
import { enter, FLAG } from './connection.ts';
import type { DelayedAck } from './delayed-ack.ts';
import type { Establishing } from './establishing.ts';
import type { MachineHost } from './machine-host.ts';
import { toldWindow } from './receive-window.ts';
import type { Reception } from './reception.ts';
import type { Recovery } from './recovery.ts';
import type { Segment } from './segment.ts';
import { isAfter, isBefore, isOldTimestamp, updatesRecentTimestamp } from './sequence.ts';
import { bitOf, isIn, MAY_RECEIVE, TCP_EVENT, TCP_STATE } from './state.ts';

const { ACK, FIN, RST } = TCP_FLAG;
const { SYN_RECEIVED, ESTABLISHED, FIN_WAIT_1, CLOSING, LAST_ACK } = TCP_STATE;
/** States in which our FIN may be acknowledged. */
const FIN_OUT: number = bitOf(FIN_WAIT_1) | bitOf(CLOSING) | bitOf(LAST_ACK);

/** What the parts do for each other. */
export interface MachineParts {
  readonly host: MachineHost;
  readonly acceptance: Acceptance;
  readonly recovery: Recovery;
  readonly acknowledgements: Acknowledgements;
  readonly acks: DelayedAck;
  readonly reception: Reception;
  readonly closing: Closing;
  readonly establishing: Establishing;
}

/** SEGMENT ARRIVES in SYN-RECEIVED and all synchronized states (RFC 9293 §3.10.7.4), with RFC 5961 and RFC 7323. */
export class SegmentArrives {
  readonly #parts: MachineParts;

  constructor(parts: MachineParts) {
    this.#parts = parts;
  }

  arrives(conn: Connection, segment: Segment): void {
    const { acceptance, recovery, acks, reception } = this.#parts;
    if (conn.extra !== null) conn.extra.segmentsIn += segment.segments;
    if (!acceptance.passes(conn, segment) || !this.#acknowledges(conn, segment)) return;
    reception.urgent(conn, segment);
    this.#receives(conn, segment);
    recovery.send(conn);
    acks.check(conn);
    reception.settle(conn);
  }

  /** Fifth: the ACK field. False: the segment is done with. */
  #acknowledges(conn: Connection, segment: Segment): boolean {
    const { host, acceptance, acknowledgements, closing } = this.#parts;
    if ((segment.flags & ACK) === 0) {
      segment.fault = host.reasons['tcp.no-ack'];
      return false;
    }
    const isOpening = conn.sock.state === SYN_RECEIVED;
    if (isOpening && !this.#opens(conn, segment)) return false;
    if (isStrangeAck(conn, segment.ack)) {
      segment.fault = host.reasons['tcp.ack'];
      acceptance.challenge(conn);
      return false;
    }
    this.#takeTimestamp(conn, segment);
    acknowledgements.process(conn, segment);
    if (isOpening && (conn.flags & FLAG.OVER) === 0) host.established(conn);
    if ((conn.flags & FLAG.OVER) !== 0) return false;
    if (isIn(conn.sock.state, FIN_OUT) && conn.sndUna === ((conn.writeSeq + 1) | 0))
      closing.finAcknowledged(conn, (segment.flags & FIN) !== 0);
    return (conn.flags & FLAG.OVER) === 0;
  }

  /** SYN-RECEIVED → ESTABLISHED, or where its user has closed → FIN-WAIT-1. False: it acknowledges something else, and is answered by a reset. */
  #opens(conn: Connection, segment: Segment): boolean {
    const { host, establishing, closing } = this.#parts;
    if (!isAfter(segment.ack, conn.sndUna) || isAfter(segment.ack, conn.sndNxt)) {
      segment.fault = host.reasons['tcp.ack'];
      host.reset(conn, RST, segment.ack, 0);
      return false;
    }
    enter(conn, TCP_EVENT.SYN_ACKED);
    // The SYN is no octet that anybody counts.
    conn.sndUna = (conn.iss + 1) | 0;
    establishing.begin(conn);
    conn.maxWindowBytes = toldWindow(segment.window, conn.sndShift, (segment.flags & TCP_FLAG.SYN) !== 0);
    closing.closeLate(conn);
    return true;
  }

  /** RFC 7323 §4.3 (2). */
  #takeTimestamp(conn: Connection, { options, seq }: Segment): void {
    if (!options.hasTimestamps || (conn.flags & FLAG.TIMESTAMPS) === 0) return;
    const now = nowS(this.#parts.host.clock.nowUs);
    // After a silence that outdates it, it is older than what it says (§5.5).
    const isOutdated = isBefore(options.tsVal, conn.tsRecent) && !isOldTimestamp(options.tsVal, conn.tsRecent, now - conn.tsRecentAtS);
    const recent = isOutdated ? options.tsVal : conn.tsRecent;
    if (!updatesRecentTimestamp(options.tsVal, recent, seq, conn.lastAckSent)) return;
    conn.tsRecent = options.tsVal;
    conn.tsRecentAtS = now;
  }

  /** Seventh and eighth: the text, and FIN. */
  #receives(conn: Connection, segment: Segment): void {
    const { host, acks, reception } = this.#parts;
    const { lenBytes, flags } = segment;
    if ((lenBytes === 0 && (flags & FIN) === 0) || (conn.flags & FLAG.OVER) !== 0) return;
    if (!isIn(conn.sock.state, MAY_RECEIVE)) {
      // Behind a FIN nothing follows; what comes again is acknowledged again.
      if (isBefore(segment.seq, conn.rcvNxt)) acks.quick(conn);
      segment.fault = host.reasons['tcp.closed'];
      return;
    }
    const end = (segment.seq + lenBytes) | 0;
    if (lenBytes > 0 && isAfter(end, conn.rcvNxt) && readsNoMore(conn)) {
      this.#refuse(conn, segment);
      return;
    }
    const hasMoved = lenBytes > 0 && reception.text(conn, segment);
    if ((conn.flags & FLAG.OVER) !== 0) return;
    if (hasMoved) reception.growWindow(conn, lenBytes);
    if ((flags & FIN) !== 0) this.#noteFin(conn, end);
    if (!this.#takeFin(conn, (flags & FIN) !== 0) && hasMoved) host.wake(conn);
  }

  /** Data for who has closed, and reads no more: the peer must know (RFC 1122 §4.2.2.13, RFC 2525 §2.17). */
  #refuse(conn: Connection, segment: Segment): void {
    const { host, closing } = this.#parts;
    segment.fault = host.reasons['tcp.closed'];
    host.counters['aborts-on-data'].value++;
    host.reset(conn, RST, segment.ack, 0);
    closing.over(conn, ERRNO.ECONNRESET);
  }

  /** A FIN counts when all before it is there; it may come before its time. */
  #noteFin(conn: Connection, finSeq: number): void {
    if (isBefore(finSeq, conn.rcvNxt)) {
      this.#parts.acks.quick(conn);
      return;
    }
    conn.flags |= FLAG.FIN_SEEN;
    conn.finSeq = finSeq;
    if (finSeq !== conn.rcvNxt) conn.flags |= FLAG.ACK_PENDING | FLAG.ACK_NOW;
  }

  /** @param isInTime it came with this segment, not before its time. @returns whether it was taken; its user is told. */
  #takeFin(conn: Connection, isInTime: boolean): boolean {
    if ((conn.flags & FLAG.FIN_SEEN) === 0 || conn.rcvNxt !== conn.finSeq) return false;
    conn.rcvNxt = (conn.rcvNxt + 1) | 0;
    conn.flags |= FLAG.FIN_RECEIVED | FLAG.ACK_PENDING;
    // The user has something to say before he closes, too: an acknowledgement waits for it, where one did before (Linux's pingpong).
    const mayWait = isInTime && conn.sock.state === ESTABLISHED && conn.ackPolicy.atoUs > 0;
    if (mayWait) conn.ackPolicy.isInteractive = true;
    else conn.flags |= FLAG.ACK_NOW;
    this.#parts.reception.forget(conn);
    this.#parts.closing.finReceived(conn);
    return true;
  }
}

/** Its user has let go of it; or, as in Linux, has shut down both halves. */
function readsNoMore({ flags, sock }: Connection): boolean {
  if ((flags & FLAG.CLOSED_BY_USER) !== 0) return true;
  return (flags & FLAG.SHUT_RECEIVE) !== 0 && sock.state !== ESTABLISHED;
}
