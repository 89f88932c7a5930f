import { ADDRESS_FAMILY } from '@softnet/contract';
import { layerOf } from '@softnet/inet';
import { TCP_FLAG } from '@softnet/wire';
import { BareSegment } from '../segment/bare-segment.ts';
import { SynOptions } from '../wire/put-options.ts';
import { aimAt, familyOf } from './arrived-flow.ts';
import type { FlowSecrets } from './flow-secrets.ts';
import type { HandshakeHost } from './handshake-host.ts';
import type { Request } from './request.ts';
import { localPort, remotePort, SAID } from './request.ts';

/** RFC 9293 §3.7.1: of who says none. */
const DEFAULT_MSS_IPV4 = 536;
const DEFAULT_MSS_IPV6 = 1220;

/** @param saidBytes of the peer's SYN, 0: none. */
export function peerMss(saidBytes: number, isIpv4: boolean): number {
  return saidBytes > 0 ? saidBytes : isIpv4 ? DEFAULT_MSS_IPV4 : DEFAULT_MSS_IPV6;
}

/** What goes out for a request: SYN-ACK, acknowledgement, reset. It goes as its listener's packets do (options, mark). */
export class SynAcks {
  readonly #host: HandshakeHost;
  readonly #secrets: FlowSecrets;
  readonly #bare = new BareSegment();
  readonly #syn = new SynOptions();

  constructor(host: HandshakeHost, secrets: FlowSecrets) {
    this.#host = host;
    this.#secrets = secrets;
  }

  /** The MSS that it tells; 0: there is no way to the peer. */
  toldMss(request: Request): number {
    return this.#aim(request) ? this.#host.toldMss(this.#bare, request.listener!.conn.userMssBytes) : 0;
  }

  /** @param tsVal of a cookie; else our clock. False: it could not be sent. */
  synAck(request: Request, tsVal: number = this.#tsVal(request)): boolean {
    if (!this.#aim(request)) return false;
    const bare = this.#bare;
    const syn = this.#syn;
    const { said, sizes, windows } = request;
    syn.mssBytes = sizes & 0xffff;
    syn.windowScale = (said & SAID.WINDOW_SCALING) === 0 ? -1 : (said >>> SAID.RCV_SHIFT_AT) & 0xf;
    syn.sackPermitted = (said & SAID.SACK) !== 0;
    syn.hasTimestamps = (said & SAID.TIMESTAMPS) !== 0;
    syn.tsVal = tsVal;
    syn.tsEcr = request.tsRecent;
    bare.syn = syn;
    bare.flags = TCP_FLAG.SYN | TCP_FLAG.ACK;
    bare.seq = request.iss;
    bare.ack = (request.irs + 1) | 0;
    bare.windowField = windows & 0xffff;
    return this.#host.bare(bare);
  }

  /** What is awaited, to who sends something else (RFC 9293 §3.10.7.4, RFC 5961). */
  ack(request: Request): void {
    if (!this.#aim(request)) return;
    const bare = this.#bare;
    const { said } = request;
    bare.hasTimestamps = (said & SAID.TIMESTAMPS) !== 0;
    bare.tsVal = bare.hasTimestamps ? this.#tsVal(request) : 0;
    bare.tsEcr = request.tsRecent;
    bare.flags = TCP_FLAG.ACK;
    bare.seq = (request.iss + 1) | 0;
    bare.ack = (request.irs + 1) | 0;
    bare.windowField = (request.windows & 0xffff) >>> ((said >>> SAID.RCV_SHIFT_AT) & 0xf);
    this.#host.bare(bare);
  }

  /** Nothing becomes of it (RFC 9293 §3.10.5): with an ACK, so that it counts in SYN-SENT too. */
  reset(request: Request): void {
    if (!this.#aim(request)) return;
    const bare = this.#bare;
    bare.flags = TCP_FLAG.RST | TCP_FLAG.ACK;
    bare.seq = (request.iss + 1) | 0;
    bare.ack = (request.irs + 1) | 0;
    bare.windowField = 0;
    this.#host.bare(bare);
  }

  #tsVal(request: Request): number {
    if ((request.said & SAID.TIMESTAMPS) === 0) return 0;
    return (this.#host.clock.nowMs + this.#secrets.aim(request, localPort(request), remotePort(request)).tsOffset()) | 0;
  }

  #aim(request: Request): boolean {
    const bare = this.#bare;
    const { sock } = request.listener!.conn;
    const { options } = sock;
    aimAt(bare, request, localPort(request), remotePort(request), request.ifindex);
    bare.layer = layerOf(this.#host.layers, familyOf(request));
    bare.sock = sock;
    bare.mark = options === null ? 0 : options.mark;
    bare.priority = options === null ? 0 : options.priority;
    return bare.layer !== null;
  }
}

export function isIpv4Request(request: Request): boolean {
  return familyOf(request) === ADDRESS_FAMILY.INET;
}
