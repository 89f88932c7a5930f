import { AckSample, CONGESTION_PHASE } from '@softnet/contract';
import { TCP_FLAG, tcpSackLeft, tcpSackRight } from '@softnet/wire';
import type { Clocks } from './clocks.ts';
import type { Connection } from './connection.ts';
import { FLAG, outstanding, TIMER } from './connection.ts';
import type { ControlCalls } from './control-calls.ts';
import { growSendBuffer } from './grow-send-buffer.ts';
import type { MachineHost } from './machine-host.ts';
import { persistDelayMs } from './persist.ts';
import { toldWindow, updatesWindow } from './receive-window.ts';
import type { Recovery } from './recovery.ts';
import { timestampRttUs } from './round-trip.ts';
import type { Scoreboard } from './scoreboard.ts';
import { isDuplicateSack } from './scoreboard.ts';
import type { Segment } from './segment.ts';
import { segmentLen } from './segment.ts';
import { hasUnsent, rtoMs, usableBytes } from './send-space.ts';
import type { SentRuns } from './sent-runs.ts';
import { isAfter, isBefore, maxSeq } from './sequence.ts';

const LEAST_RENEGING_MS = 10;

/** The fifth check of RFC 9293 §3.10.7.4, the ACK field: what the peer has, and how much it takes. */
export class Acknowledgements {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #runs: SentRuns;
  readonly #recovery: Recovery;
  readonly #controls: ControlCalls;
  readonly #sample = new AckSample();
  /** µs since what the acknowledgement at hand reports was sent; -1: nothing new. */
  #sackedRttUs = -1;

  constructor(host: MachineHost, clocks: Clocks, runs: SentRuns, recovery: Recovery, controls: ControlCalls) {
    this.#host = host;
    this.#clocks = clocks;
    this.#runs = runs;
    this.#recovery = recovery;
    this.#controls = controls;
  }

  /** Takes the ACK field, which is not strange, the window and SACK. Nothing is sent: what may go now is {@link Recovery.send}'s. At the end users may be told of room, and act. */
  process(conn: Connection, segment: Segment): void {
    const { ack } = segment;
    const { sndUna } = conn;
    if (isBefore(ack, sndUna)) {
      // It was overtaken; what it SACKs may be news.
      const sackedBytes = this.#sack(conn, segment);
      this.#judge(conn, 0, sackedBytes, -1, sackedBytes, sackedBytes > 0);
      return;
    }
    conn.probes = 0;
    conn.keepaliveProbes = 0;
    conn.lastAckMs = this.#host.clock.nowMs;
    const hadOut = sndUna !== conn.sndNxt;
    const isNewWindow = this.#takeWindow(conn, segment);
    const ackedBytes = (ack - sndUna) | 0;
    const knownBytes = sackedBytesOf(conn);
    const ackedRttUs = ackedBytes > 0 ? this.#advance(conn, segment) : -1;
    const knownBelow = knownBytes - sackedBytesOf(conn);
    const sackedBytes = this.#sack(conn, segment);
    const rttUs = this.#measure(conn, segment, ackedRttUs, ackedBytes > 0);
    // By RFC 6675 §2 new SACK information alone; without SACK by RFC 5681 §2.
    const hasSack = (conn.flags & FLAG.SACK) !== 0;
    const isDuplicate = hasSack ? sackedBytes > 0 : ackedBytes === 0 && hadOut && !isNewWindow && segmentLen(segment) === 0;
    this.#judge(conn, ackedBytes, ackedBytes - knownBelow + sackedBytes, rttUs, sackedBytes, isDuplicate);
    this.#retime(conn, ackedBytes > 0);
    if (ackedBytes === 0) return;
    this.#host.confirm(conn);
    this.#host.acknowledged(conn);
  }

