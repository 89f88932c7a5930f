import { FLAG } from '../machine/connection.ts';
import type { Segment } from '../machine/segment.ts';
import { COOKIE_MSS_IPV4, COOKIE_MSS_IPV6 } from '../machine/syn-cookie.ts';
import { ALIGNED_TIMESTAMPS_BYTES } from '../wire/put-options.ts';
import type { ArrivedFlow } from './arrived-flow.ts';
import type { FlowSecrets } from './flow-secrets.ts';
import type { HandshakeHost } from './handshake-host.ts';
import { InitialWindow } from './initial-window.ts';
import type { Listener } from './listener.ts';
import { Request, SAID } from './request.ts';
import type { RequestTable } from './request-table.ts';
import type { RequestTimes } from './request-times.ts';
import { savedSyn } from './saved-syn.ts';
import type { Strays } from './strays.ts';
import type { SynAcks } from './syn-acks.ts';
import { isIpv4Request, peerMss } from './syn-acks.ts';
import type { SynCookies } from './syn-cookies.ts';

/** What the parts of the passive open do for each other. */
export interface RequestParts {
  readonly host: HandshakeHost;
  readonly secrets: FlowSecrets;
  readonly table: RequestTable;
  readonly times: RequestTimes;
  readonly synAcks: SynAcks;
  readonly cookies: SynCookies;
  readonly strays: Strays;
}

/** A SYN for a listener (RFC 9293 §3.10.7.2, third): a request, or a cookie, or nothing, as the listener has room; by Linux's rules. */
export class SynArrives {
  readonly #parts: RequestParts;
  /** Of who gets a cookie: nothing is kept of him. */
  readonly #passing = new Request();
  readonly #window = new InitialWindow();

  constructor(parts: RequestParts) {
    this.#parts = parts;
  }

  /** @param iss beyond the numbers of a TIME-WAIT whose place it takes (RFC 6191): let in whatever the queue, as its peer is real; 0: no such one. */
  arrives(listener: Listener, segment: Segment, flow: ArrivedFlow, iss: number): void {
    const { host, table } = this.#parts;
    const { syncookies } = host.settings;
    const isFull = iss === 0 && (syncookies === 2 || listener.requests > listener.backlog);
    if ((isFull && syncookies === 0) || (iss === 0 && this.#isAlmostFull(listener))) {
      this.#refuse(segment, 'tcp.syn-queue');
      return;
    }
    if (listener.accepted.count > listener.backlog) {
      host.counters['listen-overflows'].value++;
      this.#refuse(segment, 'tcp.backlog');
      return;
    }
    const request = isFull ? this.#passing : table.make();
    this.fill(request, listener, segment, flow);
    if (!this.#agree(request, segment, isFull)) {
      if (!isFull) table.giveBack(request);
      this.#refuse(segment, 'tcp.listen');
      return;
    }
    if (isFull) this.#answerByCookie(request, segment);
    else this.#keep(request, segment, flow, iss);
  }

  /** Whose it is, and where it comes from. */
  fill(request: Request, listener: Listener, { seq, window }: Segment, { key, scope }: ArrivedFlow): void {
    request.listener = listener;
    request.remote0 = key.remote0;
    request.remote1 = key.remote1;
    request.remote2 = key.remote2;
    request.remote3 = key.remote3;
    request.local0 = key.local0;
    request.local1 = key.local1;
    request.local2 = key.local2;
    request.local3 = key.local3;
    request.ports = (key.localPort << 16) | key.remotePort;
    request.ifindex = listener.conn.sock.ifindex || scope;
    request.irs = seq;
    request.tsRecent = 0;
    request.said = 0;
    request.windows = window << 16;
  }

  /** Sizes and windows, `request.said` being what both sides want. False: there is no way to the peer. */
  size(request: Request, peerMssBytes: number, saidScale: number): boolean {
    const { host, synAcks } = this.#parts;
    const { conn } = request.listener!;
    const told = synAcks.toldMss(request);
    if (told === 0) return false;
    request.sizes = (peerMssBytes << 16) | told;
    const optionBytes = (request.said & SAID.TIMESTAMPS) === 0 ? 0 : ALIGNED_TIMESTAMPS_BYTES;
    const isScaled = (request.said & SAID.WINDOW_SCALING) !== 0;
    const window = this.#window;
    const full = host.fullBytes(conn);
    const clamp = conn.extra?.windowClamp ?? 0;
    window.choose(full, told - optionBytes, clamp, isScaled, host.settings.rmem[2]!, host.isMemoryShort());
    request.windows = (request.windows & ~0xffff) | window.windowBytes;
    if (isScaled) request.said |= (saidScale << SAID.SND_SHIFT_AT) | (window.shift << SAID.RCV_SHIFT_AT);
    return true;
  }

  /** What both sides want (RFC 7323 §2.2, §3.2; RFC 2018 §2). A cookie without a timestamp keeps none of it. */
  #agree(request: Request, { options }: Segment, isCookie: boolean): boolean {
    const { settings } = this.#parts.host;
    const { hasTimestamps, sackPermitted, windowScale, mssBytes, tsVal } = options;
    const keeps = !isCookie || (hasTimestamps && settings.timestamps);
    if (settings.timestamps && hasTimestamps) {
      request.said |= SAID.TIMESTAMPS;
      request.tsRecent = tsVal;
    }
    if (keeps && settings.sack && sackPermitted) request.said |= SAID.SACK;
    const isScaled = keeps && settings.windowScaling && windowScale >= 0;
    if (isScaled) request.said |= SAID.WINDOW_SCALING;
    return this.size(request, peerMss(mssBytes, isIpv4Request(request)), isScaled ? windowScale : 0);
  }

  #keep(request: Request, segment: Segment, { key }: ArrivedFlow, iss: number): void {
    const { host, secrets, table, times, synAcks } = this.#parts;
    const listener = request.listener!;
    request.iss = iss !== 0 ? iss : secrets.aim(key, key.localPort, key.remotePort).initialSequence(host.clock.nowUs);
    if ((listener.conn.flags & FLAG.SAVE_SYN) !== 0) {
      listener.savedSyns ??= new Map();
      listener.savedSyns.set(request, savedSyn(segment.skb!));
    }
    table.add(request);
    times.begin(request);
    synAcks.synAck(request);
  }

  #answerByCookie(request: Request, { seq }: Segment): void {
    const { host, cookies } = this.#parts;
    const listener = request.listener!;
    listener.hasOverflowed = true;
    listener.overflowAtMs = host.clock.nowMs;
    const table = isIpv4Request(request) ? COOKIE_MSS_IPV4 : COOKIE_MSS_IPV6;
    cookies.send(request, seq, table);
    host.counters['cookies-sent'].value++;
    request.listener = null;
  }

  /** Without cookies the last quarter is for who is known to be there; nobody is. */
  #isAlmostFull({ requests }: Listener): boolean {
    const { syncookies, maxSynBacklog } = this.#parts.host.settings;
    return syncookies === 0 && maxSynBacklog - requests < maxSynBacklog >> 2;
  }

  #refuse(segment: Segment, reason: 'tcp.syn-queue' | 'tcp.backlog' | 'tcp.listen'): void {
    const { reasons, counters } = this.#parts.host;
    counters['listen-drops'].value++;
    segment.fault = reasons[reason];
  }
}
