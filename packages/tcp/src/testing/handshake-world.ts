import type { CongestionControl, NetworkLayer, Random, Skb, SockOps, Timer } from '@softnet/contract';
import { ADDRESS_FAMILY, CongestionState, FlowKey, IPV4_WORD2, SKB_TYPE, SOCK_FLAG, SockCommon } from '@softnet/contract';
import { setDstPort, setSrcPort, TCP_FLAG } from '@softnet/wire';
import { Handshake } from '../handshake/handshake.ts';
import type { HandshakeHost, HandshakeSettings } from '../handshake/handshake-host.ts';
import type { Listener } from '../handshake/listener.ts';
import type { Request } from '../handshake/request.ts';
import { localPort, remotePort } from '../handshake/request.ts';
import type { TimeWait } from '../handshake/time-wait.ts';
import { Connection, FLAG } from '../machine/connection.ts';
import { Machine } from '../machine/machine.ts';
import { windowField } from '../machine/receive-window.ts';
import { Segment } from '../machine/segment.ts';
import { TCP_STATE } from '../machine/state.ts';
import type { BareSegment } from '../segment/bare-segment.ts';
import { FakeHost, SETTINGS } from './machine-pair.ts';

/** What was sent, as a plain value. */
export interface SentSegment {
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly window: number;
  readonly lenBytes: number;
  /** Of a SYN; null: another segment. */
  readonly syn: { readonly mss: number; readonly scale: number; readonly sack: boolean } | null;
  /** TSval, TSecr. */
  readonly stamps: readonly [number, number] | null;
  readonly remotePort: number;
}

/** What comes, as a plain value. */
export interface ComingSegment {
  readonly flags: number;
  readonly seq?: number;
  readonly ack?: number;
  readonly window?: number;
  readonly lenBytes?: number;
  readonly mss?: number;
  readonly scale?: number;
  readonly sack?: boolean;
  readonly stamps?: readonly [number, number];
  readonly remotePort?: number;
  readonly remote3?: number;
  readonly localPort?: number;
  readonly isIpv6?: boolean;
  readonly ifindex?: number;
  readonly type?: number;
}

interface FakeTimer extends Timer {
  readonly fire: () => void;
}

const LOCAL_3 = 0x0a000001;
const REMOTE_3 = 0x0a000002;
const SERVER_PORT = 80;
const CLIENT_PORT = 4000;
const CONTROL: Readonly<CongestionControl> = Object.freeze({
  ...{ name: 'plain', uses: null as never, wantsEcn: false },
  begin: () => {},
  end: () => {},
  increase: () => {},
  ssthresh: () => 2,
  undo: () => 2,
});

/** One host: a real machine and a real handshake; no sockets, packets and routes but what tests say. Time is the test's. */
export class HandshakeWorld extends FakeHost implements HandshakeHost {
  declare readonly settings: HandshakeSettings;
  readonly random: Random;
  readonly layers: HandshakeHost['layers'];
  readonly timeWaitOps = { name: 'tcp', type: 1 } as SockOps;
  readonly machine: Machine;
  readonly handshake: Handshake;
  readonly out: SentSegment[] = [];
  readonly woken: Connection[] = [];
  readonly connections = new Set<Connection>();
  readonly timeWaits = new Set<SockCommon>();
  /** Who listens, for what comes to TIME-WAITs. */
  listener: Listener | null = null;
  /** No child is to be had; the MSS of the way (0: there is none); nothing can be sent. */
  childless = false;
  wayMss = 1460;
  mute = false;
  readonly segment = new Segment();
  readonly #timers: FakeTimer[] = [];
  readonly #view = new DataView(new ArrayBuffer(80));
  readonly #key = new FlowKey();
  readonly #skb = { memory: { view: this.#view }, network: 0, transport: 40, type: 0 } as unknown as Skb & { type: number };