  /** SND.WND (RFC 9293 §3.10.7.4); a SYN's is not scaled. @returns whether it has changed. */
  #takeWindow(conn: Connection, { seq, ack, window, flags }: Segment): boolean {
    if (!updatesWindow(seq, ack, conn.sndWl1, conn.sndWl2) && !isAfter(ack, conn.sndUna)) return false;
    const told = toldWindow(window, conn.sndShift, (flags & TCP_FLAG.SYN) !== 0);
    conn.sndWl1 = seq;
    conn.sndWl2 = ack;
    if (told === conn.sndWnd) return false;
    conn.sndWnd = told;
    if (told > conn.maxWindowBytes) conn.maxWindowBytes = told;
    return true;
  }

  /** SND.UNA moves. @returns µs since the first of it was sent; -1: it was sent twice. */
  #advance(conn: Connection, { ack }: Segment): number {
    const { extra } = conn;
    if (extra !== null) extra.bytesAcked += (ack - conn.sndUna) | 0;
    conn.sndUna = ack;
    conn.timeouts = 0;
    conn.firstProbeMs = 0;
    conn.scoreboard?.acknowledge(ack);
    // It follows, so that it is near however much is sent in full segments.
    conn.smallEnd = maxSeq(conn.smallEnd, ack);
    if ((conn.flags & FLAG.URGENT_SENT) !== 0 && !isBefore(ack, conn.sndUp)) conn.flags &= ~FLAG.URGENT_SENT;
    const rttUs = this.#runs.acknowledged(conn, ack, this.#host.clock.nowUs);
    if ((conn.flags & FLAG.SEND_BLOCKED) !== 0) growSendBuffer(conn, this.#host);
    return rttUs;
  }

  /** The round trip: of what is acknowledged, else of what is reported (as Linux), else by the timestamp, which tells what was sent twice apart. @returns µs; -1: none. */
  #measure(conn: Connection, { options }: Segment, ackedRttUs: number, hasMoved: boolean): number {
    let rttUs = ackedRttUs >= 0 ? ackedRttUs : this.#sackedRttUs;
    if (rttUs < 0 && hasMoved && options.hasTimestamps && (conn.flags & FLAG.TIMESTAMPS) !== 0)
      rttUs = timestampRttUs((this.#host.clock.nowMs + conn.tsOffset) | 0, options.tsEcr);
    if (rttUs >= 0) conn.roundTrip.sample(rttUs, conn.sndUna, conn.sndNxt);
    return rttUs;
  }

  /** @returns octets that are newly SACKed. */
  #sack(conn: Connection, { options, view, ack }: Segment): number {
    this.#sackedRttUs = -1;
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
    for (let i = first; i < sackBlocks; i++)
      bytes += this.#takeBlock(conn, scoreboard, tcpSackLeft(view, sackAt, i), tcpSackRight(view, sackAt, i));
    return bytes;
  }

  #takeBlock(conn: Connection, scoreboard: Scoreboard, left: number, right: number): number {
    const first = scoreboard.sacked.firstOutside(left);
    const bytes = scoreboard.update(left, right);
    if (bytes > 0) this.#sackedRttUs = Math.max(this.#sackedRttUs, this.#runs.reported(conn, first, right, this.#host.clock.nowUs));
    return bytes;
  }

  /** Recovery, then the congestion window. */
  #judge(conn: Connection, ackedBytes: number, deliveredBytes: number, rttUs: number, sackedBytes: number, isDuplicate: boolean): void {
    const congestion = conn.congestion!;
    this.#fillSample(conn, ackedBytes, deliveredBytes, rttUs);
    const sample = this.#sample;
    congestion.delivered = (congestion.delivered + sample.acked) | 0;
    congestion.srttUs = conn.roundTrip.srttUs;
    congestion.minRttUs = conn.roundTrip.minRttUs;
    this.#recovery.acknowledged(conn, ackedBytes, sackedBytes, isDuplicate);
    congestion.inFlight = Math.ceil(this.#recovery.pipe(conn) / conn.segmentBytes);
    if (ackedBytes > 0 || sackedBytes > 0) this.#controls.acked(congestion, sample);
    if (this.#controls.controls(congestion, sample)) return;
    if (ackedBytes > 0 && sample.acked > 0 && mayGrow(congestion.phase)) {
      congestion.isCwndLimited = isLimited(conn);
      this.#controls.increase(congestion, sample);
    }
  }

  /** What is delivered counts as packets when it fills them; the last of what there was counts as one, however small. */
  #fillSample(conn: Connection, ackedBytes: number, deliveredBytes: number, rttUs: number): void {
    const { clock } = this.#host;
    const sample = this.#sample;
    const bytes = Math.max(0, deliveredBytes) + conn.ackedRestBytes;
    sample.acked = Math.floor(bytes / conn.segmentBytes);
    conn.ackedRestBytes = bytes - sample.acked * conn.segmentBytes;
    if (ackedBytes > 0 && outstanding(conn) === 0 && conn.ackedRestBytes > 0) {
      sample.acked++;
      conn.ackedRestBytes = 0;
    }
    sample.nowMs = clock.nowMs;
    sample.nowUs = clock.nowUs | 0;
    sample.rttUs = rttUs;
    sample.lost = 0;
  }

  /** RFC 6298 (5.2), (5.3); a window that opens ends the probes. */
  #retime(conn: Connection, hasMoved: boolean): void {
    if (outstanding(conn) > 0) {
      if (hasMoved && conn.scoreboard?.isReneging === true) this.#clocks.startRetransmit(conn, renegingMs(conn));
      else if (hasMoved || this.#isNewerThanFirst(conn)) this.#clocks.startRetransmit(conn, rtoMs(conn));
      return;
    }
    this.#clocks.stop(conn, TIMER.RETRANSMIT);
    if ((conn.timers & TIMER.PERSIST) === 0) return;
    const isOpen = usableBytes(conn) > 0;
    if (isOpen) conn.firstProbeMs = 0;
    // The peer has answered: the next probe is due so long after that.
    else this.#clocks.startRetransmit(conn, persistDelayMs(conn, this.#host.clock.nowMs), TIMER.PERSIST);
    // What is only corked waits on: it may not be put off by each segment that comes.
    const wasProbed = conn.roundTrip.backoff > 0;
    if (!hasUnsent(conn) || (isOpen && wasProbed)) this.#clocks.stop(conn, TIMER.PERSIST);
    if (isOpen) conn.roundTrip.backoff = 0;
  }

  /** As Linux: what is reported was sent before the first that is missing went last: that may still arrive, too. What was sent behind it tells nothing, or the timer might be put off for ever. */
  #isNewerThanFirst({ sentFirst }: Connection): boolean {
    return sentFirst !== null && this.#sackedRttUs > (((this.#host.clock.nowUs | 0) - sentFirst.sentUs) | 0);
  }
}

