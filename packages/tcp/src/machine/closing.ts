import { ERRNO } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import type { Clocks } from './clocks.ts';
import type { Connection } from './connection.ts';
import { enter, FLAG, TIMER } from './connection.ts';
import type { MachineHost } from './machine-host.ts';
import type { Output } from './output.ts';

import type { Reception } from './reception.ts';
import type { Recovery } from './recovery.ts';
import { acceptableSeq, rtoMs } from './send-space.ts';
import type { SentRuns } from './sent-runs.ts';
import { bitOf, isIn, TCP_EVENT, TCP_STATE } from './state.ts';

const { RST, ACK } = TCP_FLAG;
const { CLOSED, SYN_SENT, SYN_RECEIVED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT } = TCP_STATE;
/** In which an ABORT says RST (RFC 9293 §3.10.5). */
const RESETS: number = bitOf(SYN_RECEIVED) | bitOf(ESTABLISHED) | bitOf(FIN_WAIT_1) | bitOf(FIN_WAIT_2) | bitOf(CLOSE_WAIT);
const ALL = TIMER.RETRANSMIT | TIMER.PERSIST | TIMER.DELACK | TIMER.KEEPALIVE | TIMER.CLOSE;

/** How connections end: CLOSE and ABORT (RFC 9293 §3.10.4, §3.10.5), FIN both ways, resets. */
export class Closing {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #output: Output;
  readonly #runs: SentRuns;
  readonly #recovery: Recovery;
  readonly #reception: Reception;

  constructor(host: MachineHost, clocks: Clocks, output: Output, runs: SentRuns, recovery: Recovery, reception: Reception) {
    this.#host = host;
    this.#clocks = clocks;
    this.#output = output;
    this.#runs = runs;
    this.#recovery = recovery;
    this.#reception = reception;
  }

  /** CLOSE: no more will be given; all that was given goes, then a FIN. In SYN-SENT: it is over. */
  close(conn: Connection): void {
    const { state } = conn.sock;
    if ((conn.flags & FLAG.FIN_QUEUED) !== 0 || state === CLOSED) return;
    if (state === SYN_SENT) {
      this.abort(conn, 0);
      return;
    }
    conn.flags |= FLAG.FIN_QUEUED;
    conn.flags &= ~(FLAG.CORK | FLAG.MORE);
    conn.pushSeq = conn.writeSeq;
    // RFC 9293 §3.10.4: of who is in SYN-RECEIVED the FIN waits until he is established.
    if (state === SYN_RECEIVED) return;
    enter(conn, TCP_EVENT.CLOSE);
    this.#recovery.send(conn);
  }

  /** The user lets go of it. Data that he has not read, or a linger of 0, are a reset (RFC 2525 §2.17). @param unreadBytes that wait. @param isAbort linger 0. */
  closeByUser(conn: Connection, unreadBytes: number, isAbort: boolean): void {
    const { counters } = this.#host;
    conn.flags |= FLAG.CLOSED_BY_USER;
    if (unreadBytes > 0 || isAbort) {
      counters[isAbort ? 'aborts-on-linger' : 'aborts-on-close'].value++;
      this.abort(conn, 0);
      return;
    }
    this.close(conn);
    if ((conn.flags & FLAG.OVER) !== 0) return;
    if (conn.sock.state === FIN_WAIT_2) this.awaitFin(conn);
    else if (!this.#host.mayOrphan()) {
      counters['aborts-on-memory'].value++;
      this.abort(conn, 0);
    }
  }

  /** ABORT. @param errno that the user is told; 0: he asked for it. */
  abort(conn: Connection, errno: number): void {
    const { state } = conn.sock;
    if (state === CLOSED) return;
    // Behind a FIN that has gone there is nothing to be taken back.
    if (isIn(state, RESETS) || (state !== SYN_SENT && (conn.flags & FLAG.FIN_SENT) === 0)) this.reset(conn);
    this.over(conn, errno);
  }

  /** Says RST, no more. */
  reset(conn: Connection): void {
    this.#host.reset(conn, RST | ACK, acceptableSeq(conn), conn.rcvNxt);
  }

