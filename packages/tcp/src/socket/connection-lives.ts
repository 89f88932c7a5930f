import type { Objects, SockCommon } from '@softnet/contract';
import { SOCK_FLAG } from '@softnet/contract';
import { clearRemote } from '@softnet/inet';
import type { Handshake } from '../handshake/handshake.ts';
import type { TimeWait } from '../handshake/time-wait.ts';
import type { Connection } from '../machine/connection.ts';
import { extraOf, FLAG } from '../machine/connection.ts';
import { TCP_STATE } from '../machine/state.ts';
import type { ReceiveQueues } from '../segment/receive-queue.ts';
import type { SendQueues } from '../segment/send-queue.ts';
import type { CongestionChoice } from './congestion-choice.ts';
import type { ConnectionTimers } from './connection-timers.ts';
import type { Lives } from './machine-world.ts';
import { endLinger } from './machine-world.ts';
import type { MemoryBounds } from './memory-bounds.ts';
import type { StreamEnds } from './stream-ends.ts';
import type { TcpHost } from './tcp-host.ts';
import { wakeUser } from './wake-user.ts';

/** What lives need of the rooms around. */
export interface LifeParts {
  readonly host: TcpHost;
  readonly bounds: MemoryBounds;
  readonly ends: StreamEnds;
  readonly sends: SendQueues;
  readonly receives: ReceiveQueues;
  readonly timers: ConnectionTimers;
  readonly choice: CongestionChoice;
  readonly connections: Objects<SockCommon>;
  readonly timeWaits: Objects<SockCommon>;
  readonly handshake: () => Handshake;
}

/**
 * From established to over, and what then becomes of the socket: its user may hold it for longer than its connection, or have let go of it before. One that is over keeps what was not read.
 */
export class ConnectionLives implements Lives {
  orphans = 0;
  readonly #parts: LifeParts;

  constructor(parts: LifeParts) {
    this.#parts = parts;
  }

  established(conn: Connection): void {
    if ((conn.flags & FLAG.UNACCEPTED) === 0) {
      wakeUser(conn.sock, this.#parts.host.log);
      return;
    }
    conn.flags |= FLAG.CONNECTED;
    this.#parts.handshake().established(conn);
  }

  over(conn: Connection, errno: number): void {
    const { sock } = conn;
    if (errno !== 0) sock.error = errno;
    // Who waits to be accepted stays: accept tells of it, as in Linux.
    const isNobodys = (sock.flags & SOCK_FLAG.ORPHAN) !== 0;
    this.#retire(conn);
    this.#parts.ends.leave(sock, !isNobodys);
    if (isNobodys) this.#end(conn);
    else wakeUser(sock, this.#parts.host.log);
  }

  timeWait(conn: Connection, state: number, forMs: number): void {
    const { sock } = conn;
    // Where there are too many of them, it is simply over.
    if (this.#parts.handshake().timeWait(conn, state, forMs) !== null) return;
    sock.state = TCP_STATE.CLOSED;
    this.over(conn, 0);
  }

  /** `HandshakeHost.succeed`: a small socket stands in its place from now on; while its user has not closed it, that one is held by it. */
  succeed(conn: Connection, young: SockCommon): boolean {
    const { sock } = conn;
    const { ends, host, timeWaits } = this.#parts;
    const shares = sock.flags & SOCK_FLAG.PORT_SHARED;
    this.#retire(conn);
    ends.leave(sock, false);
    young.flags |= shares;
    host.demux.current.insert(young);
    sock.state = TCP_STATE.CLOSED;
    if ((sock.flags & SOCK_FLAG.ORPHAN) !== 0) {
      this.#letGo(conn);
      timeWaits.succeed(young, sock, 'tcp.time-wait');
      return true;
    }
    extraOf(conn).timeWait = young;
    (young.ext as TimeWait).user = conn;
    clearRemote(sock);
    wakeUser(sock, host.log);
    return true;
  }

  /** `HandshakeHost.timeWaitOver`. */
  timeWaitOver(sock: SockCommon): void {
    const { host, timeWaits } = this.#parts;
    host.demux.current.remove(sock);
    const user = (sock.ext as TimeWait).user as Connection | null;
    if (user !== null) extraOf(user).timeWait = null;
    if (sock.holdNext !== null) timeWaits.release(sock);
  }

  /** Its user lets go of a connection that is not over: it goes on without him. */
  orphaned(): void {
    this.orphans++;
  }

  /** Its user lets go of one that is none, or is over. What is left of it in TIME-WAIT goes on. */
  released(conn: Connection): void {
    const { sock, extra } = conn;
    const { connections, ends, receives, timeWaits } = this.#parts;
    receives.clear(conn);
    const young = extra === null ? null : (extra.timeWait as SockCommon | null);
    if (young === null) {
      ends.leave(sock, false);
      if (sock.holdNext !== null) sock.holdKind!.release(sock);
      return;
    }
    extra!.timeWait = null;
    (young.ext as TimeWait).user = null;
    if (sock.holdNext !== null && sock.holdKind === connections) timeWaits.succeed(young, sock, 'tcp.time-wait');
  }

  /** Its user goes on with the socket otherwise: what is left of the connection in TIME-WAIT is nobody's. */
  forgetTimeWait(conn: Connection): void {
    const { extra, sock } = conn;
    const young = extra === null ? null : (extra.timeWait as SockCommon | null);
    if (young === null) return;
    extra!.timeWait = null;
    const timeWait = young.ext as TimeWait;
    timeWait.user = null;
    const { timeWaits, handshake } = this.#parts;
    if (timeWaits.open) timeWaits.hold(young, sock.holdOwner!, 'tcp.time-wait');
    else handshake().endTimeWait(timeWait);
  }

  /** Its part of memory, timer, queue of what was to be sent, congestion control. */
  #retire(conn: Connection): void {
    const { bounds, timers, sends, choice } = this.#parts;
    bounds.leave(conn);
    timers.release(conn);
    sends.clear(conn);
    choice.end(conn);
  }

  #letGo(conn: Connection): void {
    const { receives, host } = this.#parts;
    this.orphans--;
    receives.clear(conn);
    if (conn.sock.wake !== null) endLinger(conn, host.log);
  }

  #end(conn: Connection): void {
    this.#letGo(conn);
    const { sock } = conn;
    if (sock.holdNext !== null) sock.holdKind!.release(sock);
  }
}
