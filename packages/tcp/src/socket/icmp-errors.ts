import type { ErrorReport, Skb, SockCommon } from '@softnet/contract';
import { ERRNO, ERROR_ORIGIN, SOCK_FLAG } from '@softnet/contract';
import { errorOf, queueError, quotedError } from '@softnet/inet';
import { dstPort, TCP_HEADER_BYTES, tcpSeq } from '@softnet/wire';
import type { Connection } from '../machine/connection.ts';
import { extraOf } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import { isAfter, isBefore } from '../machine/sequence.ts';
import { bitOf, isIn, TCP_STATE } from '../machine/state.ts';
import { effectiveMss } from './segment-size.ts';
import type { TcpHost } from './tcp-host.ts';
import { wakeUser } from './wake-user.ts';

const OPENING: number = bitOf(TCP_STATE.SYN_SENT) | bitOf(TCP_STATE.SYN_RECEIVED);

/** What ICMP says of segments that connections have sent (RFC 1122 §4.2.3.9, RFC 5461, RFC 5927). Requests of listeners are the handshake's. */
export class IcmpErrors {
  readonly #host: TcpHost;
  readonly #machine: Machine;

  constructor(host: TcpHost, machine: Machine) {
    this.#host = host;
    this.#machine = machine;
  }

  /** @param skb the packet quoted, `transport` at its header; null: none is at hand. */
  report(conn: Connection, skb: Skb | null, report: ErrorReport): void {
    // RFC 5927 §4: blind attackers do not know what is in flight.
    if (skb !== null && !isInFlight(conn, tcpSeq(skb.memory.view, skb.transport))) {
      report.refused = true;
      return;
    }
    if (report.errno === ERRNO.EMSGSIZE) this.#tooBig(conn, report.info);
    // A redirect is the route's matter.
    else if (report.errno !== 0) this.#tell(conn, skb, report);
  }

  /**
   * RFC 1191 §6.4, RFC 8201 §5.2. The route learns it behind this; until then it is known here, so that what goes again fits. A way that is said to be wider, or narrower than any is, says nothing.
   */
  #tooBig(conn: Connection, mtuBytes: number): void {
    const { layer, dst: use } = conn.sock;
    if (layer === null || use === null || use.dst === null || mtuBytes >= use.dst.mtuBytes) return;
    const mssBytes = effectiveMss(conn, Math.max(mtuBytes, layer.minMtuBytes), layer, this.#host.settings);
    if (mssBytes >= conn.mssBytes) return;
    conn.mssBytes = mssBytes;
    this.#machine.segmentSizeChanged(conn, true);
  }

  #tell(conn: Connection, skb: Skb | null, report: ErrorReport): void {
    const { sock } = conn;
    const wantsAll = (sock.flags & SOCK_FLAG.RECVERR) !== 0;
    if (wantsAll) queueReport(sock, skb, report);
    // Linux, and RFC 5461 §4.1: who is not connected yet does not wait for what may get better.
    if (isIn(sock.state, OPENING) && report.origin !== ERROR_ORIGIN.LOCAL) {
      this.#machine.abort(conn, report.errno);
      return;
    }
    if (!wantsAll) {
      extraOf(conn).softErrno = report.errno;
      return;
    }
    sock.error = report.errno;
    wakeUser(sock, this.#host.log);
  }
}

function isInFlight({ sndUna, sndNxt }: Connection, seq: number): boolean {
  return !isBefore(seq, sndUna) && !isAfter(seq, sndNxt);
}

function queueReport(sock: SockCommon, skb: Skb | null, report: ErrorReport): void {
  const isQuoted = skb !== null && skb.transport >= 0 && skb.network >= 0;
  queueError(
    sock,
    isQuoted ? quotedError(skb, report, skb.transport + TCP_HEADER_BYTES, dstPort(skb.memory.view, skb.transport)) : errorOf(report),
  );
}
