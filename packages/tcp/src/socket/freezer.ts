import type { Contributions, Frozen, ModuleContext, Plain, Poll, SockCommon, SockOps } from '@softnet/contract';
import { ADDRESS_FAMILY, DstUse, ERRNO, Flow, SOCK_FLAG, SocketHolder } from '@softnet/contract';
import { aimAtPeer, aimByOptions, beginFlow, isIpv4, layerOf, layerOfUse } from '@softnet/inet';
import { SkbReader } from '@softnet/skb';
import type { Listener } from '../handshake/listener.ts';
import { TimeWait } from '../handshake/time-wait.ts';
import type { Connection } from '../machine/connection.ts';
import { ConnectionExtra, FLAG } from '../machine/connection.ts';
import type { PlainRecord } from '../machine/plain-fields.ts';
import { fillFields, plainFields } from '../machine/plain-fields.ts';
import { bitOf, isIn, TCP_STATE } from '../machine/state.ts';
import { connectionOf, firstConnection } from './connection-of.ts';
import { foreignChildren } from './foreign-children.ts';
import { freezeDisorder, thawDisorder } from './frozen-disorder.ts';
import { freezeFlight, thawFlight } from './frozen-flight.ts';
import { freezeSocket, thawSocket } from './frozen-socket.ts';
import type { TcpParts } from './tcp-parts.ts';
import { wakeUser } from './wake-user.ts';

/** Layout of all that is frozen here. */
export const FROZEN_VERSION = 1;
const PLACE = 'tcp.thaw';
const OPENING: number = bitOf(TCP_STATE.SYN_SENT) | bitOf(TCP_STATE.SYN_RECEIVED);

/**
 * Sockets as plain data, for the next generation (as TCP_REPAIR does it between hosts): all that a connection knows, with the octets that wait both ways. Packets on their way to a device
 * stay the old one's. What takes memory comes when the old one has let go of it.
 */
export class Freezer {
  readonly #parts: TcpParts;
  readonly #ops: SockOps;
  readonly #timeWaitOps: SockOps;
  readonly #flow = new Flow();
  readonly #reader = new SkbReader();
  /** Listeners that have a number. */
  #count = 0;
  /** Of the generation before: by number. */
  readonly #listeners = new Map<number, Listener>();
  /** Raised when a listener came: its children may have stayed behind. */
  readonly #adopt: Poll;
  /** What is to be put in its place when the hand-over is sure. */
  readonly #waiting = new WeakMap<SockCommon, PlainRecord>();

  constructor(ctx: ModuleContext, parts: TcpParts, ops: SockOps, timeWaitOps: SockOps) {
    const holders = ctx.contributions(SocketHolder);
    this.#adopt = ctx.poll({ poll: () => this.#adoptChildren(holders) }, 'tcp.adopt');
    this.#parts = parts;
    this.#ops = ops;
    this.#timeWaitOps = timeWaitOps;
  }

  freeze(sock: SockCommon): Frozen {
    const conn = connectionOf(sock);
    const young = conn.extra === null ? null : (conn.extra.timeWait as SockCommon | null);
    const data = {
      socket: freezeSocket(sock),
      connection: { sackedRun: null, ...plainFields(conn), flags: conn.flags & ~(FLAG.SENDING | FLAG.THROTTLED), belowBytes: 0 },
      ackPolicy: plainFields(conn.ackPolicy),
      roundTrip: plainFields(conn.roundTrip),
      extra: conn.extra === null ? null : plainFields(conn.extra),
      flight: freezeFlight(conn),
      congestion: this.#parts.choice.freeze(conn),
      ...this.#freezeOctets(conn),
      ...this.#freezeListener(conn),
      timeWait: young === null ? null : this.#timeWaitData(young),
    };
    return { version: FROZEN_VERSION, data };
  }

