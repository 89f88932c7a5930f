import { SOCK_FLAG } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import type { Clocks } from './clocks.ts';
import type { Closing } from './closing.ts';
import type { Connection } from './connection.ts';
import { FLAG, outstanding, TIMER } from './connection.ts';
import type { DelayedAck } from './delayed-ack.ts';
import type { MachineHost } from './machine-host.ts';
import type { Output } from './output.ts';
import { finWaits, rtoMs, unsentBytes } from './output.ts';
import { persistTimeoutUs } from './persist.ts';
import type { Recovery } from './recovery.ts';
import { RTO_MAX_US } from './round-trip.ts';
import { isIn, SYNCHRONIZED, TCP_STATE } from './state.ts';

const { SYN, ACK } = TCP_FLAG;
const RTO_MAX_MS = RTO_MAX_US / 1000;

/** What happens when a connection's timers end: retransmission (RFC 6298), persist (RFC 9293 §3.8.6.1), delayed ACK, keepalive (RFC 1122 §4.2.3.6), FIN-WAIT-2. */
export class Timeouts {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #output: Output;
  readonly #recovery: Recovery;
  readonly #closing: Closing;
  readonly #acks: DelayedAck;

  constructor(host: MachineHost, clocks: Clocks, output: Output, recovery: Recovery, closing: Closing, acks: DelayedAck) {
    this.#host = host;
    this.#clocks = clocks;
    this.#output = output;
    this.#recovery = recovery;
    this.#closing = closing;
    this.#acks = acks;
  }

  /** Runs what is due. */
  run(conn: Connection): void {
    const { nowMs } = this.#host.clock;
    if (isDue(conn, TIMER.DELACK, conn.delackAtMs, nowMs)) {
      conn.timers &= ~TIMER.DELACK;
      this.#acks.timeout(conn);
    }
    if (isDue(conn, TIMER.RETRANSMIT, conn.retransmitAtMs, nowMs)) {
      conn.timers &= ~TIMER.RETRANSMIT;
      this.#retransmit(conn);
    } else if (isDue(conn, TIMER.PERSIST, conn.retransmitAtMs, nowMs)) {
      conn.timers &= ~TIMER.PERSIST;
      this.#persist(conn);
    }
    if (isDue(conn, TIMER.KEEPALIVE, conn.keepaliveAtMs, nowMs)) {
      conn.timers &= ~TIMER.KEEPALIVE;
      this.#keepalive(conn);
    }
    if (isDue(conn, TIMER.CLOSE, conn.closeAtMs, nowMs)) {
      conn.timers &= ~TIMER.CLOSE;
      if (conn.sock.state === TCP_STATE.FIN_WAIT_2) this.#closing.awaitFin(conn);
    }
    if ((conn.flags & FLAG.OVER) === 0) this.#host.retime(conn);
  }

  /** SO_KEEPALIVE, or its times, were changed; or the connection is established. */
  keepaliveChanged(conn: Connection): void {
    if ((conn.sock.flags & SOCK_FLAG.KEEPALIVE) === 0) this.#clocks.stop(conn, TIMER.KEEPALIVE);
    else if (isIn(conn.sock.state, SYNCHRONIZED)) this.#clocks.startKeepalive(conn, this.#keepIdleMs(conn));
  }

