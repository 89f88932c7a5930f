import { TCP_FLAG } from '@softnet/wire';
import type { Clocks } from './clocks.ts';
import type { Connection } from './connection.ts';
import { FLAG, TIMER, windowLeft } from './connection.ts';
import type { MachineHost } from './machine-host.ts';
import { receiveWindow } from './receive-window.ts';
import { acceptableSeq, rtoMs } from './send-space.ts';
import type { SentRuns } from './sent-runs.ts';
import { isAfter, isBefore, minSeq } from './sequence.ts';

const { ACK, FIN, PSH, SYN } = TCP_FLAG;
/** An acknowledgement that could not be sent is tried again; Linux's TCP_DELACK_MAX. */
const ACK_AGAIN_MS = 200;
/** As far as an urgent pointer reaches. */
const MOST_URGENT = 0xffff;

/** Segments on their way out: new ones, the same once more, acknowledgements, probes. What is to go, and when, is said elsewhere. */
export class Output {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #runs: SentRuns;
  /** Segments that went, of all connections: whether one went in between is told by it. */
  #count = 0;

  constructor(host: MachineHost, clocks: Clocks, runs: SentRuns) {
    this.#host = host;
    this.#clocks = clocks;
    this.#runs = runs;
  }

  /** New octets from SND.NXT on, and the FIN behind them. @returns octets that went, FIN included; 0: it could not be sent. */
  emit(conn: Connection, lenBytes: number, withFin: boolean, flags: number): number {
    const { clock } = this.#host;
    const seq = conn.sndNxt;
    const end = (seq + lenBytes) | 0;
    const next = (end + (withFin ? 1 : 0)) | 0;
    // All is noted before it goes: what it frees may call back.
    conn.sndNxt = next;
    if (withFin) conn.flags |= FLAG.FIN_SENT;
    const push = flags | pushBit(conn, seq, end) | forcedBit(conn, lenBytes, end);
    this.#runs.sent(conn, seq, next, clock.nowUs, push !== 0);
    if (push !== 0) conn.pushedSeq = end;
    if (!this.#transmit(conn, ACK | (withFin ? FIN : 0) | push, seq, lenBytes)) {
      if ((conn.flags & FLAG.OVER) === 0) this.#takeBack(conn, seq, withFin);
      return 0;
    }
    if ((conn.flags & FLAG.OVER) !== 0) return 0;
    conn.scoreboard?.sent(next);
    if (lenBytes % conn.segmentBytes !== 0) conn.smallEnd = end;
    if (lenBytes > 0) conn.lastDataSentMs = clock.nowMs;
    if ((conn.timers & TIMER.RETRANSMIT) === 0) this.#clocks.startRetransmit(conn, rtoMs(conn));
    return (next - seq) | 0;
  }