  /** It did not answer in time. */
  timedOut(conn: Connection): void {
    this.#host.counters['aborts-on-timeout'].value++;
    this.over(conn, this.#host.softError(conn) || ERRNO.ETIMEDOUT);
  }

  /** A reset that counts (RFC 9293 §3.10.7.4, third). */
  resetByPeer(conn: Connection): void {
    const { state } = conn.sock;
    this.#host.counters[state === SYN_RECEIVED ? 'attempt-fails' : 'established-resets'].value++;
    this.over(conn, state === CLOSE_WAIT ? ERRNO.EPIPE : state === SYN_RECEIVED ? ERRNO.ECONNREFUSED : ERRNO.ECONNRESET);
  }

  finReceived(conn: Connection): void {
    const before = enter(conn, TCP_EVENT.FIN);
    if (before === FIN_WAIT_2) this.#timeWait(conn);
    else this.#host.wake(conn);
  }

  /** @param withFin the same segment has the peer's: then the connection itself takes it. */
  finAcknowledged(conn: Connection, withFin: boolean): void {
    const before = enter(conn, TCP_EVENT.FIN_ACKED);
    if (before === LAST_ACK) {
      this.#ended(conn, 0);
      return;
    }
    if (before === CLOSING) {
      // Its FIN has come again: our acknowledgement was lost.
      if (withFin) conn.flags |= FLAG.ACK_PENDING;
      this.#timeWait(conn);
      return;
    }
    this.#host.wake(conn);
    if ((conn.flags & FLAG.CLOSED_BY_USER) === 0 || (conn.flags & FLAG.OVER) !== 0) return;
    if (withFin) this.#clocks.startClose(conn, this.#finMs(conn));
    else this.awaitFin(conn);
  }

  /** In SYN-RECEIVED the user has closed: now that it is established, the FIN goes. */
  closeLate(conn: Connection): void {
    if ((conn.flags & FLAG.FIN_QUEUED) !== 0) enter(conn, TCP_EVENT.CLOSE);
  }

  /** FIN-WAIT-2 of who has closed does not last for ever (`tcp_fin_timeout`, TCP_LINGER2); what it needs until then is little. */
  awaitFin(conn: Connection): void {
    if (conn.extra !== null && conn.extra.linger2Sec < 0) {
      this.abort(conn, 0);
      return;
    }
    this.#clean(conn);
    this.#host.timeWait(conn, FIN_WAIT_2, this.#finMs(conn));
  }

  #finMs(conn: Connection): number {
    const said = conn.extra === null ? 0 : conn.extra.linger2Sec;
    const rto = rtoMs(conn);
    return Math.max((said || this.#host.settings.finTimeout) * 1000, 4 * rto - (rto >> 1));
  }

  /** The FIN is acknowledged at once: behind this there is no connection that would. */
  #timeWait(conn: Connection): void {
    if ((conn.flags & FLAG.ACK_PENDING) !== 0) this.#output.ackNow(conn);
    if ((conn.flags & FLAG.OVER) !== 0) return;
    this.#clean(conn);
    this.#host.timeWait(conn, TIME_WAIT, this.#host.settings.timeWaitMs);
  }

  /** CLOSED, and nobody is told but the user. */
  over(conn: Connection, errno: number): void {
    if ((conn.flags & FLAG.OVER) !== 0) return;
    enter(conn, TCP_EVENT.ABORT);
    this.#ended(conn, errno);
  }

  #ended(conn: Connection, errno: number): void {
    this.#clean(conn);
    this.#host.over(conn, errno);
  }

  /** It goes on elsewhere, or nowhere: nobody is told. */
  left(conn: Connection): void {
    this.#clean(conn);
  }

  /** Nothing of the machine's stays. */
  #clean(conn: Connection): void {
    conn.flags |= FLAG.OVER;
    this.#clocks.stop(conn, ALL);
    this.#runs.clear(conn);
    this.#recovery.forget(conn);
    this.#reception.forget(conn);
  }
}
