import { ERRNO } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import type { Acknowledgements } from './acknowledgements.ts';
import { ACKED } from './acknowledgements.ts';
import type { Closing } from './closing.ts';
import type { Connection } from './connection.ts';
import { enter, FLAG, windowLeft } from './connection.ts';
import type { DelayedAck } from './delayed-ack.ts';
import type { MachineHost } from './machine-host.ts';
import type { Output } from './output.ts';
import type { Reception } from './reception.ts';
import type { Recovery } from './recovery.ts';
import type { Segment } from './segment.ts';
import { segmentLen } from './segment.ts';
import { isAcceptable, isAfter, isBefore, isOldTimestamp, updatesRecentTimestamp } from './sequence.ts';
import { bitOf, isIn, MAY_RECEIVE, TCP_EVENT, TCP_STATE } from './state.ts';

const { ACK, FIN, RST, SYN } = TCP_FLAG;
const { SYN_RECEIVED, FIN_WAIT_1, CLOSING, LAST_ACK } = TCP_STATE;
/** States in which our FIN may be acknowledged. */
const FIN_OUT: number = bitOf(FIN_WAIT_1) | bitOf(CLOSING) | bitOf(LAST_ACK);
const MS_IN_S = 1000;

/** What the parts do for each other. */
export interface MachineParts {
  readonly host: MachineHost;
  readonly output: Output;
  readonly recovery: Recovery;
  readonly acknowledgements: Acknowledgements;
  readonly acks: DelayedAck;
  readonly reception: Reception;
  readonly closing: Closing;
  /** After a handshake: windows and buffers. */
  readonly established: (conn: Connection) => void;
}

/** SEGMENT ARRIVES in SYN-RECEIVED and all synchronized states (RFC 9293 §3.10.7.4), with RFC 5961 and RFC 7323. */
export class SegmentArrives {
  readonly #parts: MachineParts;

  constructor(parts: MachineParts) {
    this.#parts = parts;
  }

  arrives(conn: Connection, segment: Segment): void {
    const { host, recovery, acks } = this.#parts;
    host.counters['segments-in'].value += segment.segments;
    conn.keepaliveProbes = 0;
    conn.flags |= FLAG.RECENTLY_HEARD;
    if (conn.extra !== null) conn.extra.segmentsIn += segment.segments;
    if (!this.#isValid(conn, segment)) return;
    if (!this.#acknowledges(conn, segment)) return;
    this.#parts.reception.urgent(conn, segment);
    this.#receives(conn, segment);
    if ((conn.flags & FLAG.OVER) !== 0) return;
    recovery.send(conn);
    acks.check(conn);
  }

  /** First to fourth: sequence number, timestamp, RST, SYN. False: it is done with, `fault` says why. */
  #isValid(conn: Connection, segment: Segment): boolean {
    const { reasons, counters } = this.#parts.host;
    const { flags, options, seq } = segment;
    if ((conn.flags & FLAG.TIMESTAMPS) !== 0 && options.hasTimestamps && this.#isOld(conn, segment) && (flags & RST) === 0) {
      counters.paws.value++;
      segment.fault = reasons['tcp.paws'];
      if ((flags & SYN) !== 0) this.#challenge(conn);
      else this.#answerStray(conn, segment);
      return false;
    }
    if (!isAcceptable(seq, segmentLen(segment), conn.rcvNxt, windowLeft(conn)) && !isAtShutWindow(conn, segment)) {
      segment.fault = reasons['tcp.window'];
      if ((flags & RST) !== 0) return false;
      if ((flags & SYN) !== 0) this.#challenge(conn);
      else this.#answerStray(conn, segment);
      return false;
    }
    if ((flags & RST) !== 0) return this.#reset(conn, segment);
    if ((flags & SYN) !== 0) {
      // RFC 5961 §4.2, whatever its sequence number: who lost his state answers our challenge by a reset.
      segment.fault = reasons['tcp.syn'];
      this.#challenge(conn);
      return false;
    }
    return true;
  }

  /** PAWS (RFC 7323 §5.3 R1). A pure acknowledgement that was overtaken is let through, as Linux does: it says nothing new. */
  #isOld(conn: Connection, segment: Segment): boolean {
    const { host } = this.#parts;
    const { tsVal } = segment.options;
    const silentS = Math.floor(host.clock.nowUs / 1e6) - conn.tsRecentAtS;
    if (!isOldTimestamp(tsVal, conn.tsRecent, silentS)) return false;
    const isOvertaken =
      segment.lenBytes === 0 &&
      (segment.flags & (SYN | FIN | RST)) === 0 &&
      segment.seq === conn.rcvNxt &&
      segment.ack === conn.sndUna &&
      ((conn.tsRecent - tsVal) | 0) <= MS_IN_S;
    return !isOvertaken;
  }

