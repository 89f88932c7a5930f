import { AckSample, CONGESTION_PHASE } from '@softnet/contract';
import { tcpSackLeft, tcpSackRight } from '@softnet/wire';
import type { Clocks } from './clocks.ts';
import type { Connection } from './connection.ts';
import { FLAG, outstanding, TIMER } from './connection.ts';
import { growSendBuffer } from './grow-send-buffer.ts';
import type { MachineHost } from './machine-host.ts';
import { finWaits, rtoMs, unsentBytes, usableBytes } from './output.ts';
import { toldWindow, updatesWindow } from './receive-window.ts';
import type { Recovery } from './recovery.ts';
import { timestampRttUs } from './round-trip.ts';
import { isDuplicateSack } from './scoreboard.ts';
import type { Segment } from './segment.ts';
import { segmentLen } from './segment.ts';
import type { SentRuns } from './sent-runs.ts';
import { isAfter, isBefore } from './sequence.ts';

/** What {@link Acknowledgements.process} found. */
export const ACKED = Object.freeze({
  /** Nothing new; or older than what is known. */
  NOTHING: 0,
  /** Octets, or the window, moved. */
  NEWS: 1,
  /** Of what was never sent, or too old: a challenge is due, and the segment is dropped (RFC 5961 §5, RFC 9293 §3.10.7.4). */
  REFUSED: 2,
} as const);

/** The fifth check of RFC 9293 §3.10.7.4, the ACK field: what the peer has, and how much it takes. */
export class Acknowledgements {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #runs: SentRuns;
  readonly #recovery: Recovery;
  readonly #sample = new AckSample();

  constructor(host: MachineHost, clocks: Clocks, runs: SentRuns, recovery: Recovery) {
    this.#host = host;
    this.#clocks = clocks;
    this.#runs = runs;
    this.#recovery = recovery;
  }

  /** @returns one of {@link ACKED}. What may be sent now is not sent yet. */
  process(conn: Connection, segment: Segment): number {
    const { ack } = segment;
    const { sndUna } = conn;
    if (isAfter(ack, conn.sndNxt)) return ACKED.REFUSED;
    if (isBefore(ack, sndUna)) {
      if (isBefore(ack, (sndUna - conn.maxWindowBytes) | 0)) return ACKED.REFUSED;
      this.#sack(conn, segment);
      return ACKED.NOTHING;
    }
    conn.probes = 0;
    conn.lastAckMs = this.#host.clock.nowMs;
    const hadOut = outstanding(conn) > 0;
    const isNewWindow = this.#takeWindow(conn, segment);
    const ackedBytes = (ack - sndUna) | 0;
    const knownBefore = conn.scoreboard === null ? 0 : conn.scoreboard.sacked.bytes;
    const rttUs = ackedBytes > 0 ? this.#advance(conn, segment) : -1;
    const knownBelow = conn.scoreboard === null ? knownBefore : knownBefore - conn.scoreboard.sacked.bytes;
    const sackedBytes = this.#sack(conn, segment);
    const hasSack = (conn.flags & FLAG.SACK) !== 0;
    const isDuplicate = ackedBytes === 0 && hadOut && segmentLen(segment) === 0 && !isNewWindow && (hasSack ? sackedBytes > 0 : true);
    this.#judge(conn, ackedBytes, ackedBytes - knownBelow + sackedBytes, rttUs, sackedBytes, isDuplicate);
    this.#retime(conn, ackedBytes > 0);
    return ackedBytes > 0 || isNewWindow || sackedBytes > 0 ? ACKED.NEWS : ACKED.NOTHING;
  }

