import { CONGESTION_EVENT } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import type { Clocks } from './clocks.ts';
import type { Connection } from './connection.ts';
import { FLAG, outstanding, TIMER, windowLeft } from './connection.ts';
import type { MachineHost } from './machine-host.ts';
import { receiveWindow } from './receive-window.ts';
import { decideSend, SEND, SendQuestion } from './send-decision.ts';
import type { SentRuns } from './sent-runs.ts';
import { isAfter, isBefore } from './sequence.ts';
import { bitOf, isIn, TCP_STATE } from './state.ts';

const { ACK, FIN, PSH } = TCP_FLAG;
/** States in which octets, or a FIN, may go out. */
const SENDS: number = [TCP_STATE.ESTABLISHED, TCP_STATE.CLOSE_WAIT, TCP_STATE.FIN_WAIT_1, TCP_STATE.CLOSING, TCP_STATE.LAST_ACK].reduce(
  (set, state) => set | bitOf(state),
  0,
);

/** What goes out: new data as far as congestion, the peer's window and Nagle let them, the FIN behind them, and what is sent again. */
export class Output {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #runs: SentRuns;
  readonly #question = new SendQuestion();

  constructor(host: MachineHost, clocks: Clocks, runs: SentRuns) {
    this.#host = host;
    this.#clocks = clocks;
    this.#runs = runs;
  }

  /**
   * Sends new data while there is room for them. @param pipeBytes thought to be in the network. @returns whether the congestion window is what stops it.
   * A user who is woken by what is freed on the way may give more: the loop sees that.
   */
  sendNew(conn: Connection, pipeBytes: number): void {
    if ((conn.flags & FLAG.SENDING) !== 0 || !isIn(conn.sock.state, SENDS)) return;
    const idle = outstanding(conn) === 0;
    if (idle && unsentBytes(conn) > 0) this.#afterIdle(conn);
    conn.flags |= FLAG.SENDING;
    let pipe = pipeBytes;
    let sent = this.#sendSome(conn, pipe);
    const sentAny = sent > 0;
    while (sent > 0) {
      pipe += sent;
      sent = this.#sendSome(conn, pipe);
    }
    conn.flags &= ~FLAG.SENDING;
    this.#judgeWindow(conn, pipe, sentAny);
    if (outstanding(conn) === 0) this.#guardWindow(conn);
  }