  constructor(settings: Partial<HandshakeSettings> = {}, seed = 1) {
    super({ ...SETTINGS, somaxconn: 4096, twReuse: 2, ...settings } as HandshakeSettings);
    let state = seed;
    this.random = {
      u32: () => {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        return state >>> 0;
      },
    } as Random;
    const layer = (family: number): NetworkLayer =>
      ({
        family,
        uses: { open: true },
        readKey: (_skb: Skb, into: FlowKey) => void Object.assign(into, this.#key),
      }) as unknown as NetworkLayer;
    this.layers = {
      items: [layer(ADDRESS_FAMILY.INET), layer(ADDRESS_FAMILY.INET6)],
      owners: [0, 0],
    } as unknown as HandshakeHost['layers'];
    this.machine = new Machine(this);
    this.handshake = new Handshake(this, this.machine);
  }

  // HandshakeHost

  timer<A>(fire: (arg: A) => void, arg: A): Timer {
    const clock = this.clock;
    const timer = {
      ...{ armed: false, whenUs: 0, fire: () => fire(arg) },
      arm: (delayUs: number) => timer.armAt(clock.nowUs + Math.max(0, delayUs)),
      armAt: (whenUs: number) => void Object.assign(timer, { armed: true, whenUs }),
      cancel: () => void Object.assign(timer, { armed: false }),
    };
    this.#timers.push(timer);
    return timer;
  }

  bare(bare: BareSegment): boolean {
    if (this.mute) return false;
    const { flags, seq, ack, windowField: window, syn, hasTimestamps, tsVal, tsEcr } = bare;
    const stamps: readonly [number, number] | null =
      syn !== null ? (syn.hasTimestamps ? [syn.tsVal, syn.tsEcr] : null) : hasTimestamps ? [tsVal, tsEcr] : null;
    const said = syn === null ? null : { mss: syn.mssBytes, scale: syn.windowScale, sack: syn.sackPermitted };
    this.out.push({
      flags,
      seq,
      ack: (flags & TCP_FLAG.ACK) === 0 ? 0 : ack,
      window,
      lenBytes: 0,
      syn: said,
      stamps,
      remotePort: bare.remotePort,
    });
    return true;
  }

  override transmit(conn: Connection, flags: number, seq: number, lenBytes: number): boolean {
    if (this.mute) return false;
    const isSyn = (flags & TCP_FLAG.SYN) !== 0;
    const isFirst = isSyn && (flags & TCP_FLAG.ACK) === 0;
    const has = (bit: number, setting: boolean): boolean => (isFirst ? setting : (conn.flags & bit) !== 0);
    const { timestamps, sack, windowScaling } = this.settings;
    this.out.push({
      ...{ flags, seq, ack: (flags & TCP_FLAG.ACK) === 0 ? 0 : conn.rcvNxt, lenBytes, remotePort: conn.sock.remotePort },
      window: windowField(conn.rcvWnd, conn.rcvShift, isSyn),
      syn: isSyn
        ? { mss: conn.toldMssBytes, scale: has(FLAG.WINDOW_SCALING, windowScaling) ? conn.rcvShift : -1, sack: has(FLAG.SACK, sack) }
        : null,
      stamps: has(FLAG.TIMESTAMPS, timestamps) ? [(this.clock.nowMs + conn.tsOffset) | 0, isFirst ? 0 : conn.tsRecent] : null,
    });
    return true;
  }

  override reset(conn: Connection, flags: number, seq: number, ack: number): void {
    this.out.push({ flags, seq, ack, window: 0, lenBytes: 0, syn: null, stamps: null, remotePort: conn.sock.remotePort });
  }

  override wake(conn: Connection): void {
    this.woken.push(conn);
  }

  toldMss(_bare: BareSegment, userMssBytes: number): number {
    return userMssBytes > 0 ? Math.min(userMssBytes, this.wayMss) : this.wayMss;
  }

  toldMssOf({ userMssBytes }: Connection): number {
    return userMssBytes > 0 ? Math.min(userMssBytes, this.wayMss) : this.wayMss;
  }

  sizeSegments(conn: Connection): void {
    conn.mssBytes = Math.max(48, Math.min(this.wayMss, conn.peerMssBytes));
  }

  child(listener: Listener, request: Request): Connection | null {
    if (this.childless) return null;
    const conn = this.connection(localPort(request), remotePort(request));
    conn.listener = listener;
    conn.flags |= FLAG.UNACCEPTED;
    return conn;
  }

  refuse(child: Connection): void {
    this.machine.abort(child, 0);
  }

  override established(conn: Connection): void {
    if ((conn.flags & FLAG.UNACCEPTED) !== 0) this.handshake.established(conn);
    else this.wake(conn);
  }

  override over(conn: Connection, errno: number): void {
    super.over(conn, errno);
    conn.sock.error = errno;
    this.connections.delete(conn);
  }

  override timeWait(conn: Connection, state: number, forMs = 60_000): void {
    if (this.handshake.timeWait(conn, state, forMs) === null) this.over(conn, 0);
  }

  succeed(conn: Connection, young: SockCommon): boolean {
    this.connections.delete(conn);
    this.timeWaits.add(young);
    return true;
  }

  timeWaitOver(sock: SockCommon): void {
    if (!this.timeWaits.delete(sock)) throw new Error('a TIME-WAIT ends twice');
  }

  listenerBehind(): Listener | null {
    return this.listener;
  }

  // What tests say.

  /** A socket with both ends, closed. */
  connection(local = SERVER_PORT, remote = CLIENT_PORT): Connection {
    const sock = new SockCommon({ name: 'tcp', type: 1 } as SockOps);
    Object.assign(sock, { family: ADDRESS_FAMILY.INET, protocol: 6, localPort: local, remotePort: remote });
    Object.assign(sock, { local2: IPV4_WORD2, local3: LOCAL_3, remote2: IPV4_WORD2, remote3: REMOTE_3 });
    const conn = new Connection(sock);
    sock.ext = conn;
    conn.congestion = new CongestionState(CONTROL);
    this.connections.add(conn);
    return conn;
  }

  connect(): Connection {
    const conn = this.connection(CLIENT_PORT, SERVER_PORT);
    this.handshake.connect(conn);
    return conn;
  }

  listen(backlog = 10, conn = this.connection(SERVER_PORT, 0)): Listener {
    conn.sock.state = TCP_STATE.LISTEN;
    this.listener = this.handshake.listen(conn, backlog);
    return this.listener;
  }

  park(isParked: boolean): void {
    const { sock } = this.listener!.conn;
    sock.flags = isParked ? sock.flags | SOCK_FLAG.PARKED : sock.flags & ~SOCK_FLAG.PARKED;
  }

  /** Fills the segment at hand; its packet is one of these ends. */
  coming(coming: ComingSegment): Segment {
    const {
      flags,
      seq = 0,
      ack = 0,
      window = 65535,
      lenBytes = 0,
      remotePort: from = CLIENT_PORT,
      localPort: to = SERVER_PORT,
      isIpv6 = false,
    } = coming;
    const { segment } = this;
    this.#view.setUint8(0, isIpv6 ? 0x60 : 0x45);
    setSrcPort(this.#view, 40, from);
    setDstPort(this.#view, 40, to);
    this.#view.setUint8(52, 0x50);
    const words = isIpv6
      ? { local0: 0xfe800000 | 0, local2: 0, remote0: 0xfe800000 | 0, remote2: 0 }
      : { local0: 0, local2: IPV4_WORD2, remote0: 0, remote2: IPV4_WORD2 };
    Object.assign(this.#key, words, { protocol: 6, local3: LOCAL_3, remote3: coming.remote3 ?? REMOTE_3, ifindex: coming.ifindex ?? 1 });
    this.#skb.type = coming.type ?? SKB_TYPE.HOST;
    Object.assign(segment, {
      flags,
      seq: seq | 0,
      ack: ack | 0,
      window,
      lenBytes,
      segments: 1,
      urgentPointer: 0,
      fault: null,
      skb: this.#skb,
    });
    const [tsVal, tsEcr] = coming.stamps ?? [0, 0];
    Object.assign(segment.options, { mssBytes: coming.mss ?? 0, windowScale: coming.scale ?? -1, sackPermitted: coming.sack ?? false });
    Object.assign(segment.options, {
      hasTimestamps: coming.stamps !== undefined,
      tsVal: tsVal | 0,
      tsEcr: tsEcr | 0,
      sackAt: 0,
      sackBlocks: 0,
    });
    return segment;
  }

  /** For the listener. @returns why it was dropped; null: it was not. */
  toListener(coming: ComingSegment, listener: Listener = this.listener!): string | null {
    this.handshake.arrives(listener, this.coming(coming));
    return this.segment.fault?.name ?? null;
  }

  /** For a connection, by its state. */
  toConnection(conn: Connection, coming: ComingSegment): string | null {
    const segment = this.coming(coming);
    if (conn.sock.state === TCP_STATE.SYN_SENT) this.handshake.synSent(conn, segment);
    else this.machine.arrives(conn, segment);
    return segment.fault?.name ?? null;
  }

  toTimeWait({ sock }: TimeWait, coming: ComingSegment): string | null {
    this.handshake.timeWaitArrives(sock, this.coming(coming));
    return this.segment.fault?.name ?? null;
  }

  toNobody(coming: ComingSegment): string | null {
    this.handshake.stray(this.coming(coming));
    return this.segment.fault?.name ?? null;
  }

  /** Timers of the handshake's that run. */
  get armedTimers(): number {
    return this.#timers.filter(({ armed }) => armed).length;
  }

  /** What was sent since the last call. */
  take(): SentSegment[] {
    return this.out.splice(0);
  }

  /** Time goes on, and timers fire at their times. */
  passMs(delayMs: number): void {
    const end = this.clock.nowMs + delayMs;
    for (;;) {
      const next = this.#nextMs();
      if (next === null || next > end) break;
      this.#at(Math.max(next, this.clock.nowMs));
      for (const timer of this.#timers) {
        if (!timer.armed || timer.whenUs > this.clock.nowUs) continue;
        timer.cancel();
        timer.fire();
      }
      for (const conn of this.connections) {
        if (conn.timers !== 0 && this.machine.nextTimeoutMs(conn) <= this.clock.nowMs) this.machine.onTimeout(conn);
      }
    }
    this.#at(end);
  }

  #at(nowMs: number): void {
    this.clock.nowMs = nowMs;
    this.clock.nowUs = nowMs * 1000;
  }

  #nextMs(): number | null {
    const times = this.#timers.filter(({ armed }) => armed).map(({ whenUs }) => Math.ceil(whenUs / 1000));
    for (const conn of this.connections) if (conn.timers !== 0) times.push(this.machine.nextTimeoutMs(conn));
    return times.length === 0 ? null : Math.min(...times);
  }
}

/** What one host has sent, as it comes to another. */
export function onItsWay({ syn, stamps, ...rest }: SentSegment): ComingSegment {
  const said = syn === null ? {} : { mss: syn.mss, scale: syn.scale, sack: syn.sack };
  const { flags, seq, ack, window, lenBytes } = rest;
  return { flags, seq, ack, window, lenBytes, ...said, ...(stamps === null ? {} : { stamps }) };
}