  /** SND.WND (RFC 9293 §3.10.7.4). @returns whether it has changed. */
  #takeWindow(conn: Connection, segment: Segment): boolean {
    if (!updatesWindow(segment.seq, segment.ack, conn.sndWl1, conn.sndWl2) && !isAfter(segment.ack, conn.sndUna)) return false;
    const window = toldWindow(segment.window, conn.sndShift, false);
    conn.sndWl1 = segment.seq;
    conn.sndWl2 = segment.ack;
    if (window === conn.sndWnd) return false;
    conn.sndWnd = window;
    if (window > conn.maxWindowBytes) conn.maxWindowBytes = window;
    return true;
  }

  /** SND.UNA moves. @returns the round trip that was measured, µs; -1: none. */
  #advance(conn: Connection, segment: Segment): number {
    const { ack, options } = segment;
    const { clock } = this.#host;
    const ackedBytes = (ack - conn.sndUna) | 0;
    conn.sndUna = ack;
    conn.timeouts = 0;
    conn.scoreboard?.acknowledge(ack);
    if ((conn.flags & FLAG.URGENT_SENT) !== 0 && !isBefore(ack, conn.sndUp)) conn.flags &= ~FLAG.URGENT_SENT;
    if (conn.extra !== null) conn.extra.bytesAcked += ackedBytes;
    let rttUs = this.#runs.acknowledged(conn, ack, clock.nowUs);
    if (rttUs < 0 && options.hasTimestamps && (conn.flags & FLAG.TIMESTAMPS) !== 0) {
      rttUs = timestampRttUs((clock.nowMs + conn.tsOffset) | 0, options.tsEcr);
    }
    if (rttUs >= 0) conn.roundTrip.sample(rttUs);
    if ((conn.flags & FLAG.SEND_BLOCKED) !== 0) growSendBuffer(conn, this.#host.settings);
    this.#host.acknowledged(conn);
    this.#host.confirm(conn);
    return rttUs;
  }

  /** @returns octets that are newly SACKed. */
  #sack(conn: Connection, { options, view, ack }: Segment): number {
    const { sackAt, sackBlocks } = options;
    if (sackBlocks === 0 || (conn.flags & FLAG.SACK) === 0) return 0;
    let first = 0;
    const left2 = sackBlocks > 1 ? tcpSackLeft(view, sackAt, 1) : 0;
    const right2 = sackBlocks > 1 ? tcpSackRight(view, sackAt, 1) : 0;
    if (isDuplicateSack(ack, tcpSackLeft(view, sackAt, 0), tcpSackRight(view, sackAt, 0), sackBlocks, left2, right2)) {
      first = 1;
      this.#host.counters['duplicate-sacks'].value++;
      if (conn.extra !== null) conn.extra.duplicateSacks++;
    }
    if (first === sackBlocks || outstanding(conn) === 0) return 0;
    const scoreboard = this.#recovery.scoreboardOf(conn);
    let bytes = 0;
    for (let i = first; i < sackBlocks; i++) bytes += scoreboard.update(tcpSackLeft(view, sackAt, i), tcpSackRight(view, sackAt, i));
    return bytes;
  }

  /** Recovery, then the congestion window. */
  #judge(conn: Connection, ackedBytes: number, deliveredBytes: number, rttUs: number, sackedBytes: number, isDuplicate: boolean): void {
    const congestion = conn.congestion!;
    const { control } = congestion;
    const { clock } = this.#host;
    const sample = this.#sample;
    const bytes = Math.max(0, deliveredBytes) + conn.ackedRestBytes;
    sample.acked = Math.floor(bytes / conn.segmentBytes);
    conn.ackedRestBytes = bytes - sample.acked * conn.segmentBytes;
    // The last of what there was counts as a packet, however small.
    if (ackedBytes > 0 && outstanding(conn) === 0 && conn.ackedRestBytes > 0) {
      sample.acked++;
      conn.ackedRestBytes = 0;
    }
    sample.nowMs = clock.nowMs;
    sample.nowUs = clock.nowUs | 0;
    sample.rttUs = rttUs;
    sample.lost = 0;
    congestion.delivered = (congestion.delivered + sample.acked) | 0;
    congestion.srttUs = conn.roundTrip.srttUs;
    congestion.minRttUs = conn.roundTrip.minRttUs;
    const priorPhase = congestion.phase;
    this.#recovery.acknowledged(conn, ackedBytes, sackedBytes, isDuplicate);
    congestion.inFlight = Math.ceil(this.#recovery.pipe(conn) / conn.segmentBytes);
    if (ackedBytes > 0 || sackedBytes > 0) control.acked?.(congestion, sample);
    if (control.control !== undefined) control.control(congestion, sample);
    else if (mayGrow(priorPhase, congestion.phase) && ackedBytes > 0 && sample.acked > 0) {
      congestion.isCwndLimited = isLimited(conn);
      control.increase(congestion, sample);
    }
  }

  /** RFC 6298 (5.2), (5.3); a window that opens ends the probes. */
  #retime(conn: Connection, hasMoved: boolean): void {
    if (outstanding(conn) === 0) {
      if ((conn.timers & TIMER.RETRANSMIT) !== 0) this.#clocks.stop(conn, TIMER.RETRANSMIT);
      if ((conn.timers & TIMER.PERSIST) !== 0 && usableBytes(conn) > 0) {
        this.#clocks.stop(conn, TIMER.PERSIST);
        conn.roundTrip.backoff = 0;
      }
      // What still waits behind a shut window is guarded by who sends it.
      if (unsentBytes(conn) <= 0 && !finWaits(conn)) this.#clocks.stop(conn, TIMER.PERSIST);
    } else if (hasMoved) this.#clocks.startRetransmit(conn, rtoMs(conn));
  }
}

/** Not while a recovery says how large the window is; the acknowledgement that ends one is part of it. */
function mayGrow(before: number, now: number): boolean {
  return now !== CONGESTION_PHASE.RECOVERY && now !== CONGESTION_PHASE.CWR && before !== CONGESTION_PHASE.RECOVERY;
}

/** RFC 7661 §4, as Linux: all of it was used; in slow start half is enough. */
function isLimited(conn: Connection): boolean {
  if ((conn.flags & FLAG.CWND_LIMITED) !== 0) return true;
  const congestion = conn.congestion!;
  return congestion.cwnd < congestion.ssthresh && congestion.cwnd * conn.segmentBytes < 2 * conn.mostOutBytes;
}