  /** RFC 5961 §3.2: exactly RCV.NXT, or the end of what was SACKed, resets; elsewhere in the window it is challenged. */
  #reset(conn: Connection, segment: Segment): false {
    const { host, closing } = this.#parts;
    if (segment.seq === conn.rcvNxt || segment.seq === highestSacked(conn)) closing.resetByPeer(conn);
    else {
      segment.fault = host.reasons['tcp.reset'];
      this.#challenge(conn);
    }
    return false;
  }

  /** Fifth: the ACK field. False: the segment is done with. */
  #acknowledges(conn: Connection, segment: Segment): boolean {
    const { host, acknowledgements, closing, established } = this.#parts;
    const { reasons } = host;
    if ((segment.flags & ACK) === 0) {
      segment.fault = reasons['tcp.no-ack'];
      return false;
    }
    this.#takeTimestamp(conn, segment);
    if (conn.sock.state === SYN_RECEIVED) {
      if (!isAfter(segment.ack, conn.sndUna) || isAfter(segment.ack, conn.sndNxt)) {
        segment.fault = reasons['tcp.ack'];
        host.reset(conn, RST, segment.ack, 0);
        return false;
      }
      enter(conn, TCP_EVENT.SYN_ACKED);
      conn.sndWl1 = (segment.seq - 1) | 0;
      established(conn);
      closing.closeLate(conn);
    }
    const found = acknowledgements.process(conn, segment);
    if (found === ACKED.REFUSED) {
      segment.fault = reasons['tcp.ack'];
      this.#challenge(conn);
      return false;
    }
    if (isIn(conn.sock.state, FIN_OUT) && conn.sndUna === ((conn.writeSeq + 1) | 0))
      closing.finAcknowledged(conn, (segment.flags & FIN) !== 0);
    return (conn.flags & FLAG.OVER) === 0;
  }

  /** RFC 7323 §4.3 (2). */
  #takeTimestamp(conn: Connection, { options, seq }: Segment): void {
    if (!options.hasTimestamps || (conn.flags & FLAG.TIMESTAMPS) === 0) return;
    if (!updatesRecentTimestamp(options.tsVal, conn.tsRecent, seq, conn.lastAckSent)) return;
    conn.tsRecent = options.tsVal;
    conn.tsRecentAtS = Math.floor(this.#parts.host.clock.nowUs / 1e6);
  }

  /** Seventh and eighth: the text, and FIN. */
  #receives(conn: Connection, segment: Segment): void {
    const { host, acks, reception, closing } = this.#parts;
    const { lenBytes, flags } = segment;
    if (lenBytes === 0 && (flags & FIN) === 0) return;
    const end = (segment.seq + lenBytes) | 0;
    if (!isIn(conn.sock.state, MAY_RECEIVE)) {
      // Behind a FIN nothing follows; a FIN that comes again is acknowledged again.
      if (isBefore(segment.seq, conn.rcvNxt)) acks.quick(conn);
      segment.fault = host.reasons['tcp.closed'];
      return;
    }
    // Who has closed does not read it (RFC 9293 §3.10.7.4 by RFC 1122 §4.2.2.13: the peer must know).
    if (lenBytes > 0 && (conn.flags & FLAG.CLOSED_BY_USER) !== 0 && isAfter(end, conn.rcvNxt)) {
      segment.fault = host.reasons['tcp.closed'];
      host.counters['aborts-on-data'].value++;
      closing.abort(conn, ERRNO.ECONNRESET);
      return;
    }
    let hasMoved = false;
    if (lenBytes > 0) {
      hasMoved = reception.text(conn, segment);
      if (hasMoved) reception.growWindow(conn, lenBytes);
    }
    if ((flags & FIN) !== 0) this.#noteFin(conn, end);
    this.#takeFin(conn);
    if (hasMoved) host.wake(conn);
  }

  /** A FIN counts when all before it is there; it may come before its time. */
  #noteFin(conn: Connection, finSeq: number): void {
    if (isBefore(finSeq, conn.rcvNxt)) {
      this.#parts.acks.quick(conn);
      return;
    }
    if ((conn.flags & FLAG.FIN_SEEN) === 0) {
      conn.flags |= FLAG.FIN_SEEN;
      conn.finSeq = finSeq;
    }
    if (finSeq !== conn.rcvNxt) conn.flags |= FLAG.ACK_PENDING | FLAG.ACK_NOW;
  }

  #takeFin(conn: Connection): void {
    if ((conn.flags & FLAG.FIN_SEEN) === 0 || conn.rcvNxt !== conn.finSeq || (conn.flags & FLAG.FIN_RECEIVED) !== 0) return;
    conn.rcvNxt = (conn.rcvNxt + 1) | 0;
    conn.flags |= FLAG.FIN_RECEIVED | FLAG.ACK_PENDING | FLAG.ACK_NOW;
    this.#parts.reception.forget(conn);
    this.#parts.closing.finReceived(conn);
  }

  /** What lies outside of the window, or is too old, is answered by what is awaited: no more often than `tcp_invalid_ratelimit` where nothing is in it. */
  #answerStray(conn: Connection, segment: Segment): void {
    const { acks, output, reception } = this.#parts;
    if (segment.lenBytes === 0 && (segment.flags & FIN) === 0 && !this.#mayAnswer(conn)) return;
    if (segment.lenBytes > 0 && isBefore(segment.seq, conn.rcvNxt)) reception.stray(conn, segment);
    acks.quick(conn);
    output.ackNow(conn);
  }

  /** A challenge ACK (RFC 5961 §7): limited for a connection, and for all. */
  #challenge(conn: Connection): void {
    const { host, output } = this.#parts;
    if (!this.#mayAnswer(conn) || !host.mayChallenge()) return;
    host.counters['challenge-acks'].value++;
    output.ackNow(conn);
  }

  #mayAnswer(conn: Connection): boolean {
    const { clock, settings } = this.#parts.host;
    const sinceMs = (clock.nowMs - conn.lastChallengeMs) | 0;
    if (conn.lastChallengeMs !== 0 && sinceMs >= 0 && sinceMs < settings.invalidRatelimit) return false;
    conn.lastChallengeMs = clock.nowMs;
    return true;
  }
}

/** RFC 9293 §3.10.7.4: where the window is shut, what a segment at RCV.NXT acknowledges, or resets, counts all the same. */
function isAtShutWindow(conn: Connection, { seq }: Segment): boolean {
  return windowLeft(conn) === 0 && seq === conn.rcvNxt;
}

/** Behind the highest octet that we have SACKed; RCV.NXT where none is. */
function highestSacked({ disorder, rcvNxt }: Connection): number {
  let highest = rcvNxt;
  if (disorder === null) return highest;
  const { edges, count } = disorder.report;
  for (let i = 0; i < count; i++) if (isAfter(edges[2 * i + 1]!, highest)) highest = edges[2 * i + 1]!;
  return highest;
}
