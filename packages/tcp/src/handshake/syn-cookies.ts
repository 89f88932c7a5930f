import type { Segment } from '../machine/segment.ts';
import {
  COOKIE_TICK_S,
  CookieOptions,
  cookieMssIndex,
  cookieTimestamp,
  makeCookie,
  readCookie,
  readCookieTimestamp,
} from '../machine/syn-cookie.ts';
import type { ArrivedFlow } from './arrived-flow.ts';
import type { FlowSecrets } from './flow-secrets.ts';
import type { HandshakeHost } from './handshake-host.ts';
import type { Listener } from './listener.ts';
import type { Request } from './request.ts';
import { localPort, remotePort, SAID } from './request.ts';
import type { SynAcks } from './syn-acks.ts';

const US_IN_TICK = COOKIE_TICK_S * 1_000_000;
/** So long after a listener overflowed an ACK may answer a cookie: as long as one is good. */
const VALID_MS = 2 * COOKIE_TICK_S * 1000;

/** SYN cookies (RFC 4987 §3.6): a request that is kept in the SYN-ACK alone. */
export class SynCookies {
  readonly #host: HandshakeHost;
  readonly #secrets: FlowSecrets;
  readonly #synAcks: SynAcks;
  readonly #options = new CookieOptions();

  constructor(host: HandshakeHost, secrets: FlowSecrets, synAcks: SynAcks) {
    this.#host = host;
    this.#secrets = secrets;
    this.#synAcks = synAcks;
  }

  /** Sends the SYN-ACK. @param table of MSS: the largest that is not above the peer's is what is kept. */
  send(request: Request, peerIsn: number, table: readonly number[]): void {
    const index = cookieMssIndex(table, request.sizes >>> 16);
    const secrets = this.#secrets.aim(request, localPort(request), remotePort(request));
    request.iss = makeCookie(secrets.cookieHash, peerIsn, this.#tick, index);
    const { said } = request;
    if ((said & SAID.TIMESTAMPS) === 0) {
      this.#synAcks.synAck(request);
      return;
    }
    const options = this.#options;
    options.windowScale = (said & SAID.WINDOW_SCALING) === 0 ? -1 : (said >>> SAID.SND_SHIFT_AT) & 0xf;
    options.sackPermitted = (said & SAID.SACK) !== 0;
    options.ecn = false;
    this.#synAcks.synAck(request, (cookieTimestamp(this.#host.clock.nowMs, options) + secrets.tsOffset()) | 0);
  }

  /** @returns the peer's MSS, where this acknowledges a cookie of ours; 0: it does not. */
  mssOf(listener: Listener, { seq, ack }: Segment, { key }: ArrivedFlow, table: readonly number[]): number {
    const { settings, counters } = this.#host;
    if (settings.syncookies === 0 || !this.#mayBelieve(listener)) return 0;
    const { cookieHash } = this.#secrets.aim(key, key.localPort, key.remotePort);
    const index = readCookie(cookieHash, (ack - 1) | 0, (seq - 1) | 0, this.#tick, table.length);
    if (index < 0) {
      counters['cookies-failed'].value++;
      return 0;
    }
    counters['cookies-received'].value++;
    return table[index]!;
  }

  /**
   * What its timestamp says of the SYN's options, into `request.said`. @returns the peer's window scale, 0 where there is none; -1: of what we do not do, so it is none of ours.
   */
  readOptions(request: Request, { options }: Segment): number {
    const { settings } = this.#host;
    if (!options.hasTimestamps) return 0;
    if (!settings.timestamps) return -1;
    const said = this.#options;
    const offset = this.#secrets.aim(request, localPort(request), remotePort(request)).tsOffset();
    readCookieTimestamp((options.tsEcr - offset) | 0, said);
    if ((said.sackPermitted && !settings.sack) || (said.windowScale >= 0 && !settings.windowScaling)) return -1;
    request.said = SAID.TIMESTAMPS | (said.sackPermitted ? SAID.SACK : 0) | (said.windowScale >= 0 ? SAID.WINDOW_SCALING : 0);
    request.tsRecent = options.tsVal;
    return Math.max(0, said.windowScale);
  }

  #mayBelieve({ hasOverflowed, overflowAtMs }: Listener): boolean {
    const sinceMs = (this.#host.clock.nowMs - overflowAtMs) | 0;
    return hasOverflowed && sinceMs >= 0 && sinceMs <= VALID_MS;
  }

  get #tick(): number {
    return Math.floor(this.#host.clock.nowUs / US_IN_TICK);
  }
}
