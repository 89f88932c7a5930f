import type {
  ErrorReport,
  Message,
  ModuleContext,
  NetworkLayer,
  Owner,
  Skb,
  SockAddress,
  SockCommon,
  SocketCalls,
  SockOps,
} from '@softnet/contract';
import { ERRNO, IP_PROTOCOL, POLL, SKB_TYPE, SOCK_FLAG, SOCK_TYPE, SOL, SockCommon as Sock } from '@softnet/contract';
import { pollErrors } from '@softnet/inet';
import type { Listener } from '../handshake/listener.ts';
import { Connection, FLAG } from '../machine/connection.ts';
import { bitOf, isIn, TCP_STATE } from '../machine/state.ts';
import { released } from '../segment/skb-charge.ts';
import { connectionOf, firstConnection, isOver } from './connection-of.ts';
import { unacknowledged } from './machine-world.ts';
import { pollStream } from './stream-poll.ts';
import { uncorks, unthrottles } from './stream-send.ts';
import { TcpParts } from './tcp-parts.ts';

const { LISTEN, SYN_SENT, SYN_RECEIVED } = TCP_STATE;
const OPENING: number = bitOf(SYN_SENT) | bitOf(SYN_RECEIVED);
const { EBADF, EINVAL } = ERRNO;

/** TCP's sockets in all their states: what the stack and users call on them. One for a module, which requires DATAGRAM_NEEDS. */
export class TcpSockets implements SockOps, SocketCalls {
  readonly name = 'tcp';
  readonly type: number = SOCK_TYPE.STREAM;
  readonly calls: SocketCalls = this;
  readonly parts: TcpParts;

  constructor(ctx: ModuleContext) {
    this.parts = new TcpParts(ctx, this);
  }

  /** @throws NetError ESHUTDOWN: the module leaves. */
  open(family: number, owner: Owner): SockCommon {
    const sock = new Sock(this);
    sock.family = family;
    sock.protocol = IP_PROTOCOL.TCP;
    sock.ext = firstConnection(sock, this.parts.host.settings);
    this.parts.connections.hold(sock, owner, 'tcp.open');
    return sock;
  }

  /** All that may stand in the flow table: `SocketHolder.sockets`. */
  *[Symbol.iterator](): Generator<SockCommon> {
    const { listeners, connections, timeWaits } = this.parts;
    yield* listeners;
    for (const sock of connections) {
      yield sock;
      const { extra } = connectionOf(sock);
      if (extra !== null && extra.timeWait !== null) yield extra.timeWait as SockCommon;
    }
    yield* timeWaits;
  }

  // What the stack calls.

  input(sock: SockCommon, skb: Skb): void {
    this.parts.input.arrives(sock, skb);
  }

  error(sock: SockCommon, skb: Skb | null, report: ErrorReport): void {
    const { errors } = this.parts;
    if (sock.state === LISTEN) errors.reportRequest(skb, report);
    // Nothing of it is in flight (RFC 5927 §4).
    else if (sock.state === TCP_STATE.CLOSED) report.refused = true;
    else errors.report(connectionOf(sock), skb, report);
  }

  released(sock: SockCommon, skb: Skb): void {
    released(sock, skb, this.parts.host.account);
    const { ext } = sock;
    if (skb.type !== SKB_TYPE.OUTGOING || !(ext instanceof Connection)) return;
    if (uncorks(ext) || unthrottles(ext, this.parts.host.settings.limitOutputBytes)) this.parts.machine.push(ext);
  }

  /** What is for nobody (`ProtocolDoor`). */
  stray(skb: Skb, layer: NetworkLayer): void {
    this.parts.input.stray(skb, layer);
  }

  // What users call.

  bind(sock: SockCommon, address: SockAddress): number {
    if (isClosed(sock)) return -EBADF;
    return sock.state === TCP_STATE.CLOSED && !isOver(connectionOf(sock)) ? this.parts.ends.bind(sock, address) : -EINVAL;
  }

  connect(sock: SockCommon, address: SockAddress): number {
    return isClosed(sock) ? -EBADF : this.parts.calls.connect(sock, address);
  }

  listen(sock: SockCommon, backlog: number): number {
    return isClosed(sock) ? -EBADF : this.parts.calls.listen(sock, backlog);
  }

  accept(sock: SockCommon, owner: Owner): SockCommon | null {
    return isClosed(sock) ? null : this.parts.calls.accept(sock, owner);
  }

  send(sock: SockCommon, message: Message): number {
    return isClosed(sock) ? -EBADF : this.parts.sender.send(connectionOf(sock), message);
  }

  receive(sock: SockCommon, message: Message): number {
    return isClosed(sock) ? -EBADF : this.parts.receiver.receive(connectionOf(sock), message);
  }

  shutdown(sock: SockCommon, how: number): number {
    return isClosed(sock) ? -EBADF : this.parts.calls.shutdown(sock, how);
  }

  close(sock: SockCommon): void {
    this.parts.calls.close(sock);
  }

  poll(sock: SockCommon): number {
    if (sock.state !== LISTEN) return pollStream(connectionOf(sock), this.parts.receives, this.parts.host.settings);
    const { accepted } = connectionOf(sock).listener as Listener;
    return pollErrors(sock) | (accepted.count > 0 ? POLL.IN : 0);
  }

  queuedBytes(sock: SockCommon, sending: boolean): number {
    if (sock.state === LISTEN) return -EINVAL;
    const conn = connectionOf(sock);
    if (isIn(sock.state, OPENING) || (sending && sock.state === TCP_STATE.CLOSED)) return 0;
    return sending ? unacknowledged(conn) : this.parts.receives.readableBytes(conn);
  }

  unsentBytes(sock: SockCommon): number {
    if (sock.state === LISTEN) return -EINVAL;
    const { writeSeq, sndNxt } = connectionOf(sock);
    return isIn(sock.state, OPENING) || sock.state === TCP_STATE.CLOSED ? 0 : Math.max(0, (writeSeq - sndNxt) | 0);
  }

  isAtMark(sock: SockCommon): number {
    const { flags, rcvUp, copiedSeq } = connectionOf(sock);
    return (flags & FLAG.URGENT_RECEIVED) !== 0 && ((rcvUp - 1) | 0) === copiedSeq ? 1 : 0;
  }

  setOption(sock: SockCommon, level: number, name: number, value: Uint8Array): number {
    if (isClosed(sock)) return -EBADF;
    const { options, levels } = this.parts;
    return level === SOL.TCP ? options.set(connectionOf(sock), name, value) : levels.set(sock, level, name, value);
  }

  getOption(sock: SockCommon, level: number, name: number, value: Uint8Array): number {
    if (isClosed(sock)) return -EBADF;
    const { options, levels } = this.parts;
    return level === SOL.TCP ? options.get(connectionOf(sock), name, value) : levels.get(sock, level, name, value);
  }
}

/** By its user. */
function isClosed({ flags }: SockCommon): boolean {
  return (flags & SOCK_FLAG.ORPHAN) !== 0;
}
