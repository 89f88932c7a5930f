import type { FlowKey, ModuleContext, SockCommon, SockOps, Timer } from '@softnet/contract';
import { ADDRESS_FAMILY, DstUse, Flow, IP_PROTOCOL, SOCK_FLAG, SockCommon as Sock, SockOptions } from '@softnet/contract';
import { aimAtPeer, aimByOptions, beginFlow, errnoOf, isIpv4, layerOf, layerOfUse } from '@softnet/inet';
import type { HandshakeHost } from '../handshake/handshake-host.ts';
import type { Listener } from '../handshake/listener.ts';
import type { Request } from '../handshake/request.ts';
import { localPort, remotePort } from '../handshake/request.ts';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import { TCP_STATE } from '../machine/state.ts';
import type { BareSegment } from '../segment/bare-segment.ts';
import { SegmentWay } from '../segment/segment-way.ts';
import type { SegmentWriter } from '../segment/segment-writer.ts';
import type { ConnectionLives, LifeParts } from './connection-lives.ts';
import { connectionOf, followingConnection } from './connection-of.ts';
import { inheritOptions } from './inherited-options.ts';
import type { MachineWorld } from './machine-world.ts';
import { effectiveMss, mtuOf, toldMss } from './segment-size.ts';

const CHILD_PLACE = 'tcp.child';

/** What the world of the handshake is made of. */
interface HandshakeParts extends LifeParts {
  readonly world: MachineWorld;
  readonly lives: ConnectionLives;
  readonly writer: SegmentWriter;
  /** Of sockets that are made here. */
  readonly ops: SockOps;
  readonly timeWaitOps: SockOps;
}

/** The world of the handshake: children of listeners, successors in TIME-WAIT, sizes by ways. */
export class HandshakeWorld implements HandshakeHost {
  readonly clock: HandshakeHost['clock'];
  readonly settings: HandshakeHost['settings'];
  readonly reasons: HandshakeHost['reasons'];
  readonly counters: HandshakeHost['counters'];
  readonly random: HandshakeHost['random'];
  readonly layers: HandshakeHost['layers'];
  readonly timeWaitOps: SockOps;
  readonly #ctx: ModuleContext;
  readonly #parts: HandshakeParts;
  readonly #way: SegmentWay;
  readonly #flow = new Flow();

  constructor(ctx: ModuleContext, parts: HandshakeParts) {
    const { host } = parts;
    this.clock = host.clock;
    this.settings = host.settings;
    this.reasons = host.reasons;
    this.counters = host.counters;
    this.random = host.random;
    this.layers = host.layers;
    this.timeWaitOps = parts.timeWaitOps;
    this.#ctx = ctx;
    this.#parts = parts;
    this.#way = new SegmentWay(host);
  }

  timer<A>(fire: (arg: A) => void, arg: A, place: string): Timer {
    return this.#ctx.timer(fire, arg, place);
  }

  transmit(conn: Connection, flags: number, seq: number, lenBytes: number): boolean {
    return this.#parts.world.transmit(conn, flags, seq, lenBytes);
  }

  reset(conn: Connection, flags: number, seq: number, ack: number): void {
    this.#parts.world.reset(conn, flags, seq, ack);
  }

  retime(conn: Connection): void {
    this.#parts.world.retime(conn);
  }

  fullBytes(conn: Connection): number {
    return this.#parts.world.fullBytes(conn);
  }

  isMemoryShort(): boolean {
    return this.#parts.world.isMemoryShort();
  }

  wake(conn: Connection): void {
    this.#parts.world.wake(conn);
  }

  mayChallenge(): boolean {
    return this.#parts.world.mayChallenge();
  }

  bare(segment: BareSegment): boolean {
    return this.#parts.writer.bare(segment);
  }

  toldMss(bare: BareSegment, userMssBytes: number): number {
    const dst = this.#way.ofBare(bare);
    return dst === null ? 0 : toldMss(dst, bare.layer!, userMssBytes);
  }

