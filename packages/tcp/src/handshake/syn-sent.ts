import { ADDRESS_FAMILY, ERRNO } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import { DELACK_MAX_US } from '../machine/ack-policy.ts';
import type { Connection } from '../machine/connection.ts';
import { enter, FLAG, TIMER } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import { timestampRttUs } from '../machine/round-trip.ts';
import type { Segment } from '../machine/segment.ts';
import { isAfter, isBefore, isOldTimestamp } from '../machine/sequence.ts';
import { TCP_EVENT } from '../machine/state.ts';
import { familyOf } from './arrived-flow.ts';
import type { HandshakeHost } from './handshake-host.ts';
import { beginReceiving, firstReceiveMss } from './opened-connection.ts';
import { peerMss } from './syn-acks.ts';

const { SYN, ACK, RST, FIN } = TCP_FLAG;
/** Linux's least retransmission timeout, of a SYN to who has an old connection there. */
const SOON_MS = 2;
const MAX_FIELD = 0xffff;

/** SEGMENT ARRIVES in SYN-SENT (RFC 9293 §3.10.7.3). */
export class SynSent {
  readonly #host: HandshakeHost;
  readonly #machine: Machine;

  constructor(host: HandshakeHost, machine: Machine) {
    this.#host = host;
    this.#machine = machine;
  }

  arrives(conn: Connection, segment: Segment): void {
    const { counters, reasons } = this.#host;
    const { flags } = segment;
    const hasAck = (flags & ACK) !== 0;
    if (hasAck && !this.#isAcknowledged(conn, segment)) return;
    if ((flags & RST) !== 0) {
      // Blind resets do not acknowledge our SYN (RFC 5961 §3.2).
      if (!hasAck) segment.fault = reasons['tcp.reset'];
      else {
        counters['attempt-fails'].value++;
        this.#machine.abort(conn, ERRNO.ECONNREFUSED);
      }
      return;
    }
    if ((flags & SYN) === 0) {
      segment.fault = reasons['tcp.no-ack'];
      return;
    }
    if (!hasAck && this.#isOld(conn, segment)) {
      counters.paws.value++;
      segment.fault = reasons['tcp.paws'];
      return;
    }
    this.#agree(conn, segment);
    if (hasAck) this.#established(conn, segment);
    else this.#crossed(conn, segment);
  }

  /** First: ISS < SEG.ACK =< SND.NXT, and a timestamp that we have sent (RFC 7323 §4.3); else it is of an old connection, and is reset. */
  #isAcknowledged(conn: Connection, segment: Segment): boolean {
    const { reasons, clock } = this.#host;
    const { ack, options, flags } = segment;
    const isOurs = isAfter(ack, conn.iss) && !isAfter(ack, conn.sndNxt);
    if (isOurs && !this.#isStrangeEcho(conn, options.hasTimestamps ? options.tsEcr : 0)) return true;
    segment.fault = reasons[isOurs ? 'tcp.paws' : 'tcp.ack'];
    if (!isOurs && conn.timeouts === 0) {
      // Behind our reset the next SYN finds nobody in its way.
      conn.retransmitAtMs = (clock.nowMs + SOON_MS) | 0;
      this.#host.retime(conn);
    }
    if ((flags & RST) === 0) this.#host.reset(conn, RST, ack, 0);
    return false;
  }

  /** It echoes what we have not said since the first SYN. */
  #isStrangeEcho({ tsOffset, lastDataSentMs }: Connection, tsEcr: number): boolean {
    if (tsEcr === 0) return false;
    const saidMs = (tsEcr - tsOffset) | 0;
    return isAfter(saidMs, this.#host.clock.nowMs) || isBefore(saidMs, lastDataSentMs);
  }

  /** The peer's stamp is older than that of the TIME-WAIT whose place this one took. */
  #isOld({ tsRecent, tsRecentAtS }: Connection, { options }: Segment): boolean {
    if (tsRecentAtS === 0 || !options.hasTimestamps) return false;
    return isOldTimestamp(options.tsVal, tsRecent, Math.floor(this.#host.clock.nowUs / 1e6) - tsRecentAtS);
  }

  /** IRS, and what both sides want (RFC 7323 §2.2, §3.2; RFC 2018 §2; RFC 9293 §3.7.1). A SYN's window is not scaled. */
  #agree(conn: Connection, { seq, window, options }: Segment): void {
    const { settings, clock } = this.#host;
    beginReceiving(conn, seq);
    conn.sndWnd = window;
    conn.maxWindowBytes = window;
    conn.sndWl1 = seq;
    if (settings.windowScaling && options.windowScale >= 0) {
      conn.flags |= FLAG.WINDOW_SCALING;
      conn.sndShift = options.windowScale;
    } else {
      conn.rcvShift = 0;
      conn.windowClamp = Math.min(conn.windowClamp, MAX_FIELD);
    }
    if (settings.sack && options.sackPermitted) conn.flags |= FLAG.SACK;
    if (settings.timestamps && options.hasTimestamps) {
      conn.flags |= FLAG.TIMESTAMPS;
      conn.tsRecent = options.tsVal;
      conn.tsRecentAtS = Math.floor(clock.nowUs / 1e6);
    }
    conn.peerMssBytes = peerMss(options.mssBytes, familyOf(conn.sock) === ADDRESS_FAMILY.INET);
    this.#host.sizeSegments(conn);
    conn.rcvMssBytes = firstReceiveMss(conn);
  }

  /** Our SYN is acknowledged: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, at once or, where the user has something to say first, with that. */
  #established(conn: Connection, segment: Segment): void {
    const { lenBytes, flags, ack } = segment;
    const machine = this.#machine;
    const rttUs = this.#rttUs(conn, segment);
    conn.sndUna = ack;
    conn.sndWl2 = ack;
    enter(conn, TCP_EVENT.SYN_ACKED);
    const hasText = lenBytes > 0 || (flags & FIN) !== 0;
    const waits = conn.ackPolicy.isInteractive || (conn.extra !== null && conn.extra.deferAccept > 0) || conn.writeSeq !== conn.sndNxt;
    conn.flags |= FLAG.ACK_PENDING;
    if (!hasText && !waits) machine.ackNow(conn);
    machine.established(conn, rttUs);
    if ((conn.flags & FLAG.OVER) !== 0) return;
    if (hasText) this.#text(conn, segment);
    else machine.push(conn);
    if ((conn.flags & (FLAG.OVER | FLAG.ACK_PENDING)) === FLAG.ACK_PENDING) this.#acknowledgeLater(conn);
  }

