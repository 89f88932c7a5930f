import type { AckSample, CongestionControl, SockOps } from '@softnet/contract';
import { CongestionState, Counter, DropReason, SockCommon } from '@softnet/contract';
import { TCP_FLAG } from '@softnet/wire';
import { Connection, FLAG } from '../machine/connection.ts';
import { Machine } from '../machine/machine.ts';
import type { MachineHost, TcpCounters, TcpReasons } from '../machine/machine-host.ts';
import { TCP_COUNTERS, TCP_REASONS } from '../machine/machine-host.ts';
import { windowField } from '../machine/receive-window.ts';
import { Segment } from '../machine/segment.ts';
import { TCP_STATE } from '../machine/state.ts';
import type { TcpSettings } from '../machine/tcp-settings.ts';
import { putSack } from '../wire/put-options.ts';

/** A segment on the way, as a plain value; payload is its length alone. */
export interface FlyingSegment {
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly lenBytes: number;
  readonly window: number;
  readonly tsVal: number;
  readonly tsEcr: number;
  /** left, right, left, right ... */
  readonly sack: readonly number[];
}

export const SETTINGS: TcpSettings = Object.freeze({
  ...{ timestamps: true, sack: true, dsack: true, windowScaling: true, moderateRcvbuf: true, slowStartAfterIdle: true },
  ...{ rmem: [4096, 131072, 6291456], wmem: [4096, 16384, 4194304], advWinScale: 1, autocorking: true, stdurg: false, rfc1337: false },
  ...{
    synRetries: 6,
    synLinearTimeouts: 0,
    synackRetries: 5,
    retries1: 3,
    retries2: 15,
    orphanRetries: 0,
    finTimeout: 60,
    abortOnOverflow: false,
  },
  ...{
    keepaliveTime: 7200,
    keepaliveIntvl: 75,
    keepaliveProbes: 9,
    syncookies: 1,
    maxSynBacklog: 256,
    maxTwBuckets: 8192,
    maxOrphans: 8192,
  },
  ...{ challengeAckLimit: 0x7fffffff, invalidRatelimit: 500, minSndMss: 48, notsentLowat: -1, limitOutputBytes: 1048576, reordering: 3 },
  ...{ retransCollapse: true },
  ...{ initialCwnd: 10, rtoMinMs: 200, timeWaitMs: 60000, ackMerged: true, congestionControl: 'reno' },
});

/** Half of what is in the network after a loss, and one packet more for each window: enough to see the machine at work. */
const CONTROL: CongestionControl = Object.freeze({
  ...{ name: 'plain', uses: { owner: 0 } as never, wantsEcn: false, begin: () => {}, end: () => {} },
  increase: (state: CongestionState, sample: AckSample) => {
    if (!state.isCwndLimited) return;
    if (state.cwnd < state.ssthresh) state.cwnd += sample.acked;
    else {
      state.cwndCount += sample.acked;
      if (state.cwndCount >= state.cwnd) {
        state.cwndCount -= state.cwnd;
        state.cwnd++;
      }
    }
  },
  ssthresh: ({ cwnd }: CongestionState) => Math.max(2, cwnd >> 1),
  undo: ({ cwnd }: CongestionState) => cwnd,
});

/** What reads, and counts, in one host of a pair. Payloads are objects of which pieces are counted. */
export class FakeHost implements MachineHost {
  readonly clock = { nowMs: 1000, nowUs: 1_000_000 };
  readonly settings: TcpSettings;
  readonly current = { id: 0 };
  readonly reasons = Object.fromEntries(
    Object.entries(TCP_REASONS).map(([name, text], i) => [name, new DropReason(i + 1, name, text)]),
  ) as unknown as TcpReasons;
  readonly counters = Object.fromEntries(TCP_COUNTERS.map((name) => [name, new Counter(name)])) as unknown as TcpCounters;
  readonly sent: FlyingSegment[] = [];
  readonly faults: string[] = [];
  /** Behind what was delivered, and how much of it waits. */
  deliveredSeq = 0;
  unreadBytes = 0;
  bufferBytes = 131072;
  /** Memory is short; and most that a receive buffer may have. */
  isShort = false;
  shareBytes: number = Number.POSITIVE_INFINITY;
  kept = 0;
  ended: { errno: number; state: number } | null = null;
  failing = false;

  constructor(settings: Partial<TcpSettings> = {}) {
    this.settings = { ...SETTINGS, ...settings };
  }