/** What was reported, and is the first that is missing, seems to be thrown away (RFC 2018 §8); as Linux, half a round trip is waited for what says otherwise. */
function renegingMs({ roundTrip }: Connection): number {
  return Math.max(LEAST_RENEGING_MS, Math.ceil(roundTrip.srttUs / 2000));
}

/** Of what was never sent, or too old: a challenge is due, and the segment is dropped (RFC 5961 §5, RFC 9293 §3.10.7.4). */
export function isStrangeAck({ sndUna, sndNxt, maxWindowBytes }: Connection, ack: number): boolean {
  return isAfter(ack, sndNxt) || isBefore(ack, (sndUna - maxWindowBytes) | 0);
}

function sackedBytesOf({ scoreboard }: Connection): number {
  return scoreboard === null ? 0 : scoreboard.sacked.bytes;
}

/** Not while a recovery says how large the window is; the acknowledgement that ends one counts, as in Linux. */
function mayGrow(phase: number): boolean {
  return phase !== CONGESTION_PHASE.RECOVERY && phase !== CONGESTION_PHASE.CWR;
}

/** RFC 7661 §4, as Linux: all of it was used; in slow start half is enough. */
function isLimited(conn: Connection): boolean {
  if ((conn.flags & FLAG.CWND_LIMITED) !== 0) return true;
  const congestion = conn.congestion!;
  return congestion.cwnd < congestion.ssthresh && congestion.cwnd * conn.segmentBytes < 2 * conn.mostOutBytes;
}
