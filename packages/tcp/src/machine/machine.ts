import { Acceptance } from './acceptance.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { Clocks, nextTimeoutMs } from './clocks.ts';
import { Closing } from './closing.ts';
import type { Connection } from './connection.ts';
import { FLAG, windowLeft } from './connection.ts';
import { ControlCalls } from './control-calls.ts';
import { DelayedAck } from './delayed-ack.ts';
import { Establishing } from './establishing.ts';
import { Keepalive } from './keepalive.ts';
import type { MachineHost } from './machine-host.ts';
import { NewData } from './new-data.ts';
import { Output } from './output.ts';
import { Reception } from './reception.ts';
import { Recovery } from './recovery.ts';
import type { Segment } from './segment.ts';
import { SegmentArrives } from './segment-arrives.ts';
import { rtoMs } from './send-space.ts';
import { SentRuns } from './sent-runs.ts';
import { isIn, MAY_RECEIVE, SYNCHRONIZED } from './state.ts';
import { Timeouts } from './timeouts.ts';

/**
 * TCP behind the handshake (RFC 9293 §3.10), without I/O, clock, timer or chance: what it wants it says to its host. One for all connections; what is known of one stands in its
 * {@link Connection}. SYN-SENT, LISTEN and TIME-WAIT are the handshake's.
 */
export class Machine {
  readonly #host: MachineHost;
  readonly #clocks: Clocks;
  readonly #output: Output;
  readonly #recovery: Recovery;
  readonly #acks: DelayedAck;
  readonly #reception: Reception;
  readonly #closing: Closing;
  readonly #arrives: SegmentArrives;
  readonly #keepalive: Keepalive;
  readonly #timeouts: Timeouts;
  readonly #establishing: Establishing;

  constructor(host: MachineHost) {
    const runs = new SentRuns();
    this.#host = host;
    this.#clocks = new Clocks(host);
    this.#output = new Output(host, this.#clocks, runs);
    const controls = new ControlCalls(host.current);
    this.#recovery = new Recovery(host, this.#clocks, this.#output, new NewData(host, this.#clocks, this.#output, controls), controls);
    this.#acks = new DelayedAck(host, this.#clocks, this.#output);
    this.#reception = new Reception(host, this.#acks);
    this.#closing = new Closing(host, this.#clocks, this.#output, runs, this.#recovery, this.#reception);
    this.#keepalive = new Keepalive(host, this.#clocks, this.#output, this.#closing);
    this.#timeouts = new Timeouts(host, this.#clocks, this.#output, this.#recovery, this.#closing, this.#acks, this.#keepalive);
    this.#establishing = new Establishing(host, this.#clocks, this.#keepalive);
    this.#arrives = new SegmentArrives({
      ...{ host, recovery: this.#recovery, acks: this.#acks, reception: this.#reception, closing: this.#closing },
      acceptance: new Acceptance(host, this.#output, this.#acks, this.#reception, this.#closing),
      acknowledgements: new Acknowledgements(host, this.#clocks, runs, this.#recovery, controls),
      establishing: this.#establishing,
    });
  }

  /** In SYN-RECEIVED, and all synchronized states but TIME-WAIT. What it keeps of the packet it takes (`segment.skb`); `segment.fault` says why it was dropped. */
  arrives(conn: Connection, segment: Segment): void {
    this.#arrives.arrives(conn, segment);
  }

  /** A SYN, or SYN-ACK of a simultaneous open, has gone: `iss`, `sndUna`, `sndNxt` are set. */
  begin(conn: Connection): void {
    this.#clocks.startRetransmit(conn, rtoMs(conn));
  }

  /** SYN-SENT → ESTABLISHED is done, and what was agreed is in `conn`; data that came with it follow by {@link Machine.arrives}. @param rttUs of the SYN, -1: it was sent twice. */
  established(conn: Connection, rttUs = -1): void {
    conn.roundTrip.minUs = this.#host.settings.rtoMinMs * 1000;
    if (rttUs >= 0) conn.roundTrip.sample(rttUs, conn.sndUna, conn.sndNxt);
    this.#establishing.begin(conn);
    this.#host.established(conn);
  }

  /** The user gave octets, or an option lets more go. */
  push(conn: Connection): void {
    if (conn.congestion !== null) this.#recovery.send(conn);
  }

  ackNow(conn: Connection): void {
    this.#output.ackNow(conn);
  }

  /** The user has read: the window is told anew where that is worth it (RFC 1122 §4.2.3.3), a due acknowledgement goes. */
  readSome(conn: Connection): void {
    if ((conn.flags & FLAG.OVER) !== 0) return;
    this.#establishing.rightSize(conn);
    if (!isIn(conn.sock.state, MAY_RECEIVE)) return;
    if (this.#isWindowNews(conn) || this.#isAckDue(conn)) this.#output.ackNow(conn);
  }

  /** CLOSE, or the sending half of it. */
  close(conn: Connection): void {
    if ((conn.flags & FLAG.OVER) === 0) this.#closing.close(conn);
  }

  /** @param unreadBytes that wait to be read. @param isAbort SO_LINGER with 0 seconds. */
  closeByUser(conn: Connection, unreadBytes: number, isAbort: boolean): void {
    if ((conn.flags & FLAG.OVER) === 0) this.#closing.closeByUser(conn, unreadBytes, isAbort);
  }

  abort(conn: Connection, errno: number): void {
    if ((conn.flags & FLAG.OVER) === 0) this.#closing.abort(conn, errno);
  }

  /** `conn.mssBytes` has changed. @param resend what is in flight was too large for the way (RFC 1191 §6.5, RFC 8201 §5.4). */
  segmentSizeChanged(conn: Connection, resend: boolean): void {
    this.#establishing.sizeSegments(conn);
    if (resend && conn.congestion !== null && isIn(conn.sock.state, SYNCHRONIZED) && (conn.flags & FLAG.OVER) === 0)
      this.#recovery.resend(conn);
  }

  /** SO_KEEPALIVE, TCP_KEEPIDLE. */
  keepaliveChanged(conn: Connection): void {
    this.#keepalive.changed(conn);
  }

  /** Kernel ms; means nothing while `conn.timers` is 0. */
  nextTimeoutMs(conn: Connection): number {
    return nextTimeoutMs(conn, this.#host.clock.nowMs);
  }

  onTimeout(conn: Connection): void {
    this.#timeouts.run(conn);
  }

  /** It lives on in another generation: records go back, nobody is told. */
  left(conn: Connection): void {
    this.#closing.left(conn);
  }

  /** As Linux: it has at least doubled. */
  #isWindowNews(conn: Connection): boolean {
    const told = windowLeft(conn);
    if (2 * told > conn.windowClamp) return false;
    const free = Math.min(this.#host.freeBytes(conn), conn.windowSlowStart);
    const isWorthIt = free - told >= Math.min(this.#host.fullBytes(conn) >> 1, conn.rcvMssBytes);
    return isWorthIt && free >= 2 * told;
  }

  /** Two segments were read, or the user asks for quick ones. */
  #isAckDue({ flags, rcvNxt, rcvWup, rcvMssBytes, copiedSeq, ackPolicy }: Connection): boolean {
    if ((flags & FLAG.ACK_PENDING) === 0) return false;
    const unacked = (rcvNxt - rcvWup) | 0;
    return unacked > rcvMssBytes || (copiedSeq === rcvNxt && unacked > 0 && ackPolicy.quick > 0 && !ackPolicy.isInteractive);
  }
}