  /** The same octets once more. False: it could not be sent. */
  retransmit(conn: Connection, seq: number, lenBytes: number): boolean {
    const { clock, counters } = this.#host;
    const isFin = (conn.flags & FLAG.FIN_SENT) !== 0 && isAfter((seq + lenBytes) | 0, conn.writeSeq);
    const data = isFin ? lenBytes - 1 : lenBytes;
    const end = (seq + data) | 0;
    if (!this.#transmit(conn, ACK | (isFin ? FIN : 0) | this.#pushBit(conn, seq, end), seq, data)) return false;
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

  /** A SYN, or SYN-ACK, once more. */
  again(conn: Connection, flags: number): void {
    if (conn.extra !== null) conn.extra.totalRetransmitted++;
    this.#transmit(conn, flags, conn.iss, 0);
  }

  /** An acknowledgement without data, now. Where it cannot be sent, the delayed one's timer tries again. */
  ackNow(conn: Connection): void {
    if (this.#transmit(conn, ACK, acceptableSeq(conn), 0)) return;
    conn.flags |= FLAG.ACK_PENDING;
    this.#clocks.startDelack(conn, 200);
  }

  /** A segment that the peer must answer: an octet that it has already, and nothing in it (RFC 1122 §4.2.3.6; §4.2.2.17 for a shut window). */
  probe(conn: Connection): void {
    this.#transmit(conn, ACK, (conn.sndUna - 1) | 0, 0);
  }

  /** Of a window that is open by less than a segment, as much as goes: what the persist timer forces. False: it is shut, or nothing is there. */
  forceSome(conn: Connection): boolean {
    const unsent = unsentBytes(conn);
    const lenBytes = Math.min(unsent, usableBytes(conn), conn.segmentBytes);
    if (lenBytes <= 0) return false;
    return this.#emit(conn, lenBytes, lenBytes === unsent && finWaits(conn) && usableBytes(conn) > lenBytes, PSH) > 0;
  }

  /** @returns octets that went, FIN included; 0: nothing more. */
  #sendSome(conn: Connection, pipe: number): number {
    const unsent = unsentBytes(conn);
    if (unsent <= 0) return this.#sendFin(conn, unsent);
    const { segmentBytes, congestion } = conn;
    const usable = usableBytes(conn);
    const question = this.#question;
    question.unsentBytes = unsent;
    question.usableBytes = usable;
    question.maxWindowBytes = conn.maxWindowBytes;
    question.mssBytes = segmentBytes;
    question.isNoDelay = (conn.flags & FLAG.NO_DELAY) !== 0;
    question.isCorked = (conn.flags & (FLAG.CORK | FLAG.MORE)) !== 0;
    question.isSmallInFlight = isAfter(conn.smallEnd, conn.sndUna);
    question.isForced = finWaits(conn) || (isAfter(conn.sndUp, conn.sndNxt) && (conn.flags & FLAG.URGENT_SENT) !== 0);
    const decision = decideSend(question);
    if (decision === SEND.NOTHING || decision === SEND.HELD) return 0;
    if (decision === SEND.SILLY) {
      if (outstanding(conn) === 0) this.#guardWindow(conn);
      return 0;
    }
    let lenBytes = Math.min(unsent, usable);
    if (decision === SEND.FULL) {
      const most = Math.min(this.#host.mostSegments(conn), Math.floor(lenBytes / segmentBytes));
      // What is left over behind whole segments is asked about next.
      lenBytes = most * segmentBytes;
    }
    const room = congestion!.cwnd * segmentBytes - pipe;
    // One segment is always allowed where nothing is in the network.
    if (room < lenBytes)
      lenBytes = pipe === 0 && room < segmentBytes ? Math.min(lenBytes, segmentBytes) : wholeSegments(room, segmentBytes);
    if (lenBytes <= 0) return 0;
    const withFin = lenBytes === unsent && finWaits(conn) && usable > lenBytes;
    return this.#emit(conn, lenBytes, withFin, 0);
  }

  #sendFin(conn: Connection, unsent: number): number {
    if (unsent < 0 || !finWaits(conn) || usableBytes(conn) < 1) return 0;
    return this.#emit(conn, 0, true, 0);
  }

  #emit(conn: Connection, lenBytes: number, withFin: boolean, more: number): number {
    const { clock } = this.#host;
    const seq = conn.sndNxt;
    const end = (seq + lenBytes) | 0;
    const fin = withFin ? 1 : 0;
    // Before it goes: what it frees may call back.
    conn.sndNxt = (end + fin) | 0;
    if (withFin) conn.flags |= FLAG.FIN_SENT;
    if (!this.#transmit(conn, ACK | (withFin ? FIN : 0) | more | this.#pushBit(conn, seq, end), seq, lenBytes)) {
      conn.sndNxt = seq;
      if (withFin) conn.flags &= ~FLAG.FIN_SENT;
      if (outstanding(conn) === 0) this.#clocks.startRetransmit(conn, rtoMs(conn), TIMER.PERSIST);
      return 0;
    }
    this.#runs.sent(conn, seq, conn.sndNxt, clock.nowUs);
    conn.scoreboard?.sent(conn.sndNxt);
    if (lenBytes % conn.segmentBytes !== 0) conn.smallEnd = end;
    conn.lastDataSentMs = clock.nowMs;
    if ((conn.timers & TIMER.RETRANSMIT) === 0) this.#clocks.startRetransmit(conn, rtoMs(conn));
    return lenBytes + fin;
  }

  #transmit(conn: Connection, flags: number, seq: number, lenBytes: number): boolean {
    const { rcvWnd, rcvWup } = conn;
    this.#tellWindow(conn);
    if (!this.#host.transmit(conn, flags, seq, lenBytes)) {
      conn.rcvWnd = rcvWnd;
      conn.rcvWup = rcvWup;
      return false;
    }
    this.#host.counters['segments-out'].value++;
    conn.lastAckSent = conn.rcvNxt;
    conn.lastSentMs = this.#host.clock.nowMs;
    conn.ackPolicy.sent(lenBytes > 0);
    conn.flags &= ~(FLAG.ACK_PENDING | FLAG.ACK_NOW);
    this.#clocks.stop(conn, TIMER.DELACK);
    return true;
  }

  /** RCV.WND as this segment tells it. */
  #tellWindow(conn: Connection): void {
    const full = this.#host.fullBytes(conn);
    const free = Math.min(this.#host.freeBytes(conn), conn.windowSlowStart);
    conn.rcvWnd = receiveWindow(windowLeft(conn), free, Math.min(full, conn.windowClamp), conn.rcvMssBytes, conn.rcvShift);
    conn.rcvWup = conn.rcvNxt;
  }