  thaw({ data }: Frozen): SockCommon {
    const frozen = data as PlainRecord;
    const sock = thawSocket(this.#ops, frozen.socket as PlainRecord);
    const conn = firstConnection(sock, this.#parts.host.settings);
    fillFields(conn, frozen.connection as PlainRecord);
    fillFields(conn.ackPolicy, frozen.ackPolicy as PlainRecord);
    fillFields(conn.roundTrip, frozen.roundTrip as PlainRecord);
    if (frozen.extra !== null) {
      conn.extra = new ConnectionExtra();
      fillFields(conn.extra, frozen.extra as PlainRecord);
    }
    thawFlight(conn, frozen.flight as PlainRecord);
    sock.ext = conn;
    this.#waiting.set(sock, frozen);
    return sock;
  }

  /** It takes the old one's place: ports, flow table, route, memory, timers. */
  settle(sock: SockCommon): void {
    const { bounds, host, choice, lives, world } = this.#parts;
    const frozen = this.#waiting.get(sock)!;
    this.#waiting.delete(sock);
    const conn = connectionOf(sock);
    const place = frozen.socket as PlainRecord;
    if (place.isFound === true) host.demux.current.insert(sock);
    else if (place.hasPort === true) host.ports.current.bind(sock);
    this.#settleListener(conn, frozen);
    if (frozen.timeWait !== null) this.#settleOwnTimeWait(conn, frozen.timeWait as PlainRecord);
    if (sock.state === TCP_STATE.LISTEN || sock.state === TCP_STATE.CLOSED) {
      this.#parts.receives.restore(conn, frozen.received as Uint8Array);
      return;
    }
    bounds.adopt(conn);
    if ((sock.flags & SOCK_FLAG.ORPHAN) !== 0) lives.orphaned();
    this.#route(sock);
    choice.thaw(conn, frozen.congestion ?? null);
    if (!this.#restoreOctets(conn, frozen)) this.#parts.machine.abort(conn, ERRNO.ENOBUFS);
    else world.retime(conn);
  }

  /** The next generation has it: nobody is told. */
  left(sock: SockCommon): void {
    const conn = connectionOf(sock);
    const { bounds, host, machine, handshake, sends, receives, world } = this.#parts;
    bounds.leave(conn);
    if (sock.state === TCP_STATE.LISTEN) handshake.listenerLeft(conn.listener as Listener);
    else machine.left(conn);
    world.timers.release(conn);
    sends.clear(conn);
    receives.clear(conn);
    host.demux.current.remove(sock);
    const young = conn.extra === null ? null : (conn.extra.timeWait as SockCommon | null);
    if (young !== null) this.timeWaitLeft(young);
    sock.dst = null;
    sock.layer = null;
    sock.wake = null;
    sock.state = TCP_STATE.CLOSED;
    sock.flags |= SOCK_FLAG.ORPHAN;
  }

  freezeTimeWait(sock: SockCommon): Frozen {
    return { version: FROZEN_VERSION, data: this.#timeWaitData(sock) };
  }

  thawTimeWait({ data }: Frozen): SockCommon {
    const frozen = data as PlainRecord;
    const sock = thawSocket(this.#timeWaitOps, frozen.socket as PlainRecord);
    const timeWait = new TimeWait(sock);
    fillFields(timeWait, frozen.fields as PlainRecord);
    sock.ext = timeWait;
    this.#waiting.set(sock, frozen);
    return sock;
  }

  settleTimeWait(sock: SockCommon): void {
    const { host, handshake } = this.#parts;
    const { leftMs } = this.#waiting.get(sock)!;
    this.#waiting.delete(sock);
    host.demux.current.insert(sock);
    handshake.thawTimeWait(sock.ext as TimeWait, leftMs as number);
  }

  timeWaitLeft(sock: SockCommon): void {
    this.#parts.handshake.timeWaitLeft(sock.ext as TimeWait);
    this.#parts.host.demux.current.remove(sock);
  }

  #timeWaitData(sock: SockCommon): PlainRecord {
    const timeWait = sock.ext as TimeWait;
    return { socket: freezeSocket(sock), fields: plainFields(timeWait), leftMs: (timeWait.atMs - this.#parts.host.clock.nowMs) | 0 };
  }

  #settleOwnTimeWait(conn: Connection, frozen: PlainRecord): void {
    const young = this.thawTimeWait({ version: FROZEN_VERSION, data: frozen });
    this.settleTimeWait(young);
    (young.ext as TimeWait).user = conn;
    conn.extra!.timeWait = young;
  }

  #freezeOctets(conn: Connection): PlainRecord {
    const { sends, receives } = this.#parts;
    // Before the SYN is acknowledged, what was given stands behind it; behind an acknowledged FIN nothing is left.
    const from = isIn(conn.sock.state, OPENING) ? (conn.iss + 1) | 0 : conn.sndUna;
    const sent = new Uint8Array(Math.max(0, (conn.writeSeq - from) | 0));
    const received = new Uint8Array(conn.receiveQueue === null ? 0 : receives.waitingBytes(conn));
    sends.copyOut(conn, from, sent);
    receives.copyOut(conn, received);
    return { sent, received, disorder: freezeDisorder(conn, this.#reader) };
  }

  /** False: memory is out. */
  #restoreOctets(conn: Connection, frozen: PlainRecord): boolean {
    const { sends, receives, world, host } = this.#parts;
    const sent = frozen.sent as Uint8Array;
    if (!receives.restore(conn, frozen.received as Uint8Array)) return false;
    thawDisorder(conn, frozen.disorder ?? null, world, host.pool, host.account);
    return sends.restore(conn, sent);
  }

  #freezeListener({ sock, listener }: Connection): PlainRecord {
    if (listener === null) return { listener: 0, backlog: 0, requests: null, secrets: null };
    const { backlog, number } = listener as Listener;
    if (number === 0) (listener as Listener).number = ++this.#count;
    const isOwn = sock.state === TCP_STATE.LISTEN;
    return {
      listener: (listener as Listener).number,
      backlog,
      requests: isOwn ? this.#parts.handshake.freezeRequests(listener as Listener) : null,
      // Where the module is replaced by draining its state stays behind, and requests have answered by this key.
      secrets: isOwn ? this.#parts.handshake.freeze() : null,
    };
  }

  /** Who listens does so again; a child waits with its listener, which settled before it. */
  #settleListener(conn: Connection, { listener, backlog, requests, secrets }: PlainRecord): void {
    const { handshake } = this.#parts;
    if (conn.sock.state === TCP_STATE.LISTEN) {
      const own = handshake.listen(conn, backlog as number);
      this.#listeners.set(listener as number, own);
      if (handshake.requests === 0) handshake.thaw(secrets ?? null);
      handshake.thawRequests(own, requests ?? []);
      this.#adopt.raise();
      return;
    }
    const parent = this.#listeners.get(listener as number);
    if ((conn.flags & FLAG.UNACCEPTED) === 0 || parent === undefined) return;
    conn.listener = parent;
    parent.accepted.push(conn);
  }

  /** The hand-over is done. */
  #adoptChildren(holders: Contributions<SocketHolder>): number {
    const { handshake, host } = this.#parts;
    const found = new Set<Listener>();
    for (const child of foreignChildren(holders, this.#ops.name, this.#ops)) {
      const listener = this.#listeners.get((child.listener as Listener).number);
      if (listener !== undefined && handshake.adopt(listener, child)) found.add(listener);
    }
    this.#listeners.clear();
    for (const { conn } of found) wakeUser(conn.sock, host.log);
    return 0;
  }

  /** Its way, which it holds anew. Where there is none, it is looked for with the next segment. */
  #route(sock: SockCommon): void {
    const { host, ends } = this.#parts;
    const family = isIpv4(sock.remote0, sock.remote1, sock.remote2) ? ADDRESS_FAMILY.INET : sock.family;
    sock.layer = layerOf(host.layers, family);
    if (sock.layer === null) return;
    const flow = this.#flow;
    beginFlow(flow, sock, family, sock.ifindex);
    aimAtPeer(flow, sock);
    aimByOptions(flow, sock);
    const use = new DstUse();
    if (ends.attach(sock, use, flow, PLACE) < 0) return;
    sock.dst = use;
    sock.layer = layerOfUse(host.layers, use, family) ?? sock.layer;
  }
}

/** What is frozen of a module beside its objects. */
export function freezeModule(parts: TcpParts): Frozen {
  return { version: FROZEN_VERSION, data: { secrets: parts.handshake.freeze() as Plain } };
}

/** @throws TypeError of a layout that this build does not know. */
export function thawModule(parts: TcpParts, { version, data }: Frozen): void {
  if (version !== FROZEN_VERSION) throw new TypeError(`tcp's state has layout ${version}; this build knows ${FROZEN_VERSION}`);
  parts.handshake.thaw((data as PlainRecord).secrets!);
}