  toldMssOf({ sock, userMssBytes }: Connection): number {
    const use = sock.dst;
    return use === null || use.dst === null || sock.layer === null ? 0 : toldMss(use.dst, sock.layer, userMssBytes);
  }

  sizeSegments(conn: Connection): void {
    const { sock } = conn;
    const mtuBytes = mtuOf(sock);
    if (mtuBytes > 0 && sock.layer !== null) conn.mssBytes = effectiveMss(conn, mtuBytes, sock.layer, this.settings);
    else conn.mssBytes = Math.min(conn.mssBytes, conn.peerMssBytes);
  }

  child(listener: Listener, request: Request): Connection | null {
    const parent = listener.conn;
    const { ops, connections, host, choice } = this.#parts;
    if (!connections.open) return null;
    const sock = new Sock(ops);
    inheritOptions(sock, parent.sock);
    placeChild(sock, parent.sock, request);
    const conn = followingConnection(parent, sock, host.settings);
    sock.ext = conn;
    try {
      // Not the owner himself, who would take notices about it for his listener's.
      connections.hold(sock, { name: parent.sock.holdOwner!.name }, CHILD_PLACE);
    } catch (error) {
      errnoOf(error);
      return null;
    }
    if (!this.#route(sock)) {
      connections.release(sock);
      return null;
    }
    conn.listener = listener;
    conn.flags |= FLAG.UNACCEPTED;
    choice.begin(conn);
    host.demux.current.insert(sock);
    return conn;
  }

  refuse(child: Connection): void {
    const { sock } = child;
    const { lives, world, ops } = this.#parts;
    if (sock.ops !== ops) {
      // Of the generation before: it resets its own.
      sock.options ??= new SockOptions();
      sock.options.lingerSec = 0;
      sock.ops.calls!.close(sock);
      return;
    }
    sock.flags |= SOCK_FLAG.ORPHAN;
    if (sock.state === TCP_STATE.CLOSED) {
      lives.released(child);
      return;
    }
    lives.orphaned();
    world.machine.abort(child, 0);
  }

  succeed(conn: Connection, young: SockCommon): boolean {
    return this.#parts.lives.succeed(conn, young);
  }

  timeWaitOver(sock: SockCommon): void {
    this.#parts.lives.timeWaitOver(sock);
  }

  listenerBehind(sock: SockCommon, key: FlowKey): Listener | null {
    const { current } = this.#parts.host.demux;
    const shares = sock.flags & SOCK_FLAG.PORT_SHARED;
    current.remove(sock);
    const found = current.find(key);
    sock.flags |= shares;
    current.insert(sock);
    return found === null || found.state !== TCP_STATE.LISTEN || found.ops !== this.#parts.ops
      ? null
      : (connectionOf(found).listener as Listener);
  }

  /** A route for a child, which is held for it. */
  #route(sock: SockCommon): boolean {
    const { host, ends } = this.#parts;
    const family = isIpv4(sock.remote0, sock.remote1, sock.remote2) ? ADDRESS_FAMILY.INET : sock.family;
    const layer = layerOf(host.layers, family);
    if (layer === null) return false;
    const flow = this.#flow;
    beginFlow(flow, sock, family, sock.ifindex);
    aimAtPeer(flow, sock);
    aimByOptions(flow, sock);
    const use = new DstUse();
    if (ends.attach(sock, use, flow, CHILD_PLACE) < 0) return false;
    sock.dst = use;
    sock.layer = layerOfUse(host.layers, use, family) ?? layer;
    return true;
  }
}

function placeChild(sock: SockCommon, { family }: SockCommon, request: Request): void {
  sock.family = family;
  sock.protocol = IP_PROTOCOL.TCP;
  sock.local0 = request.local0;
  sock.local1 = request.local1;
  sock.local2 = request.local2;
  sock.local3 = request.local3;
  sock.remote0 = request.remote0;
  sock.remote1 = request.remote1;
  sock.remote2 = request.remote2;
  sock.remote3 = request.remote3;
  sock.localPort = localPort(request);
  sock.remotePort = remotePort(request);
  sock.ifindex = request.ifindex;
}
