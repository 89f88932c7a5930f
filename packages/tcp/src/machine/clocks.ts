import type { Connection } from './connection.ts';
import { FLAG, TIMER } from './connection.ts';
import type { MachineHost } from './machine-host.ts';

/** As long as the distance of two int32 times can be told; who wants more is asked again then. */
const MOST_MS = 0x3fffffff;

/** The timers of connections: which run, and until when. What happens then stands in `timeouts.ts`. What is over has none. */
export class Clocks {
  readonly #host: MachineHost;

  constructor(host: MachineHost) {
    this.#host = host;
  }

  /** RFC 6298 (5.1), (5.3): the RTO from now on; with PERSIST, of a shut window. They are never both there. */
  startRetransmit(conn: Connection, delayMs: number, which: number = TIMER.RETRANSMIT): void {
    if ((conn.flags & FLAG.OVER) !== 0) return;
    conn.timers = (conn.timers & ~(TIMER.RETRANSMIT | TIMER.PERSIST)) | which;
    conn.retransmitAtMs = this.#after(delayMs);
    this.#host.retime(conn);
  }

  startDelack(conn: Connection, delayMs: number): void {
    if ((conn.flags & FLAG.OVER) !== 0) return;
    const atMs = this.#after(delayMs);
    // What was promised sooner stays so.
    if ((conn.timers & TIMER.DELACK) !== 0 && ((atMs - conn.delackAtMs) | 0) >= 0) return;
    conn.timers |= TIMER.DELACK;
    conn.delackAtMs = atMs;
    this.#host.retime(conn);
  }

  startKeepalive(conn: Connection, delayMs: number): void {
    if ((conn.flags & FLAG.OVER) !== 0) return;
    conn.timers |= TIMER.KEEPALIVE;
    conn.keepaliveAtMs = this.#after(delayMs);
    this.#host.retime(conn);
  }

  startClose(conn: Connection, delayMs: number): void {
    if ((conn.flags & FLAG.OVER) !== 0) return;
    conn.timers |= TIMER.CLOSE;
    conn.closeAtMs = this.#after(delayMs);
    this.#host.retime(conn);
  }

  stop(conn: Connection, timers: number): void {
    if ((conn.timers & timers) === 0) return;
    conn.timers &= ~timers;
    this.#host.retime(conn);
  }

  #after(delayMs: number): number {
    return (this.#host.clock.nowMs + Math.min(delayMs, MOST_MS)) | 0;
  }
}

/** When the first of its timers ends, ms; where none runs it means nothing. */
export function nextTimeoutMs({ timers, retransmitAtMs, delackAtMs, keepaliveAtMs, closeAtMs }: Connection, nowMs: number): number {
  let least = 0x7fffffff;
  if ((timers & (TIMER.RETRANSMIT | TIMER.PERSIST)) !== 0) least = Math.min(least, (retransmitAtMs - nowMs) | 0);
  if ((timers & TIMER.DELACK) !== 0) least = Math.min(least, (delackAtMs - nowMs) | 0);
  if ((timers & TIMER.KEEPALIVE) !== 0) least = Math.min(least, (keepaliveAtMs - nowMs) | 0);
  if ((timers & TIMER.CLOSE) !== 0) least = Math.min(least, (closeAtMs - nowMs) | 0);
  return (nowMs + least) | 0;
}
