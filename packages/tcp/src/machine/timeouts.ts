import { TCP_FLAG } from '@softnet/wire';
import type { Clocks } from './clocks.ts';
import type { Closing } from './closing.ts';
import type { Connection } from './connection.ts';
import { FLAG, outstanding, TIMER } from './connection.ts';
import type { DelayedAck } from './delayed-ack.ts';
import type { Keepalive } from './keepalive.ts';
import type { MachineHost } from './machine-host.ts';
import type { Output } from './output.ts';
import { persistDelayMs } from './persist.ts';
import type { Recovery } from './recovery.ts';
import { RTO_MAX_US } from './round-trip.ts';
import { hasUnsent, rtoMs } from './send-space.ts';
import { TCP_STATE } from './state.ts';

const { SYN, ACK } = TCP_FLAG;
const { SYN_SENT, SYN_RECEIVED, FIN_WAIT_2 } = TCP_STATE;
const RTO_MAX_MS = RTO_MAX_US / 1000;
/** Linux's, of who has nobody and was told of no error. */
const ORPHAN_RETRIES = 8;

/** What happens when a connection's timers end: retransmission (RFC 6298), persist (RFC 9293 §3.8.6.1), delayed ACK, keepalive, FIN-WAIT-2. */
export class Timeouts {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #output: Output;
  readonly #recovery: Recovery;
  readonly #closing: Closing;
  readonly #acks: DelayedAck;
  readonly #keepalive: Keepalive;