  transmit(conn: Connection, flags: number, seq: number, lenBytes: number): boolean {
    if (this.failing) return false;
    const report = (conn.flags & FLAG.SACK) !== 0 && conn.disorder !== null ? conn.disorder.report : null;
    const sack = report === null ? [] : [...report.edges.subarray(0, 2 * Math.min(report.count, 3))];
    report?.sent();
    const stamped = (conn.flags & FLAG.TIMESTAMPS) !== 0;
    for (let at = 0; at === 0 || at < lenBytes; at += conn.segmentBytes) {
      const bytes = Math.min(conn.segmentBytes, lenBytes - at);
      const isLast = at + bytes >= lenBytes;
      this.sent.push({
        flags: isLast ? flags : flags & ~(TCP_FLAG.FIN | TCP_FLAG.PSH),
        ...{ seq: (seq + at) | 0, ack: conn.rcvNxt, lenBytes: bytes, sack },
        window: windowField(conn.rcvWnd, conn.rcvShift, false),
        tsVal: stamped ? (this.clock.nowMs + conn.tsOffset) | 0 : 0,
        tsEcr: stamped ? conn.tsRecent : 0,
      });
    }
    return true;
  }

  reset(_conn: Connection, flags: number, seq: number, ack: number): void {
    this.sent.push({ flags, seq, ack, lenBytes: 0, window: 0, tsVal: 0, tsEcr: 0, sack: [] });
  }

  mostSegments(): number {
    return 8;
  }
  acknowledged(_conn: Connection): void {}
  deliver(_conn: Connection, _skb: object, skipBytes: number, lenBytes: number): void {
    if (skipBytes < 0 || lenBytes < 0) throw new Error(`delivered ${lenBytes} from ${skipBytes} on`);
    this.deliveredSeq = (this.deliveredSeq + lenBytes) | 0;
    this.unreadBytes += lenBytes;
  }
  deliverPiece(_conn: Connection, _payload: object, _skipBytes: number, lenBytes: number): boolean {
    this.deliveredSeq = (this.deliveredSeq + lenBytes) | 0;
    this.unreadBytes += lenBytes;
    return true;
  }
  keep(): void {
    this.kept++;
  }
  drop(): void {
    this.kept--;
  }
  admit(): boolean {
    return this.unreadBytes < this.bufferBytes;
  }
  freeBytes(): number {
    return Math.max(0, this.bufferBytes - this.unreadBytes) >> 1;
  }
  fullBytes(): number {
    return this.bufferBytes >> 1;
  }
  isMemoryShort(): boolean {
    return this.isShort;
  }
  receiveShare(_conn: Connection, wantedBytes: number, leastBytes: number): number {
    return Math.max(leastBytes, Math.min(wantedBytes, this.shareBytes, this.settings.rmem[2]!));
  }
  mostSendBytes(): number {
    return this.settings.wmem[2]!;
  }
  wake(_conn: Connection): void {}
  retime(_conn: Connection): void {}
  established(_conn: Connection): void {}
  over(conn: Connection, errno: number): void {
    this.ended = { errno, state: conn.sock.state };
  }
  timeWait(_conn: Connection, state: number): void {
    this.ended = { errno: 0, state };
  }
  confirm(): void {}
  doubtRoute(): void {}
  softError(): number {
    return 0;
  }
  mayOrphan(): boolean {
    return true;
  }
  mayChallenge(): boolean {
    return true;
  }
}

/** What a connection of {@link MachineEnd} begins with. */
export interface EndOptions {
  readonly flags?: number;
  readonly settings?: Partial<TcpSettings>;
  readonly mssBytes?: number;
  readonly host?: FakeHost;
}

/** One end: a machine, its host, and an established connection. */
export class MachineEnd {
  readonly host: FakeHost;
  readonly machine: Machine;
  conn: Connection;
  readonly #segment = new Segment();
  readonly #view = new DataView(new ArrayBuffer(64));

  constructor(iss: number, irs: number, options: EndOptions = {}) {
    this.host = options.host ?? new FakeHost(options.settings);
    this.machine = new Machine(this.host);
    this.conn = this.open(iss, irs, options);
  }

  /** Another connection of the same machine: `conn` from now on. */
  open(iss: number, irs: number, { flags = FLAG.SACK | FLAG.TIMESTAMPS, mssBytes = 1012 }: EndOptions = {}): Connection {
    const { host } = this;
    const sock = new SockCommon({ name: 'tcp', type: 1 } as SockOps);
    const conn = new Connection(sock);
    this.conn = conn;
    sock.ext = conn;
    sock.state = TCP_STATE.ESTABLISHED;
    conn.flags = flags;
    conn.iss = iss;
    conn.sndUna = conn.sndNxt = conn.writeSeq = conn.pushSeq = conn.pushedSeq = conn.smallEnd = (iss + 1) | 0;
    conn.irs = irs;
    conn.rcvNxt = conn.copiedSeq = conn.rcvWup = conn.lastAckSent = (irs + 1) | 0;
    conn.mssBytes = conn.toldMssBytes = mssBytes;
    conn.sndWnd = conn.maxWindowBytes = 64000;
    conn.rcvWnd = conn.windowClamp = conn.windowSlowStart = 64000;
    conn.sndWl1 = irs;
    conn.sndWl2 = iss;
    conn.congestion = new CongestionState(CONTROL);
    host.deliveredSeq = conn.rcvNxt;
    host.unreadBytes = 0;
    host.ended = null;
    this.machine.established(conn);
    return conn;
  }

