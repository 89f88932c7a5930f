import type { CurrentOwner, Skb } from '@softnet/contract';
import { isFresh, POLL, SOCK_FLAG } from '@softnet/contract';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import type { MachineHost, TcpCounters, TcpReasons } from '../machine/machine-host.ts';
import type { ReceiveQueues } from '../segment/receive-queue.ts';
import type { SegmentWriter } from '../segment/segment-writer.ts';
import type { SendQueues } from '../segment/send-queue.ts';
import { chargeReceived } from '../segment/skb-charge.ts';
import { ChallengeLimit } from './challenge-limit.ts';
import type { ConnectionTimers } from './connection-timers.ts';
import type { MemoryBounds } from './memory-bounds.ts';
import { effectiveMss, mtuOf } from './segment-size.ts';
import type { SocketSettings } from './settings.ts';
import { isWritable } from './stream-poll.ts';
import type { TcpHost } from './tcp-host.ts';
import { wakeUser } from './wake-user.ts';

/** As Linux, the window of who has no room left begins anew from two segments; where memory is short, from four. */
const SEGMENTS_WHEN_FULL = 2;
const SEGMENTS_WHEN_SHORT = 4;

/** What becomes of connections as a whole: of who owns them. */
export interface Lives {
  /** Of a listener's child, or the user's own. */
  established(conn: Connection): void;
  over(conn: Connection, errno: number): void;
  timeWait(conn: Connection, state: number, forMs: number): void;
  /** Closed by their users, and not over. */
  readonly orphans: number;
}

/** The world of the machine: clocks, queues, routes, memory, users. */
export class MachineWorld implements MachineHost {
  readonly clock: TcpHost['clock'];
  readonly settings: SocketSettings;
  readonly current: CurrentOwner;
  readonly reasons: TcpReasons;
  readonly counters: TcpCounters;
  /** Set when it is made: each knows the other. */
  machine!: Machine;
  timers!: ConnectionTimers;
  lives!: Lives;
  readonly #host: TcpHost;
  readonly #writer: SegmentWriter;
  readonly #sends: SendQueues;
  readonly #receives: ReceiveQueues;
  readonly #bounds: MemoryBounds;
  readonly #challenges: ChallengeLimit;

  constructor(host: TcpHost, writer: SegmentWriter, sends: SendQueues, receives: ReceiveQueues, bounds: MemoryBounds) {
    this.clock = host.clock;
    this.settings = host.settings;
    this.current = host.current;
    this.reasons = host.reasons;
    this.counters = host.counters;
    this.#host = host;
    this.#writer = writer;
    this.#sends = sends;
    this.#receives = receives;
    this.#bounds = bounds;
    this.#challenges = new ChallengeLimit(host.clock, () => host.settings.challengeAckLimit);
  }

  transmit(conn: Connection, flags: number, seq: number, lenBytes: number): boolean {
    const use = conn.sock.dst;
    const isOld = use === null || !isFresh(use);
    const sent = this.#writer.transmit(conn, flags, seq, lenBytes);
    // The writer has looked the way up again: another one may be wider, or narrower.
    if (isOld) this.#followMtu(conn);
    return sent;
  }

  reset(conn: Connection, flags: number, seq: number, ack: number): void {
    this.#writer.reset(conn, flags, seq, ack);
  }

  mostSegments(conn: Connection): number {
    return this.#writer.mostSegments(conn);
  }