  /** RFC 6298 (5.4) to (5.6), of data, SYN and SYN-ACK. */
  #retransmit(conn: Connection): void {
    if (outstanding(conn) === 0) return;
    const { clock, counters } = this.#host;
    const { state } = conn.sock;
    const isOpening = state === TCP_STATE.SYN_SENT || state === TCP_STATE.SYN_RECEIVED;
    if (this.#isTooLong(conn, isOpening)) {
      this.#closing.timedOut(conn);
      return;
    }
    counters.timeouts.value++;
    if (conn.timeouts === 0) conn.firstTimeoutMs = clock.nowMs;
    conn.timeouts++;
    conn.roundTrip.backOff();
    if (isOpening) {
      counters.retransmitted.value++;
      this.#output.again(conn, state === TCP_STATE.SYN_SENT ? SYN : SYN | ACK);
    } else this.#lost(conn);
    if ((conn.flags & FLAG.OVER) !== 0) return;
    this.#clocks.startRetransmit(conn, this.#withinUserTimeout(conn, rtoMs(conn)));
  }

  #lost(conn: Connection): void {
    // A receiver that took its window back (RFC 9293 §3.8.6) is not congested.
    if (conn.sndWnd === 0 && (conn.flags & FLAG.CLOSED_BY_USER) === 0) {
      this.#output.retransmit(conn, conn.sndUna, Math.min(outstanding(conn), conn.segmentBytes));
      return;
    }
    this.#recovery.expire(conn);
    this.#recovery.send(conn);
  }

  /** RFC 1122 §4.2.3.5: R1 and R2, as Linux counts them: in time, as if each timeout had been the least one. */
  #isTooLong(conn: Connection, isOpening: boolean): boolean {
    const { settings } = this.#host;
    const { extra } = conn;
    if (isOpening) {
      const most = conn.sock.state === TCP_STATE.SYN_SENT ? extra?.synRetries || settings.synRetries : settings.synackRetries;
      if (conn.timeouts > 0 && this.#isPastUserTimeout(conn)) return true;
      return conn.timeouts >= most;
    }
    if (conn.timeouts >= settings.retries1) this.#host.doubtRoute(conn);
    const retries = (conn.flags & FLAG.CLOSED_BY_USER) !== 0 ? this.#orphanRetries(conn) : settings.retries2;
    if (conn.timeouts === 0) return false;
    const userMs = extra === null ? 0 : extra.userTimeoutMs;
    const elapsedMs = (this.#host.clock.nowMs - conn.firstTimeoutMs) | 0;
    return elapsedMs >= (userMs > 0 ? userMs : backoffMs(retries, settings.rtoMinMs));
  }

  #isPastUserTimeout(conn: Connection): boolean {
    const userMs = conn.extra === null ? 0 : conn.extra.userTimeoutMs;
    return userMs > 0 && ((this.#host.clock.nowMs - conn.firstTimeoutMs) | 0) >= userMs;
  }

  /** RFC 5482: the last try is at that time, not an RTO later. */
  #withinUserTimeout(conn: Connection, delayMs: number): number {
    const userMs = conn.extra === null ? 0 : conn.extra.userTimeoutMs;
    if (userMs === 0 || conn.timeouts === 0) return delayMs;
    const leftMs = userMs - ((this.#host.clock.nowMs - conn.firstTimeoutMs) | 0);
    return Math.max(1, Math.min(delayMs, leftMs));
  }

  #orphanRetries(conn: Connection): number {
    const { orphanRetries } = this.#host.settings;
    if (orphanRetries > 0) return orphanRetries;
    // Nobody waits for it: where it was told of an error, none; else eight.
    return this.#host.softError(conn) !== 0 ? 0 : 8;
  }

  /** A shut window is probed, for as long as the peer answers (RFC 9293 §3.8.6.1). */
  #persist(conn: Connection): void {
    if (outstanding(conn) > 0 || (unsentBytes(conn) <= 0 && !finWaits(conn))) return;
    const { clock, settings } = this.#host;
    if (conn.probes === 0) conn.firstProbeMs = clock.nowMs;
    const userMs = conn.extra === null ? 0 : conn.extra.userTimeoutMs;
    const isOrphan = (conn.flags & FLAG.CLOSED_BY_USER) !== 0;
    const most = isOrphan ? this.#orphanRetries(conn) : settings.retries2;
    const isPast = userMs > 0 && conn.probes > 0 && ((clock.nowMs - conn.firstProbeMs) | 0) >= userMs;
    if (isPast || conn.probes >= most) {
      this.#closing.timedOut(conn);
      return;
    }
    // What may be sent by now needs no probe: it was held back (cork, silly window).
    if (this.#output.forceSome(conn)) return;
    conn.probes++;
    this.#host.counters['zero-window-probes'].value++;
    this.#output.probe(conn);
    conn.roundTrip.backOff();
    this.#clocks.startRetransmit(conn, persistTimeoutUs(conn.roundTrip.timeoutUs, 0) / 1000, TIMER.PERSIST);
  }

  #keepalive(conn: Connection): void {
    const { clock, settings, counters } = this.#host;
    if ((conn.sock.flags & SOCK_FLAG.KEEPALIVE) === 0 || !isIn(conn.sock.state, SYNCHRONIZED)) return;
    const idleMs = this.#keepIdleMs(conn);
    // What is under way tells as much.
    if (outstanding(conn) > 0 || unsentBytes(conn) > 0) {
      this.#clocks.startKeepalive(conn, idleMs);
      return;
    }
    const silentMs = (clock.nowMs - latest(conn.lastReceivedMs, conn.lastAckMs)) | 0;
    if (silentMs < idleMs) {
      this.#clocks.startKeepalive(conn, idleMs - silentMs);
      return;
    }
    const { extra } = conn;
    const userMs = extra === null ? 0 : extra.userTimeoutMs;
    const most = extra?.keepProbes || settings.keepaliveProbes;
    const isOver = userMs > 0 ? silentMs >= userMs && conn.keepaliveProbes > 0 : conn.keepaliveProbes >= most;
    if (isOver) {
      this.#host.reset(conn, TCP_FLAG.RST | ACK, conn.sndNxt, conn.rcvNxt);
      this.#closing.timedOut(conn);
      return;
    }
    conn.keepaliveProbes++;
    counters.keepalives.value++;
    this.#output.probe(conn);
    this.#clocks.startKeepalive(conn, (extra?.keepIntervalSec || settings.keepaliveIntvl) * 1000);
  }

  #keepIdleMs(conn: Connection): number {
    return (conn.extra?.keepIdleSec || this.#host.settings.keepaliveTime) * 1000;
  }
}

function isDue({ timers, flags }: Connection, which: number, atMs: number, nowMs: number): boolean {
  return (timers & which) !== 0 && (flags & FLAG.OVER) === 0 && ((nowMs - atMs) | 0) >= 0;
}

function latest(a: number, b: number): number {
  return ((a - b) | 0) > 0 ? a : b;
}

/** So many retransmissions take so long, from the first on, if the RTO is the least: doubled each time, up to its bound. */
export function backoffMs(retries: number, leastMs: number): number {
  const doublings = Math.floor(Math.log2(RTO_MAX_MS / leastMs));
  if (retries <= doublings) return (2 ** (retries + 1) - 1) * leastMs;
  return (2 ** (doublings + 1) - 1) * leastMs + (retries - doublings) * RTO_MAX_MS;
}