  /** The same octets once more. False: it could not be sent. */
  retransmit(conn: Connection, seq: number, lenBytes: number): boolean {
    const { clock, counters } = this.#host;
    const isFin = (conn.flags & FLAG.FIN_SENT) !== 0 && isAfter((seq + lenBytes) | 0, conn.writeSeq);
    const data = isFin ? lenBytes - 1 : lenBytes;
    const push = this.#runs.isPushed(conn, seq, (seq + lenBytes) | 0) ? PSH : 0;
    if (!this.#transmit(conn, ACK | (isFin ? FIN : 0) | push, seq, data)) return false;
    if ((conn.flags & FLAG.OVER) !== 0) return false;
    this.#runs.resent(conn, seq, (seq + lenBytes) | 0, clock.nowUs);
    counters.retransmitted.value++;
    const { extra } = conn;
    if (extra !== null) {
      extra.totalRetransmitted++;
      extra.bytesRetransmitted += data;
    }
    if ((conn.timers & TIMER.RETRANSMIT) === 0) this.#clocks.startRetransmit(conn, rtoMs(conn));
    return true;
  }

  /** What of so many octets, a segment at most, goes again in one: with `tcp_retrans_collapse` = 0 not more than went together. */
  togetherBytes(conn: Connection, seq: number, lenBytes: number): number {
    return this.#host.settings.retransCollapse ? lenBytes : (this.#runs.endOf(conn, seq, (seq + lenBytes) | 0) - seq) | 0;
  }

  /** A SYN, or SYN-ACK, once more. */
  again(conn: Connection, flags: number): void {
    this.#host.counters.retransmitted.value++;
    if (conn.extra !== null) conn.extra.totalRetransmitted++;
    this.#transmit(conn, flags, conn.iss, 0);
  }

  /** An acknowledgement without data, now. Where it cannot be sent, the delayed one's timer tries again. */
  ackNow(conn: Connection): void {
    if ((conn.flags & FLAG.OVER) !== 0 || this.#transmit(conn, ACK, acceptableSeq(conn), 0)) return;
    conn.flags |= FLAG.ACK_PENDING;
    this.#clocks.startDelack(conn, ACK_AGAIN_MS);
  }

  /** A segment that the peer must answer: an octet that it has already, and nothing in it (RFC 1122 §4.2.3.6; §4.2.2.17 for a shut window). */
  probe(conn: Connection): void {
    const urgent = (conn.sndUp - conn.sndUna) | 0;
    // RFC 9293 §3.8.5: a shut window does not keep back that something is urgent.
    if ((conn.flags & FLAG.URGENT_SENT) !== 0 && urgent > 0 && urgent <= MOST_URGENT) this.#transmit(conn, ACK, conn.sndUna, 0);
    if ((conn.flags & FLAG.OVER) === 0) this.#transmit(conn, ACK, (conn.sndUna - 1) | 0, 0);
  }

  /** Nothing went. It is tried again when something that is in flight is acknowledged, or else by the timer that guards what waits (`NewData`). */
  #takeBack(conn: Connection, seq: number, withFin: boolean): void {
    this.#runs.unsent(conn);
    conn.sndNxt = seq;
    // A way that proved narrower meanwhile has marked it as lost (`Recovery.resend`).
    conn.scoreboard?.unsent(seq);
    conn.recoverSeq = minSeq(conn.recoverSeq, seq);
    if (withFin) conn.flags &= ~FLAG.FIN_SENT;
  }

  #transmit(conn: Connection, flags: number, seq: number, lenBytes: number): boolean {
    const { rcvWnd, rcvWup } = conn;
    const { clock } = this.#host;
    const count = ++this.#count;
    // A SYN that goes again says the window that it said (as Linux).
    if ((flags & SYN) === 0) {
      conn.rcvWnd = this.windowToTell(conn);
      conn.rcvWup = conn.rcvNxt;
    }
    if (!this.#host.transmit(conn, flags, seq, lenBytes)) {
      // The peer does not know of this window: unless meanwhile one went that told it.
      if (count === this.#count) {
        conn.rcvWnd = rcvWnd;
        conn.rcvWup = rcvWup;
      }
      return false;
    }
    conn.lastAckSent = conn.rcvNxt;
    conn.lastSentMs = clock.nowMs;
    // Data that soon follow what came are an answer to it: the next acknowledgement may wait for one, too (Linux's pingpong).
    conn.ackPolicy.sent(lenBytes > 0 && ((clock.nowMs - conn.lastReceivedMs) | 0) * 1000 < conn.ackPolicy.atoUs);
    conn.flags &= ~(FLAG.ACK_PENDING | FLAG.ACK_NOW);
    this.#clocks.stop(conn, TIMER.DELACK);
    return true;
  }

  /** The window that an acknowledgement would tell now. */
  windowToTell(conn: Connection): number {
    const { rcvMssBytes, rcvShift, windowClamp, windowSlowStart } = conn;
    const full = Math.min(this.#host.fullBytes(conn), windowClamp);
    const free = Math.min(this.#host.freeBytes(conn), windowSlowStart);
    return receiveWindow(windowLeft(conn), free, full, rcvMssBytes, rcvShift);
  }
}

/** As Linux, a burst of several segments ends with PSH, so that who merges it again hands it up at once; and so does every half of the peer's largest window. */
function forcedBit({ segmentBytes, pushedSeq, maxWindowBytes }: Connection, lenBytes: number, end: number): number {
  return lenBytes > segmentBytes || ((end - pushedSeq) | 0) > maxWindowBytes >> 1 ? PSH : 0;
}

/** PSH where the last octet is in it that the user wants pushed (RFC 9293 §3.9.1.2). */
function pushBit({ pushSeq }: Connection, seq: number, end: number): number {
  return isBefore(seq, pushSeq) && !isAfter(pushSeq, end) ? PSH : 0;
}
