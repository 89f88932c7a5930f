import type { SockCommon } from '@softnet/contract';
import * as contract from '@softnet/contract';
import { isIpv4 } from '@softnet/inet';
import type { Connection } from '../machine/connection.ts';
import { FLAG, windowLeft } from '../machine/connection.ts';
import { TCP_STATE } from '../machine/state.ts';
import { Deadlines } from './deadlines.ts';
import type { HandshakeHost } from './handshake-host.ts';
import { TimeWait } from './time-wait.ts';

const { SOCK_FLAG } = contract;
/** What a new connection's first number is beyond the last of the old one (as Linux): a window without a shift, and more. */
const BEYOND = 65537;
/** Delays are whole ones of these, so that few are in use. */
const GRAIN_MS = 100;
const KEPT_FLAGS = SOCK_FLAG.REUSEADDR | SOCK_FLAG.REUSEPORT | SOCK_FLAG.V6ONLY;

/** What is left of connections, in TIME-WAIT, or in FIN-WAIT-2 of who has closed: small objects by one timer. What comes for them: `time-wait-arrives.ts`. */
export class TimeWaits {
  readonly #host: HandshakeHost;
  readonly #deadlines: Deadlines<TimeWait>;
  #count = 0;

  constructor(host: HandshakeHost) {
    this.#host = host;
    const none = new contract.SockCommon(host.timeWaitOps);
    this.#deadlines = new Deadlines<TimeWait>(
      host,
      'tcp.time-waits',
      () => new TimeWait(none),
      (timeWait) => this.end(timeWait),
    );
  }

  get count(): number {
    return this.#count;
  }

  /** @returns null: there are as many as `tcp_max_tw_buckets` allows, or it cannot be. */
  enter(conn: Connection, state: number, forMs: number): TimeWait | null {
    const { settings, counters } = this.#host;
    if (this.#count >= settings.maxTwBuckets) return null;
    const timeWait = this.#of(conn, state);
    // Before it stands there: who is woken then may end it.
    this.#count++;
    this.wait(timeWait, forMs);
    if (!this.#host.succeed(conn, timeWait.sock)) {
      this.#deadlines.remove(timeWait);
      this.#count--;
      return null;
    }
    if (state === TCP_STATE.TIME_WAIT) counters['time-waits'].value++;
    return timeWait;
  }

  /** It is over. Does nothing the second time. */
  end(timeWait: TimeWait): void {
    const { sock } = timeWait;
    if (sock.state === TCP_STATE.CLOSED) return;
    this.#deadlines.remove(timeWait);
    this.#count--;
    sock.state = TCP_STATE.CLOSED;
    this.#host.timeWaitOver(sock);
  }

  /** It lasts so long from now on. */
  wait(timeWait: TimeWait, forMs: number): void {
    this.#deadlines.add(timeWait, Math.ceil(forMs / GRAIN_MS) * GRAIN_MS);
  }

  /** It was another generation's; so long from now on. */
  thaw(timeWait: TimeWait, forMs: number): void {
    this.#count++;
    this.#deadlines.add(timeWait, Math.max(GRAIN_MS, Math.ceil(forMs / GRAIN_MS) * GRAIN_MS));
  }

  /** It is another generation's now. */
  left(timeWait: TimeWait): void {
    this.#deadlines.remove(timeWait);
    this.#count--;
    timeWait.sock.state = TCP_STATE.CLOSED;
  }

  /** A connection of this host wants the flow (`tcp_tw_reuse`; RFC 6191 §2 with timestamps): its numbers go on behind the old ones. */
  yields(sock: SockCommon, young: SockCommon, isChosen: boolean): boolean {
    const timeWait = sock.ext as TimeWait;
    const conn = young.ext as Connection;
    const { clock, settings } = this.#host;
    if (sock.state !== TCP_STATE.TIME_WAIT || !timeWait.hasTimestamps) return false;
    const isPast = Math.floor(clock.nowUs / 1e6) > timeWait.tsRecentAtS;
    if (isChosen && !(isPast && (settings.twReuse === 1 || (settings.twReuse === 2 && isLoopback(sock))))) return false;
    conn.writeSeq = beyond(timeWait);
    conn.tsRecent = timeWait.tsRecent;
    conn.tsRecentAtS = timeWait.tsRecentAtS;
    this.end(timeWait);
    return true;
  }

  #of(conn: Connection, state: number): TimeWait {
    const sock = new contract.SockCommon(this.#host.timeWaitOps);
    const { sock: old } = conn;
    copyEnds(old, sock);
    sock.flags = (old.flags & KEPT_FLAGS) | SOCK_FLAG.ORPHAN;
    sock.state = state;
    const timeWait = new TimeWait(sock);
    sock.ext = timeWait;
    timeWait.sndNxt = conn.sndNxt;
    timeWait.rcvNxt = conn.rcvNxt;
    timeWait.rcvWnd = windowLeft(conn);
    timeWait.rcvShift = conn.rcvShift;
    timeWait.hasTimestamps = (conn.flags & FLAG.TIMESTAMPS) !== 0;
    timeWait.tsRecent = conn.tsRecent;
    timeWait.tsRecentAtS = conn.tsRecentAtS;
    timeWait.tsOffset = conn.tsOffset;
    timeWait.mark = old.options === null ? 0 : old.options.mark;
    timeWait.priority = old.options === null ? 0 : old.options.priority;
    return timeWait;
  }
}

/** The first sequence number of who takes its place. */
export function beyond({ sndNxt }: TimeWait): number {
  // As in Linux, where 0 means that none was chosen.
  return (sndNxt + BEYOND) | 0 || 1;
}

function copyEnds(from: SockCommon, to: SockCommon): void {
  to.family = from.family;
  to.protocol = from.protocol;
  to.local0 = from.local0;
  to.local1 = from.local1;
  to.local2 = from.local2;
  to.local3 = from.local3;
  to.remote0 = from.remote0;
  to.remote1 = from.remote1;
  to.remote2 = from.remote2;
  to.remote3 = from.remote3;
  to.localPort = from.localPort;
  to.remotePort = from.remotePort;
  to.ifindex = from.ifindex;
}

/** Between two ends of this host: 127.0.0.0/8, ::1. */
function isLoopback({ local0, local1, local2, local3, remote3 }: SockCommon): boolean {
  if (isIpv4(local0, local1, local2)) return local3 >>> 24 === 127 && remote3 >>> 24 === 127;
  return (local0 | local1 | local2) === 0 && local3 === 1;
}
