import type { Objects, Owner, SockAddress, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, SOCK_FLAG } from '@softnet/contract';
import { errnoOf, purgeErrors } from '@softnet/inet';
import type { Handshake } from '../handshake/handshake.ts';
import type { Listener } from '../handshake/listener.ts';
import type { Connection } from '../machine/connection.ts';
import { enter, FLAG } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import { bitOf, isIn, TCP_EVENT, TCP_STATE } from '../machine/state.ts';
import type { ReceiveQueues } from '../segment/receive-queue.ts';
import type { CongestionChoice } from './congestion-choice.ts';
import type { ConnectionLives } from './connection-lives.ts';
import { connectionOf, followingConnection, isOver } from './connection-of.ts';
import type { LevelOptions } from './level-options.ts';
import { unacknowledged } from './machine-world.ts';
import type { StreamEnds } from './stream-ends.ts';
import { takeErrno } from './stream-poll.ts';
import type { TcpHost } from './tcp-host.ts';
import { wakeUser } from './wake-user.ts';

const { CLOSED, LISTEN, SYN_SENT, SYN_RECEIVED } = TCP_STATE;
const OPENING: number = bitOf(SYN_SENT) | bitOf(SYN_RECEIVED);
const { EALREADY, ECONNABORTED, ECONNRESET, EINPROGRESS, EINVAL, EISCONN, ENOTCONN, ESHUTDOWN } = ERRNO;
/** Bits of `SocketCalls.shutdown`. */
const HOW = Object.freeze({ RECEIVE: 1, SEND: 2 } as const);

/** What the calls need of the rooms around. */
export interface CallParts {
  readonly host: TcpHost;
  readonly machine: Machine;
  readonly handshake: Handshake;
  readonly lives: ConnectionLives;
  readonly choice: CongestionChoice;
  readonly ends: StreamEnds;
  readonly receives: ReceiveQueues;
  readonly levels: LevelOptions;
  readonly connections: Objects<SockCommon>;
  readonly listeners: Objects<SockCommon>;
}

/** OPEN, CLOSE and ABORT (RFC 9293 §3.10.1, §3.10.4, §3.10.5) as users call them: connect, listen, accept, shutdown, close. Errnos as Linux. */
export class StreamCalls {
  readonly #parts: CallParts;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  /**
   * -EINPROGRESS: the SYN has gone, `wake` follows. Called again it says -EALREADY, then 0 once, or what went wrong, then -EISCONN. AF_UNSPEC disconnects, by a reset where one is due.
   * -ESHUTDOWN: the module leaves.
   */
  connect(sock: SockCommon, address: SockAddress): number {
    const conn = connectionOf(sock);
    if (address.family === ADDRESS_FAMILY.UNSPEC) return this.#disconnect(conn);
    if ((conn.flags & FLAG.CONNECTING) !== 0) return this.#goesOn(conn);
    if ((conn.flags & FLAG.CONNECTED) !== 0 || sock.state !== CLOSED) return -EISCONN;
    const { ends, choice, handshake, connections } = this.#parts;
    const moved = this.#moveTo(connections, sock, 'tcp.connect');
    if (moved < 0) return moved;
    const error = ends.connect(sock, address);
    if (error < 0) return error;
    choice.begin(conn);
    conn.flags |= FLAG.CONNECTING;
    handshake.connect(conn);
    return -EINPROGRESS;
  }

  /** A port where it has none, and a new backlog where it listens. -EINVAL: it is, or was, connected; -EADDRINUSE; -ESHUTDOWN. */
  listen(sock: SockCommon, backlog: number): number {
    const conn = connectionOf(sock);
    const { handshake, host, listeners } = this.#parts;
    if ((conn.flags & (FLAG.CONNECTING | FLAG.CONNECTED)) !== 0 || (sock.state !== CLOSED && sock.state !== LISTEN)) return -EINVAL;
    if (sock.state === CLOSED) {
      if (!listeners.open) return -ESHUTDOWN;
      sock.flags |= SOCK_FLAG.LISTENING;
      const error = host.ports.current.bind(sock);
      const moved = error < 0 ? error : this.#moveTo(listeners, sock, 'tcp.listen');
      if (moved < 0) {
        sock.flags &= ~SOCK_FLAG.LISTENING;
        return moved;
      }
    }
    handshake.listen(conn, backlog);
    if (sock.state === CLOSED) enter(conn, TCP_EVENT.LISTEN);
    host.demux.current.insert(sock);
    return 0;
  }

  /** The next connection that waits, `owner`'s from now on. Null: none does, or it does not listen. */
  accept(sock: SockCommon, owner: Owner): SockCommon | null {
    if (sock.state !== LISTEN) return null;
    const child = this.#parts.handshake.accept(connectionOf(sock).listener as Listener);
    if (child === null) return null;
    // One that came before this generation is the other's.
    child.sock.holdKind!.passTo(child.sock, owner);
    return child.sock;
  }