  /** The user gives octets. */
  write(lenBytes: number): void {
    this.conn.writeSeq = (this.conn.writeSeq + lenBytes) | 0;
    this.conn.pushSeq = this.conn.writeSeq;
    this.machine.push(this.conn);
  }

  read(): void {
    const { conn, host } = this;
    conn.copiedSeq = (conn.copiedSeq + host.unreadBytes) | 0;
    host.unreadBytes = 0;
    this.machine.readSome(conn);
  }

  /** A segment comes. What is not said is what is awaited. @returns why it was dropped. */
  take(flying: Partial<FlyingSegment> & { readonly urgentPointer?: number; readonly segments?: number }): string | null {
    const { conn, host } = this;
    const segment = this.#segment;
    const {
      flags = TCP_FLAG.ACK,
      seq = conn.rcvNxt,
      ack = conn.sndUna,
      lenBytes = 0,
      window = conn.sndWnd >> conn.sndShift,
      sack = [],
      urgentPointer = 0,
      segments = 1,
    } = flying;
    Object.assign(segment, { flags, seq, ack, lenBytes, window, urgentPointer, segments, fault: null, view: this.#view });
    segment.skb = {} as never;
    const { options } = segment;
    options.hasTimestamps = flying.tsVal !== undefined && flying.tsVal !== 0;
    options.tsVal = flying.tsVal ?? 0;
    options.tsEcr = flying.tsEcr ?? 0;
    putSack(this.#view, 0, Int32Array.from(sack), sack.length >> 1);
    options.sackAt = 2;
    options.sackBlocks = sack.length >> 1;
    this.machine.arrives(conn, segment);
    if (segment.fault !== null) host.faults.push(segment.fault.name);
    return segment.fault?.name ?? null;
  }

  /** Time goes on. */
  at(nowMs: number): void {
    this.host.clock.nowMs = nowMs;
    this.host.clock.nowUs = nowMs * 1000;
  }

  /** When something is due, ms; null: nothing runs. */
  get nextMs(): number | null {
    return this.conn.timers === 0 || this.host.ended !== null ? null : this.machine.nextTimeoutMs(this.conn);
  }

  /** What it has sent since the last call. */
  takeSent(): FlyingSegment[] {
    return this.host.sent.splice(0);
  }
}

/** Two ends and a wire between them, stepped event by event. */
export class MachinePair {
  readonly a: MachineEnd;
  readonly b: MachineEnd;
  nowMs = 1000;
  /** What becomes of a segment: when it arrives, ms from now; several, none. */
  fate: (segment: FlyingSegment, from: MachineEnd) => readonly number[] = () => [10];
  readonly #wire: { atMs: number; order: number; to: MachineEnd; segment: FlyingSegment }[] = [];
  #order = 0;

  constructor(options: EndOptions = {}, isnA = 0x7ffffff0, isnB = -10, hostB: FakeHost = new FakeHost(options.settings)) {
    this.a = new MachineEnd(isnA, isnB, options);
    this.b = new MachineEnd(isnB, isnA, { ...options, host: hostB });
  }

  /** Goes on until nothing is on the way and no timer runs, or it is so late. @returns whether all is quiet. */
  run(untilMs: number, readers = true): boolean {
    for (;;) {
      this.#collect();
      const next = this.#nextMs();
      if (next === null) return true;
      if (next > untilMs) return false;
      this.nowMs = Math.max(this.nowMs, next);
      for (const end of [this.a, this.b]) end.at(this.nowMs);
      this.#deliver();
      for (const end of [this.a, this.b]) {
        if (end.nextMs !== null && end.nextMs <= this.nowMs) end.machine.onTimeout(end.conn);
        if (readers && end.host.unreadBytes > 0) end.read();
      }
    }
  }

  #collect(): void {
    for (const from of [this.a, this.b]) {
      for (const segment of from.takeSent()) {
        for (const delayMs of this.fate(segment, from)) {
          this.#wire.push({ atMs: this.nowMs + delayMs, order: this.#order++, to: from === this.a ? this.b : this.a, segment });
        }
      }
    }
    this.#wire.sort((x, y) => x.atMs - y.atMs || x.order - y.order);
  }

  #nextMs(): number | null {
    const times = [this.#wire[0]?.atMs, this.a.nextMs, this.b.nextMs].filter((each) => each !== undefined && each !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  #deliver(): void {
    while (this.#wire.length > 0 && this.#wire[0]!.atMs <= this.nowMs) {
      const { to, segment } = this.#wire.shift()!;
      if (to.host.ended === null) to.take(segment);
    }
  }
}
