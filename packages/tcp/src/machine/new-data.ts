import { CONGESTION_EVENT } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import type { Clocks } from './clocks.ts';
import type { Connection } from './connection.ts';
import { FLAG, outstanding, TIMER } from './connection.ts';
import type { ControlCalls } from './control-calls.ts';
import type { MachineHost } from './machine-host.ts';
import type { Output } from './output.ts';
import { decideSend, SEND, SendQuestion } from './send-decision.ts';
import { boundedSegmentBytes, finWaits, hasUnsent, isThrottled, rtoMs, unsentBytes, usableBytes } from './send-space.ts';
import { isAfter, isBefore } from './sequence.ts';

const { PSH } = TCP_FLAG;

/** New data, as far as congestion, the peer's window and Nagle let them go, and the FIN behind them; what waits is guarded by a timer (RFC 9293 §3.8.6). */
export class NewData {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #output: Output;
  readonly #controls: ControlCalls;
  readonly #question = new SendQuestion();

  constructor(host: MachineHost, clocks: Clocks, output: Output, controls: ControlCalls) {
    this.#host = host;
    this.#clocks = clocks;
    this.#output = output;
    this.#controls = controls;
  }

  /** Sends while there is room for more. @param pipeBytes thought to be in the network. */
  send(conn: Connection, pipeBytes: number): void {
    let pipe = pipeBytes;
    for (;;) {
      // A user who is woken by what is freed on the way may give more: this sees it.
      const sent = this.#sendSome(conn, pipe);
      if (sent === 0) break;
      pipe += sent;
    }
    if ((conn.flags & FLAG.OVER) !== 0) return;
    this.#judgeWindow(conn, pipe, pipe > pipeBytes);
    if (outstanding(conn) === 0) this.#guard(conn);
  }

  /** What the persist timer forces, a segment at most, where the window has room for any of it. False: it has none, or nothing is there. */
  force(conn: Connection): boolean {
    const unsent = unsentBytes(conn);
    const lenBytes = Math.min(unsent, usableBytes(conn), conn.segmentBytes);
    if (lenBytes > 0) return this.#output.emit(conn, lenBytes, this.#takesFin(conn, lenBytes), PSH) > 0;
    return unsent === 0 && this.#sendFin(conn) > 0;
  }

  /** @returns octets that went, FIN included; 0: nothing more. */
  #sendSome(conn: Connection, pipe: number): number {
    if ((conn.flags & FLAG.OVER) !== 0) return 0;
    const unsent = unsentBytes(conn);
    if (unsent <= 0) return unsent < 0 ? 0 : this.#sendFin(conn);
    let lenBytes = this.#wanted(conn, unsent, usableBytes(conn));
    if (lenBytes === 0) return 0;
    if (isThrottled(conn, this.#host.settings.limitOutputBytes)) {
      conn.flags |= FLAG.THROTTLED;
      return 0;
    }
    if (outstanding(conn) === 0) this.#afterIdle(conn);
    const { segmentBytes } = conn;
    const room = conn.congestion!.cwnd * segmentBytes - pipe;
    if (room < lenBytes) lenBytes = room - (room % segmentBytes);
    return lenBytes <= 0 ? 0 : this.#output.emit(conn, lenBytes, this.#takesFin(conn, lenBytes), 0);
  }

  /** Octets that the peer's window and Nagle let go now, in one. */
  #wanted(conn: Connection, unsent: number, usable: number): number {
    const { flags } = conn;
    const segmentBytes = boundedSegmentBytes(conn);
    const question = this.#question;
    question.unsentBytes = unsent;
    question.usableBytes = usable;
    question.maxWindowBytes = conn.maxWindowBytes;
    question.mssBytes = segmentBytes;
    question.isNoDelay = (flags & FLAG.NO_DELAY) !== 0;
    question.isCorked = (flags & (FLAG.CORK | FLAG.MORE)) !== 0;
    question.isSmallInFlight = isAfter(conn.smallEnd, conn.sndUna);
    const isUrgent = (flags & FLAG.URGENT_SENT) !== 0 && isAfter(conn.sndUp, conn.sndNxt);
    // Nagle is for neither; a silly window stays one.
    question.isForced = unsent <= usable && (isUrgent || finWaits(conn));
    const decision = decideSend(question);
    if (decision === SEND.REST || decision === SEND.HALF_WINDOW) return Math.min(unsent, usable);
    if (decision !== SEND.FULL) return 0;
    // What is left over behind whole segments is asked about next.
    const most = segmentBytes < conn.segmentBytes ? 1 : this.#host.mostSegments(conn);
    return segmentBytes * Math.min(most, Math.floor(Math.min(unsent, usable) / segmentBytes));
  }

  #takesFin(conn: Connection, lenBytes: number): boolean {
    return lenBytes === unsentBytes(conn) && finWaits(conn) && usableBytes(conn) > lenBytes;
  }

  /** The FIN alone: congestion does not hold it. */
  #sendFin(conn: Connection): number {
    return finWaits(conn) && usableBytes(conn) > 0 ? this.#output.emit(conn, 0, true, 0) : 0;
  }

  /** RFC 5681 §4.1: after an RTO of silence the window is what it was in the beginning, halved for each. */
  #afterIdle(conn: Connection): void {
    const { settings, clock } = this.#host;
    const congestion = conn.congestion!;
    const idleMs = (clock.nowMs - conn.lastDataSentMs) | 0;
    const rto = rtoMs(conn);
    if (settings.slowStartAfterIdle && idleMs > rto && congestion.control.control === undefined) {
      const least = Math.min(settings.initialCwnd, congestion.cwnd);
      congestion.ssthresh = Math.max(congestion.ssthresh, (congestion.cwnd >> 1) + (congestion.cwnd >> 2));
      let { cwnd } = congestion;
      for (let left = idleMs - rto; left > 0 && cwnd > least; left -= rto) cwnd >>= 1;
      congestion.cwnd = Math.max(cwnd, least);
      congestion.cwndCount = 0;
      this.#controls.event(congestion, CONGESTION_EVENT.CWND_RESTART, clock.nowMs);
    }
    this.#controls.event(congestion, CONGESTION_EVENT.TRANSMIT_START, clock.nowMs);
  }

  /** Is `cwnd` used up? Remembered for a window, as what was outstanding most is (RFC 7661 §4, as Linux). */
  #judgeWindow(conn: Connection, pipe: number, sentAny: boolean): void {
    const { segmentBytes } = conn;
    const isLimited = pipe + segmentBytes > conn.congestion!.cwnd * segmentBytes;
    if (!sentAny && !isLimited) return;
    const wasLimited = (conn.flags & FLAG.CWND_LIMITED) !== 0;
    const out = outstanding(conn);
    if (!isLimited && isBefore(conn.sndUna, conn.limitedSeq) && (wasLimited || out <= conn.mostOutBytes)) return;
    conn.flags = isLimited ? conn.flags | FLAG.CWND_LIMITED : conn.flags & ~FLAG.CWND_LIMITED;
    conn.mostOutBytes = out;
    conn.limitedSeq = conn.sndNxt;
  }

  /** Something waits, and nothing is in flight that would be answered: a shut, or silly, window is probed (RFC 9293 §3.8.6.1), what is corked goes after an RTO at the latest, as in Linux. */
  #guard(conn: Connection): void {
    if ((conn.timers & (TIMER.PERSIST | TIMER.RETRANSMIT)) !== 0 || !hasUnsent(conn)) return;
    this.#clocks.startRetransmit(conn, rtoMs(conn), TIMER.PERSIST);
  }
}
