import { ALIGNED_TIMESTAMPS_BYTES } from '../wire/put-options.ts';
import { receiveBuffer } from './buffer-size.ts';
import type { Clocks } from './clocks.ts';
import type { Connection } from './connection.ts';
import { extraOf, FLAG, TIMER, windowLeft } from './connection.ts';
import { growSendBuffer, SEGMENT_TRUESIZE } from './grow-send-buffer.ts';
import type { Keepalive } from './keepalive.ts';
import type { MachineHost } from './machine-host.ts';

const MOST_WINDOW_BYTES = 0x3fffffff;
const RTO_AFTER_LOSS_US = 3_000_000;

/** What a connection begins with, and how its segments and buffers are sized (RFC 9293 §3.7.1, RFC 6928; buffers as Linux). */
export class Establishing {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #keepalive: Keepalive;

  constructor(host: MachineHost, clocks: Clocks, keepalive: Keepalive) {
    this.#host = host;
    this.#clocks = clocks;
    this.#keepalive = keepalive;
  }

  /** Our SYN is acknowledged, and what was agreed is in `conn`. */
  begin(conn: Connection): void {
    const { settings, clock } = this.#host;
    conn.recoverSeq = conn.smallEnd = conn.limitedSeq = conn.iss;
    conn.roundTrip.minUs = settings.rtoMinMs * 1000;
    conn.roundTrip.backoff = 0;
    // RFC 6298 (5.7): the SYN was lost, and no round trip is known.
    if (conn.timeouts > 0) conn.roundTrip.firstUs = RTO_AFTER_LOSS_US;
    this.sizeSegments(conn);
    // RFC 5681 §3.1, as Linux: a SYN that was lost, and once more, means a window of one. It is the first that was delivered.
    conn.congestion!.delivered = 1;
    conn.congestion!.cwnd = conn.timeouts > 1 ? 1 : settings.initialCwnd;
    conn.timeouts = 0;
    conn.lastAckMs = conn.lastReceivedMs = conn.lastDataSentMs = clock.nowMs;
    conn.maxWindowBytes = Math.max(conn.maxWindowBytes, conn.sndWnd);
    this.#clocks.stop(conn, TIMER.RETRANSMIT);
    growSendBuffer(conn, this.#host);
    this.#keepalive.changed(conn);
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
    // As much as may come unasked is no reason: most connections never see more.
    const unaskedBytes = Math.max(1, settings.initialCwnd * conn.toldMssBytes);
    if (conn.extra === null && ((conn.copiedSeq - conn.irs) | 0) <= unaskedBytes) return;
    const extra = extraOf(conn);
    const rttMs = Math.max(1, Math.ceil(conn.roundTrip.srttUs / 1000));
    const isFirst = extra.spaceBytes === 0;
    if (!isFirst && ((clock.nowMs - extra.spaceAtMs) | 0) < rttMs) return;
    const copied = (conn.copiedSeq - extra.spaceSeq) | 0;
    if (isFirst) extra.spaceBytes = unaskedBytes;
    else if (copied > extra.spaceBytes) {
      this.#growReceiveBuffer(conn, copied, extra.spaceBytes);
      extra.spaceBytes = copied;
    } else if (extra.grantedBytes > 0) this.#share(conn, conn.receiveBufferBytes);
    extra.spaceAtMs = clock.nowMs;
    extra.spaceSeq = conn.copiedSeq;
  }

  #growReceiveBuffer(conn: Connection, copied: number, before: number): void {
    const { settings } = this.#host;
    if (!settings.moderateRcvbuf || (conn.flags & FLAG.RECEIVE_BUFFER_LOCKED) !== 0) return;
    const { toldMssBytes } = conn;
    // Memory for that window: what its segments cost.
    const segments = Math.ceil(receiveBuffer(0, copied, before, toldMssBytes, MOST_WINDOW_BYTES) / toldMssBytes);
    this.#share(conn, Math.max(conn.receiveBufferBytes, Math.min(segments * SEGMENT_TRUESIZE, settings.rmem[2]!)));
    conn.windowClamp = Math.max(conn.windowClamp, this.#host.fullBytes(conn));
  }

  /** It grows as far as memory allows, and gives back where others came: not what its peer was promised. */
  #share(conn: Connection, wantedBytes: number): void {
    if ((conn.flags & FLAG.RECEIVE_BUFFER_LOCKED) !== 0) return;
    const perOctet = conn.receiveBufferBytes / Math.max(1, this.#host.fullBytes(conn));
    const least = conn.sock.receiveQueuedBytes + Math.ceil(windowLeft(conn) * perOctet);
    conn.receiveBufferBytes = this.#host.receiveShare(conn, wantedBytes, Math.min(conn.receiveBufferBytes, least));
  }
}