  constructor(
    host: MachineHost,
    clocks: Clocks,
    output: Output,
    recovery: Recovery,
    closing: Closing,
    acks: DelayedAck,
    keepalive: Keepalive,
  ) {
    this.#host = host;
    this.#clocks = clocks;
    this.#output = output;
    this.#recovery = recovery;
    this.#closing = closing;
    this.#acks = acks;
    this.#keepalive = keepalive;
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
      this.#keepalive.timeout(conn);
    }
    if (isDue(conn, TIMER.CLOSE, conn.closeAtMs, nowMs)) {
      conn.timers &= ~TIMER.CLOSE;
      if (conn.sock.state === FIN_WAIT_2) this.#closing.awaitFin(conn);
    }
    if ((conn.flags & FLAG.OVER) === 0) this.#host.retime(conn);
  }

  /** RFC 6298 (5.4) to (5.6), of data, SYN and SYN-ACK. */
  #retransmit(conn: Connection): void {
    if (outstanding(conn) === 0) return;
    const { clock, counters, settings } = this.#host;
    const { state } = conn.sock;
    const isOpening = state === SYN_SENT || state === SYN_RECEIVED;
    if (isOpening ? this.#isTooOften(conn) : this.#isTooLong(conn)) {
      this.#closing.timedOut(conn);
      return;
    }
    counters.timeouts.value++;
    if (conn.timeouts === 0) conn.firstTimeoutMs = clock.nowMs;
    conn.timeouts++;
    if (state !== SYN_SENT || conn.timeouts > settings.synLinearTimeouts) conn.roundTrip.backOff();
    if (isOpening) this.#output.again(conn, state === SYN_SENT ? SYN : SYN | ACK);
    else this.#lost(conn);
    // RFC 5482 of an open counts from the first SYN.
    const sinceMs = isOpening ? conn.lastDataSentMs : conn.firstTimeoutMs;
    this.#clocks.startRetransmit(conn, leastMs(rtoMs(conn), this.#userLeftMs(conn, sinceMs)));
  }

  #lost(conn: Connection): void {
    // A receiver that took its window back (RFC 9293 §3.8.6) is not congested.
    if (conn.sndWnd === 0 && (conn.flags & FLAG.CLOSED_BY_USER) === 0) this.#recovery.markLost(conn);
    else this.#recovery.expire(conn);
    this.#recovery.send(conn);
  }

  /** Of a SYN, or SYN-ACK: so many times. */
  #isTooOften(conn: Connection): boolean {
    const { settings } = this.#host;
    const { synRetries, synLinearTimeouts, synackRetries } = settings;
    const most = conn.sock.state === SYN_SENT ? (conn.extra?.synRetries || synRetries) + synLinearTimeouts : synackRetries;
    return conn.timeouts >= most || (conn.timeouts > 0 && this.#userLeftMs(conn, conn.lastDataSentMs) === 0);
  }

  /** RFC 1122 §4.2.3.5: R1 and R2, as Linux counts them: in time, as if each timeout had been the least one. */
  #isTooLong(conn: Connection): boolean {
    const { settings, clock } = this.#host;
    if (conn.timeouts >= settings.retries1) this.#host.doubtRoute(conn);
    if (conn.timeouts === 0) return false;
    if (userTimeoutMs(conn) > 0) return this.#userLeftMs(conn, conn.firstTimeoutMs) === 0;
    // Who has shut its window, and answers, may do so for ever (RFC 9293 §3.8.6.1, MUST-37).
    const isShut = conn.sndWnd === 0 && ((conn.lastAckMs - conn.firstTimeoutMs) | 0) > 0;
    const elapsedMs = (clock.nowMs - (isShut ? conn.lastAckMs : conn.firstTimeoutMs)) | 0;
    const isOrphan = (conn.flags & FLAG.CLOSED_BY_USER) !== 0;
    return elapsedMs >= backoffMs(isOrphan ? this.#orphanRetries(conn) : settings.retries2, settings.rtoMinMs);
  }

  /** RFC 5482: what is left of the user timeout, ms; -1: there is none. The last try is when it ends, not an RTO later. */
  #userLeftMs(conn: Connection, sinceMs: number): number {
    const userMs = userTimeoutMs(conn);
    if (userMs === 0) return -1;
    return Math.max(0, userMs - ((this.#host.clock.nowMs - sinceMs) | 0));
  }

  /** Nobody waits for it: as Linux, some while the RTO still grows, then none, or as the setting says. */
  #orphanRetries(conn: Connection): number {
    const { orphanRetries } = this.#host.settings;
    const isAlive = conn.roundTrip.timeoutUs < conn.roundTrip.maxUs;
    if (orphanRetries === 0) return isAlive ? ORPHAN_RETRIES : 0;
    return !isAlive && this.#host.softError(conn) !== 0 ? 0 : orphanRetries;
  }

  /** A shut window is probed, for as long as the peer answers (RFC 9293 §3.8.6.1); for nobody, not for ever. */
  #persist(conn: Connection): void {
    if (outstanding(conn) > 0 || !hasUnsent(conn)) return;
    const { clock, settings, counters } = this.#host;
    // What may be sent by now needs no probe: it was held back (cork, silly window).
    if (this.#recovery.force(conn) || (conn.flags & FLAG.OVER) !== 0) return;
    if (conn.firstProbeMs === 0) conn.firstProbeMs = clock.nowMs || 1;
    const isOrphan = (conn.flags & FLAG.CLOSED_BY_USER) !== 0;
    const most = isOrphan ? this.#orphanRetries(conn) : settings.retries2;
    if (conn.probes >= most || this.#userLeftMs(conn, conn.firstProbeMs) === 0) {
      this.#closing.timedOut(conn);
      return;
    }
    conn.probes++;
    counters['zero-window-probes'].value++;
    this.#output.probe(conn);
    // What it freed may have let data go: those have a timer of their own.
    if (outstanding(conn) > 0) return;
    conn.roundTrip.backOff();
    this.#clocks.startRetransmit(conn, persistDelayMs(conn, clock.nowMs), TIMER.PERSIST);
  }
}

function isDue({ timers, flags }: Connection, which: number, atMs: number, nowMs: number): boolean {
  return (timers & which) !== 0 && (flags & FLAG.OVER) === 0 && ((nowMs - atMs) | 0) >= 0;
}

function userTimeoutMs({ extra }: Connection): number {
  return extra === null ? 0 : extra.userTimeoutMs;
}

/** @param boundMs -1: none. */
function leastMs(delayMs: number, boundMs: number): number {
  return boundMs < 0 ? delayMs : Math.max(1, Math.min(delayMs, boundMs));
}

/** So many retransmissions take so long, from the first on, if the RTO is the least: doubled each time, up to its bound. */
export function backoffMs(retries: number, leastMs: number): number {
  const doublings = Math.floor(Math.log2(RTO_MAX_MS / leastMs));
  if (retries <= doublings) return (2 ** (retries + 1) - 1) * leastMs;
  return (2 ** (doublings + 1) - 1) * leastMs + (retries - doublings) * RTO_MAX_MS;
}
