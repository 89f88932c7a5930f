import { ALIGNED_TIMESTAMPS_BYTES } from '../wire/put-options.ts';
import { receiveBuffer } from './buffer-size.ts';
import type { Clocks } from './clocks.ts';
import type { Connection } from './connection.ts';
import { extraOf, FLAG, TIMER } from './connection.ts';
import { growSendBuffer, SEGMENT_TRUESIZE } from './grow-send-buffer.ts';
import type { MachineHost } from './machine-host.ts';
import type { Timeouts } from './timeouts.ts';

/** What a connection begins with, and how its segments and buffers are sized (RFC 9293 §3.7.1, RFC 6928; buffers as Linux). */
export class Establishing {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #timeouts: Timeouts;

  constructor(host: MachineHost, clocks: Clocks, timeouts: Timeouts) {
    this.#host = host;
    this.#clocks = clocks;
    this.#timeouts = timeouts;
  }

  established(conn: Connection): void {
    const { settings, clock } = this.#host;
    const congestion = conn.congestion!;
    conn.recoverSeq = conn.iss;
    conn.roundTrip.minUs = settings.rtoMinMs * 1000;
    conn.roundTrip.backoff = 0;
    this.sizeSegments(conn);
    // RFC 6298 (5.7), RFC 5681 §3.1: a SYN that was lost means a window of one.
    congestion.cwnd = conn.timeouts > 1 ? 1 : settings.initialCwnd;
    conn.timeouts = 0;
    conn.lastAckMs = clock.nowMs;
    conn.maxWindowBytes = Math.max(conn.maxWindowBytes, conn.sndWnd);
    this.#clocks.stop(conn, TIMER.RETRANSMIT);
    growSendBuffer(conn, settings);
    this.#timeouts.keepaliveChanged(conn);
    this.#host.established(conn);
  }

  /** Bytes of payload in a segment, from `mssBytes`. */
  sizeSegments(conn: Connection): void {
    const { settings } = this.#host;
    const optionBytes = (conn.flags & FLAG.TIMESTAMPS) !== 0 ? ALIGNED_TIMESTAMPS_BYTES : 0;
    conn.segmentBytes = Math.max(settings.minSndMss, conn.mssBytes) - optionBytes;
    if (conn.congestion !== null) conn.congestion.mssBytes = conn.segmentBytes;
    if (conn.scoreboard !== null) conn.scoreboard.smssBytes = conn.segmentBytes;
  }

  /** Once a round trip: the receive buffer is twice what the user read in it (Linux's dynamic right-sizing). */
  rightSize(conn: Connection): void {
    const { clock, settings } = this.#host;
    const extra = extraOf(conn);
    const rttMs = Math.max(1, Math.ceil(conn.roundTrip.srttUs / 1000));
    if (extra.spaceAtMs === 0) {
      extra.spaceAtMs = clock.nowMs;
      extra.spaceSeq = conn.copiedSeq;
      return;
    }
    if (((clock.nowMs - extra.spaceAtMs) | 0) < rttMs) return;
    const copied = (conn.copiedSeq - extra.spaceSeq) | 0;
    if (copied > extra.spaceBytes) {
      if (settings.moderateRcvbuf && (conn.flags & FLAG.RECEIVE_BUFFER_LOCKED) === 0) {
        const mss = conn.toldMssBytes;
        const window = receiveBuffer(0, copied, extra.spaceBytes, mss, 0x3fffffff);
        // Memory for that window: what its segments cost.
        const wanted = Math.ceil(window / mss) * SEGMENT_TRUESIZE;
        const grown = Math.min(Math.max(conn.receiveBufferBytes, wanted), settings.rmem[2]!);
        if (grown > conn.receiveBufferBytes) {
          conn.receiveBufferBytes = grown;
          conn.windowClamp = Math.max(conn.windowClamp, this.#host.fullBytes(conn));
        }
      }
      extra.spaceBytes = copied;
    }
    extra.spaceAtMs = clock.nowMs;
    extra.spaceSeq = conn.copiedSeq;
  }
}