  /** Linux's `inet_shutdown`. -ENOTCONN; -EINVAL: there is no such way. Who listens, or connects, does so no more. */
  shutdown(sock: SockCommon, how: number): number {
    if ((how & 3) === 0 || (how & ~3) !== 0) return -EINVAL;
    const conn = connectionOf(sock);
    const { machine, host } = this.#parts;
    if (sock.state === CLOSED) return -ENOTCONN;
    if (sock.state === SYN_SENT || sock.state === LISTEN) {
      if (sock.state === SYN_SENT || (how & HOW.RECEIVE) !== 0) this.#disconnect(conn);
      return 0;
    }
    if ((how & HOW.RECEIVE) !== 0) conn.flags |= FLAG.SHUT_RECEIVE;
    if ((how & HOW.SEND) !== 0) machine.close(conn);
    wakeUser(sock, host.log);
    return 0;
  }

  /** Its user lets go of it. What was given is sent, and a FIN, unless data wait unread, or SO_LINGER is 0 (RFC 2525 §2.17). Idempotent. */
  close(sock: SockCommon): void {
    if ((sock.flags & SOCK_FLAG.ORPHAN) !== 0) return;
    const conn = connectionOf(sock);
    const { levels, lives, machine, receives } = this.#parts;
    sock.flags |= SOCK_FLAG.ORPHAN;
    const lingerSec = sock.options === null ? -1 : sock.options.lingerSec;
    if (lingerSec <= 0) sock.wake = null;
    purgeErrors(sock);
    try {
      levels.closed(sock);
    } finally {
      // Whatever a level's code does: nothing of the socket stays behind.
      if (sock.state === LISTEN) this.#stopListening(conn);
      if (sock.state === CLOSED) {
        sock.wake = null;
        lives.released(conn);
      } else {
        lives.orphaned();
        machine.closeByUser(conn, receives.clear(conn), lingerSec === 0);
        if (unacknowledged(conn) <= 0) sock.wake = null;
      }
    }
  }

  /** By force: the peer is reset, children too. The user is told by a notice, and by `sock.error`. */
  abort(sock: SockCommon, errno: number): void {
    const { wake } = sock;
    const conn = connectionOf(sock);
    if (sock.state !== CLOSED && sock.state !== LISTEN) {
      sock.wake = null;
      this.#parts.machine.abort(conn, errno);
    }
    this.close(sock);
    sock.error = errno;
    wakeUser(sock, this.#parts.host.log, wake);
  }

  /** connect is called while one is under way, or has just ended. */
  #goesOn(conn: Connection): number {
    const { sock } = conn;
    if (isIn(sock.state, OPENING)) return -EALREADY;
    if (sock.state !== CLOSED) {
      conn.flags = (conn.flags & ~FLAG.CONNECTING) | FLAG.CONNECTED;
      return 0;
    }
    const error = takeErrno(sock) || ECONNABORTED;
    this.#startOver(conn);
    return -error;
  }

  /** Linux's `tcp_disconnect`. */
  #disconnect(conn: Connection): number {
    const { sock } = conn;
    const { machine } = this.#parts;
    if (sock.state === LISTEN) this.#stopListening(conn);
    else if (sock.state !== CLOSED) machine.abort(conn, ECONNRESET);
    this.#startOver(conn);
    return 0;
  }

  /** The socket is as new, but for what its user has set. */
  #startOver(conn: Connection): void {
    const { sock } = conn;
    const { ends, host, receives, lives } = this.#parts;
    if (isOver(conn)) receives.clear(conn);
    lives.forgetTimeWait(conn);
    sock.ext = followingConnection(conn, sock, host.settings);
    ends.forget(sock);
  }

  #stopListening(conn: Connection): void {
    const { sock } = conn;
    const { ends, handshake } = this.#parts;
    ends.leave(sock, (sock.flags & SOCK_FLAG.ORPHAN) === 0);
    handshake.stopListening(conn.listener as Listener);
    conn.listener = null;
    sock.flags &= ~(SOCK_FLAG.LISTENING | SOCK_FLAG.PARKED);
    if (sock.state === LISTEN) enter(conn, TCP_EVENT.CLOSE);
  }

  /** To the kind that it is of now: nothing is derived from it yet. 0, or -ESHUTDOWN: the module leaves. */
  #moveTo(kind: Objects<SockCommon>, sock: SockCommon, place: string): number {
    if (!kind.open) return -ESHUTDOWN;
    if (sock.holdKind === kind) return 0;
    const owner = sock.holdOwner!;
    sock.holdKind!.release(sock);
    try {
      kind.hold(sock, owner, place);
      return 0;
    } catch (error) {
      return errnoOf(error);
    }
  }
}