  acknowledged(conn: Connection): void {
    this.#sends.release(conn, conn.sndUna);
    const { sock, extra } = conn;
    if (extra !== null) extra.softErrno = 0;
    if ((conn.flags & FLAG.SEND_BLOCKED) !== 0) this.roomChanged(conn);
    // Who closed it waits until the peer has all (SO_LINGER).
    else if ((sock.flags & SOCK_FLAG.ORPHAN) !== 0 && sock.wake !== null && unacknowledged(conn) <= 0) endLinger(conn, this.#host.log);
  }

  /** Whoever waits to send is woken when there is room. */
  roomChanged(conn: Connection): void {
    if ((conn.flags & FLAG.SEND_BLOCKED) === 0 || !isWritable(conn, this.settings)) return;
    conn.flags &= ~FLAG.SEND_BLOCKED;
    wakeUser(conn.sock, this.#host.log, conn.sock.wake, POLL.OUT);
  }

  deliver(conn: Connection, skb: Skb, skipBytes: number, lenBytes: number): void {
    if ((conn.sock.flags & SOCK_FLAG.ANCILLARY) !== 0) this.note(conn, skb);
    this.#receives.deliver(conn, skb, skipBytes, lenBytes);
    if (conn.extra !== null) conn.extra.bytesReceived += lenBytes;
  }

  deliverPiece(conn: Connection, payload: object, skipBytes: number, lenBytes: number): boolean {
    if (!this.#receives.deliverPiece(conn, payload, skipBytes, lenBytes)) return false;
    if (conn.extra !== null) conn.extra.bytesReceived += lenBytes;
    return true;
  }

  /** What levels keep of the latest packet (IP_PKTOPTIONS). */
  note({ sock }: Connection, skb: Skb): void {
    const { levels, current } = this.#host;
    const { items, owners } = levels;
    const caller = current.id;
    for (let i = 0; i < items.length; i++) {
      current.id = owners[i]!;
      items[i]!.noted?.(sock, skb);
    }
    current.id = caller;
  }

  keep(payload: object): void {
    this.#receives.keep(payload);
  }

  drop(payload: object): void {
    this.#receives.drop(payload);
  }

  admit(conn: Connection, skb: Skb): boolean {
    const { account } = this.#host;
    const { sock } = conn;
    if (this.#bounds.isFull) return false;
    if (!account.admit(skb.truesize, sock.receiveQueuedBytes, conn.receiveBufferBytes)) {
      this.#clampWindow(conn);
      if (!this.#prune(conn) || !account.admit(skb.truesize, sock.receiveQueuedBytes, conn.receiveBufferBytes)) return false;
    }
    chargeReceived(sock, skb);
    return true;
  }

  freeBytes(conn: Connection): number {
    return this.#windowOf(conn.receiveBufferBytes - conn.sock.receiveQueuedBytes);
  }

  fullBytes(conn: Connection): number {
    return this.#windowOf(conn.receiveBufferBytes);
  }

  isMemoryShort(): boolean {
    return this.#bounds.isShort;
  }

  receiveShare(conn: Connection, wantedBytes: number, leastBytes: number): number {
    return this.#bounds.receiveShare(conn, wantedBytes, leastBytes);
  }

  mostSendBytes(): number {
    return this.#bounds.mostSendBytes;
  }

  wake({ sock }: Connection): void {
    wakeUser(sock, this.#host.log);
  }

  retime(conn: Connection): void {
    this.timers.retime(conn);
  }

  established(conn: Connection): void {
    this.lives.established(conn);
  }

  over(conn: Connection, errno: number): void {
    this.lives.over(conn, errno);
  }

  timeWait(conn: Connection, state: number, forMs: number): void {
    this.lives.timeWait(conn, state, forMs);
  }

  confirm(conn: Connection): void {
    conn.flags |= FLAG.CONFIRM_NEIGHBOUR;
  }

  /** Linux's `dst_negative_advice`: it is looked up anew. */
  doubtRoute({ sock }: Connection): void {
    if (sock.dst !== null) sock.dst.generation = 0;
  }

  softError({ extra }: Connection): number {
    return extra === null ? 0 : extra.softErrno;
  }

  mayOrphan(): boolean {
    return this.lives.orphans <= this.settings.maxOrphans;
  }

  mayChallenge(): boolean {
    return this.#challenges.take();
  }

  /** Linux's `tcp_win_from_space`: a part of the memory is not payload. */
  #windowOf(bytes: number): number {
    const { advWinScale } = this.settings;
    if (bytes <= 0) return 0;
    return advWinScale <= 0 ? bytes >> -advWinScale : bytes - (bytes >> advWinScale);
  }

  #clampWindow(conn: Connection): void {
    const isFull = conn.sock.receiveQueuedBytes >= conn.receiveBufferBytes;
    const segments = isFull ? SEGMENTS_WHEN_FULL : SEGMENTS_WHEN_SHORT;
    conn.windowSlowStart = Math.min(conn.windowSlowStart, segments * conn.toldMssBytes);
  }

  /** What came out of order goes first: the peer has it still. False: there is none. */
  #prune({ disorder }: Connection): boolean {
    if (disorder === null || disorder.queue.head === null) return false;
    this.counters.pruned.value++;
    disorder.queue.clear();
    disorder.report.reset();
    return true;
  }

  #followMtu(conn: Connection): void {
    const { sock } = conn;
    const mtuBytes = mtuOf(sock);
    if (mtuBytes === 0 || sock.layer === null) return;
    const mssBytes = effectiveMss(conn, mtuBytes, sock.layer, this.settings);
    if (mssBytes === conn.mssBytes) return;
    const isSmaller = mssBytes < conn.mssBytes;
    conn.mssBytes = mssBytes;
    if ((conn.flags & FLAG.OVER) === 0) this.machine.segmentSizeChanged(conn, isSmaller);
  }
}

/** Octets that the peer does not have yet, its FIN among them. */
export function unacknowledged(conn: Connection): number {
  const end = (conn.flags & FLAG.FIN_QUEUED) === 0 ? conn.writeSeq : (conn.writeSeq + 1) | 0;
  return (end - conn.sndUna) | 0;
}

/** Of who waits in `close`: he is told once. */
export function endLinger({ sock }: Connection, log: TcpHost['log']): void {
  const { wake } = sock;
  sock.wake = null;
  wakeUser(sock, log, wake);
}