  /** What came with the SYN-ACK: sixth to eighth of RFC 9293 §3.10.7.4. */
  #text(conn: Connection, segment: Segment): void {
    segment.seq = (segment.seq + 1) | 0;
    segment.flags &= ~SYN;
    conn.flags |= FLAG.ACK_NOW;
    this.#machine.arrives(conn, segment);
  }

  #acknowledgeLater(conn: Connection): void {
    conn.timers |= TIMER.DELACK;
    conn.delackAtMs = (this.#host.clock.nowMs + DELACK_MAX_US / 1000) | 0;
    this.#host.retime(conn);
  }

  /** Of a SYN that went once (Karn's algorithm, RFC 6298 §3), or by its timestamp; -1: none. */
  #rttUs({ timeouts, flags, tsOffset, lastDataSentMs }: Connection, { options }: Segment): number {
    const { nowMs } = this.#host.clock;
    if ((flags & FLAG.TIMESTAMPS) !== 0) return timestampRttUs((nowMs + tsOffset) | 0, options.tsEcr);
    return timeouts === 0 ? Math.max(1, (nowMs - lastDataSentMs) | 0) * 1000 : -1;
  }

  /** Simultaneous open (RFC 9293 §3.5, figure 7): <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>. What came with the SYN comes again. */
  #crossed(conn: Connection, segment: Segment): void {
    segment.fault = null;
    enter(conn, TCP_EVENT.SYN);
    this.#host.transmit(conn, SYN | ACK, conn.iss, 0);
  }
}
