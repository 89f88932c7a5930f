import type { ErrorReport, Skb, SockCommon } from '@softnet/contract';
import { ERRNO, ERROR_ORIGIN, FlowKey, IP_PROTOCOL, IPV4_WORD2, SOCK_FLAG } from '@softnet/contract';
import { errorOf, queueError, quotedError } from '@softnet/inet';
import { dstPort, ipv4Dst, ipv4Src, ipv6Dst, ipv6Src, srcPort, TCP_HEADER_BYTES, tcpSeq } from '@softnet/wire';
import type { Handshake } from '../handshake/handshake.ts';
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
  readonly #handshake: Handshake;
  readonly #key = new FlowKey();

  constructor(host: TcpHost, machine: Machine, handshake: Handshake) {
    this.#host = host;
    this.#machine = machine;
    this.#handshake = handshake;
  }

  /**
   * Of a listener's request (RFC 1122 §4.2.3.9): as in Linux what may get better ends it, as its peer asks again; what says that there is nobody is not believed, as he has asked.
   */
  reportRequest(skb: Skb | null, report: ErrorReport): void {
    const isEnd = !report.fatal && report.errno !== 0 && report.errno !== ERRNO.EMSGSIZE;
    report.refused = skb === null || !isEnd || !this.#handshake.requestFails(this.#keyOf(skb), tcpSeq(skb.memory.view, skb.transport));
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

  /** Of a packet that we have sent. */
  #keyOf({ memory: { view }, network, transport, ifindex }: Skb): FlowKey {
    const key = this.#key;
    const isIpv4 = view.getUint8(network) >>> 4 === 4;
    key.protocol = IP_PROTOCOL.TCP;
    key.local0 = isIpv4 ? 0 : ipv6Src(view, network, 0);
    key.local1 = isIpv4 ? 0 : ipv6Src(view, network, 1);
    key.local2 = isIpv4 ? IPV4_WORD2 : ipv6Src(view, network, 2);
    key.local3 = isIpv4 ? ipv4Src(view, network) : ipv6Src(view, network, 3);
    key.remote0 = isIpv4 ? 0 : ipv6Dst(view, network, 0);
    key.remote1 = isIpv4 ? 0 : ipv6Dst(view, network, 1);
    key.remote2 = isIpv4 ? IPV4_WORD2 : ipv6Dst(view, network, 2);
    key.remote3 = isIpv4 ? ipv4Dst(view, network) : ipv6Dst(view, network, 3);
    key.localPort = srcPort(view, transport);
    key.remotePort = dstPort(view, transport);
    key.ifindex = ifindex;
    return key;
  }

  #tell(conn: Connection, skb: Skb | null, report: ErrorReport): void {
    const { sock } = conn;
    const wantsAll = (sock.flags & SOCK_FLAG.RECVERR) !== 0;
    if (wantsAll) queueReport(sock, skb, report);
    // What has a type is ICMP, be it told by our own layer without a wire: nobody on the link answers.
    const isIcmp = report.origin !== ERROR_ORIGIN.LOCAL || report.type !== 0;
    // Linux, and RFC 5461 §4.1: who is not connected yet does not wait for what may get better.
    if (isIn(sock.state, OPENING) && isIcmp) {
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