  #pushBit({ pushSeq }: Connection, seq: number, end: number): number {
    return isBefore(seq, pushSeq) && !isAfter(pushSeq, end) ? PSH : 0;
  }

  /** RFC 5681 §4.1: after an RTO of silence the window is what it was in the beginning, halved for each. */
  #afterIdle(conn: Connection): void {
    const { settings, clock } = this.#host;
    const congestion = conn.congestion!;
    const idleMs = (clock.nowMs - conn.lastDataSentMs) | 0;
    const rto = rtoMs(conn);
    if (settings.slowStartAfterIdle && conn.lastDataSentMs !== 0 && idleMs > rto) {
      const least = Math.min(settings.initialCwnd, congestion.cwnd);
      congestion.ssthresh = Math.max(congestion.ssthresh, (congestion.cwnd >> 1) + (congestion.cwnd >> 2));
      let cwnd = congestion.cwnd;
      for (let left = idleMs - rto; left > 0 && cwnd > least; left -= rto) cwnd >>= 1;
      congestion.cwnd = Math.max(cwnd, least);
      congestion.cwndCount = 0;
      congestion.control.event?.(congestion, CONGESTION_EVENT.CWND_RESTART, clock.nowMs);
    }
    congestion.control.event?.(congestion, CONGESTION_EVENT.TRANSMIT_START, clock.nowMs);
  }

  /** Is `cwnd` used up? Remembered for a window, as what was outstanding most is (RFC 7661 §4, as Linux). */
  #judgeWindow(conn: Connection, pipe: number, sentAny: boolean): void {
    const congestion = conn.congestion!;
    const isLimited = pipe + conn.segmentBytes > congestion.cwnd * conn.segmentBytes;
    if (!sentAny && !isLimited) return;
    const wasLimited = (conn.flags & FLAG.CWND_LIMITED) !== 0;
    const out = outstanding(conn);
    if (!isLimited && isBefore(conn.sndUna, conn.limitedSeq) && (wasLimited || out <= conn.mostOutBytes)) return;
    conn.flags = isLimited ? conn.flags | FLAG.CWND_LIMITED : conn.flags & ~FLAG.CWND_LIMITED;
    conn.mostOutBytes = out;
    conn.limitedSeq = conn.sndNxt;
  }

  /** Data, or a FIN, wait, nothing is in flight that would be answered, and the window lets nothing through: it is probed (RFC 9293 §3.8.6.1). */
  #guardWindow(conn: Connection): void {
    if (unsentBytes(conn) <= 0 && !finWaits(conn)) return;
    if ((conn.timers & (TIMER.PERSIST | TIMER.RETRANSMIT)) !== 0) return;
    const isHeld = usableBytes(conn) >= Math.min(unsentBytes(conn), conn.segmentBytes) && (conn.flags & (FLAG.CORK | FLAG.MORE)) !== 0;
    // What is corked goes after 200 ms at the latest, as in Linux.
    this.#clocks.startRetransmit(conn, isHeld ? 200 : rtoMs(conn), TIMER.PERSIST);
  }
}

/** The RTO, in whole ms. */
export function rtoMs({ roundTrip }: Connection): number {
  return Math.ceil(roundTrip.timeoutUs / 1000);
}

/** Octets that were given and not sent; -1 behind a FIN. */
export function unsentBytes({ writeSeq, sndNxt }: Connection): number {
  return (writeSeq - sndNxt) | 0;
}

/** U of RFC 1122 §4.2.3.4: SND.UNA + SND.WND - SND.NXT. */
export function usableBytes({ sndUna, sndWnd, sndNxt }: Connection): number {
  return (sndUna + sndWnd - sndNxt) | 0;
}

export function finWaits({ flags }: Connection): boolean {
  return (flags & (FLAG.FIN_QUEUED | FLAG.FIN_SENT)) === FLAG.FIN_QUEUED;
}

/** SEG.SEQ of what has no data: SND.NXT, but not beyond a window that has shrunk, where it would not be looked at. */
function acceptableSeq({ sndNxt, sndUna, sndWnd }: Connection): number {
  const end = (sndUna + sndWnd) | 0;
  return isAfter(sndNxt, end) ? end : sndNxt;
}

function wholeSegments(roomBytes: number, segmentBytes: number): number {
  return roomBytes < segmentBytes ? 0 : roomBytes - (roomBytes % segmentBytes);
}
