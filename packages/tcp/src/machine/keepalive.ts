import { SOCK_FLAG } from '@softnet/contract';
import type { Clocks } from './clocks.ts';
import type { Closing } from './closing.ts';
import type { Connection } from './connection.ts';
import { outstanding, TIMER } from './connection.ts';
import type { MachineHost } from './machine-host.ts';
import type { Output } from './output.ts';
import { hasUnsent } from './send-space.ts';
import { isIn, SYNCHRONIZED } from './state.ts';

const MS_IN_S = 1000;

/** Probes of who is silent (RFC 1122 §4.2.3.6), for users who want them. */
export class Keepalive {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #output: Output;
  readonly #closing: Closing;

  constructor(host: MachineHost, clocks: Clocks, output: Output, closing: Closing) {
    this.#host = host;
    this.#clocks = clocks;
    this.#output = output;
    this.#closing = closing;
  }

  /** SO_KEEPALIVE, or its times, were changed; or the connection is established. */
  changed(conn: Connection): void {
    if ((conn.sock.flags & SOCK_FLAG.KEEPALIVE) === 0) this.#clocks.stop(conn, TIMER.KEEPALIVE);
    else if (isIn(conn.sock.state, SYNCHRONIZED)) this.#clocks.startKeepalive(conn, this.#idleMs(conn));
  }

  /** Its time has come. */
  timeout(conn: Connection): void {
    const { clock, settings, counters } = this.#host;
    if ((conn.sock.flags & SOCK_FLAG.KEEPALIVE) === 0 || !isIn(conn.sock.state, SYNCHRONIZED)) return;
    const idleMs = this.#idleMs(conn);
    // What is under way tells as much.
    if (outstanding(conn) > 0 || hasUnsent(conn)) {
      this.#clocks.startKeepalive(conn, idleMs);
      return;
    }
    const silentMs = (clock.nowMs - latest(conn.lastReceivedMs, conn.lastAckMs)) >>> 0;
    if (silentMs < idleMs) {
      this.#clocks.startKeepalive(conn, idleMs - silentMs);
      return;
    }
    const { extra } = conn;
    const userMs = extra === null ? 0 : extra.userTimeoutMs;
    const most = extra?.keepProbes || settings.keepaliveProbes;
    if (userMs > 0 ? silentMs >= userMs && conn.keepaliveProbes > 0 : conn.keepaliveProbes >= most) {
      this.#closing.reset(conn);
      this.#closing.timedOut(conn);
      return;
    }
    conn.keepaliveProbes++;
    counters.keepalives.value++;
    this.#output.probe(conn);
    this.#clocks.startKeepalive(conn, (extra?.keepIntervalSec || settings.keepaliveIntvl) * MS_IN_S);
  }

  #idleMs({ extra }: Connection): number {
    return (extra?.keepIdleSec || this.#host.settings.keepaliveTime) * MS_IN_S;
  }
}

function latest(a: number, b: number): number {
  return ((a - b) | 0) > 0 ? a : b;
}
