import type { SockCommon } from '@softnet/contract';
import { SOCK_FLAG } from '@softnet/contract';
import { layerOf } from '@softnet/inet';
import { TCP_FLAG } from '@softnet/wire';
import type { Segment } from '../machine/segment.ts';
import { segmentLen } from '../machine/segment.ts';
import { isAcceptable, isAfter, isOldTimestamp } from '../machine/sequence.ts';
import { TCP_STATE } from '../machine/state.ts';
import { mayReuseTimeWait } from '../machine/time-wait-reuse.ts';
import { BareSegment } from '../segment/bare-segment.ts';
import { ArrivedFlow, aimAt, familyOf } from './arrived-flow.ts';
import type { HandshakeHost } from './handshake-host.ts';
import type { Listeners } from './listeners.ts';
import type { Strays } from './strays.ts';
import type { TimeWait } from './time-wait.ts';
import type { TimeWaits } from './time-waits.ts';
import { beyond } from './time-waits.ts';

const { SYN, ACK, RST, FIN } = TCP_FLAG;
const US_IN_S = 1_000_000;

/** SEGMENT ARRIVES in TIME-WAIT (RFC 9293 §3.10.7.4, RFC 6191, RFC 1337), and in FIN-WAIT-2 without a user; in the order of Linux's `tcp_timewait_state_process`. */
export class TimeWaitArrives {
  readonly #host: HandshakeHost;
  readonly #waits: TimeWaits;
  readonly #listeners: Listeners;
  readonly #strays: Strays;
  readonly #flow: ArrivedFlow;
  readonly #bare = new BareSegment();

  constructor(host: HandshakeHost, waits: TimeWaits, listeners: Listeners, strays: Strays) {
    this.#host = host;
    this.#waits = waits;
    this.#listeners = listeners;
    this.#strays = strays;
    this.#flow = new ArrivedFlow(host.layers);
  }

  arrives(sock: SockCommon, segment: Segment): void {
    const timeWait = sock.ext as TimeWait;
    const { reasons, counters } = this.#host;
    segment.fault = reasons['tcp.time-wait'];
    const isOld = this.#isOld(timeWait, segment);
    if (isOld) counters.paws.value++;
    if (sock.state === TCP_STATE.FIN_WAIT_2) this.#inFinWait(timeWait, segment, isOld);
    else this.#inTimeWait(timeWait, segment, isOld);
  }

  /** FIN-WAIT-2 without a user: data are for nobody, only the FIN is awaited. */
  #inFinWait(timeWait: TimeWait, segment: Segment, isOld: boolean): void {
    const { flags, seq, lenBytes } = segment;
    const len = segmentLen(segment);
    if (isOld || !isAcceptable(seq, len, timeWait.rcvNxt, timeWait.rcvWnd)) this.#answer(timeWait, segment);
    else if ((flags & RST) !== 0) this.#reset(timeWait, segment);
    else if ((flags & SYN) !== 0) this.#refuse(timeWait, segment);
    else if ((flags & ACK) === 0 || len === 0 || !isAfter((seq + len) | 0, timeWait.rcvNxt)) return;
    else if ((flags & FIN) === 0 || lenBytes > 0 || seq !== timeWait.rcvNxt) this.#refuse(timeWait, segment);
    else this.#closed(timeWait, segment);
  }

  /** The FIN: TIME-WAIT. */
  #closed(timeWait: TimeWait, segment: Segment): void {
    const { settings, counters } = this.#host;
    segment.fault = null;
    timeWait.rcvNxt = (segment.seq + 1) | 0;
    timeWait.sock.state = TCP_STATE.TIME_WAIT;
    counters['time-waits'].value++;
    this.#takeTimestamp(timeWait, segment);
    this.#waits.wait(timeWait, settings.timeWaitMs);
    this.#acknowledge(timeWait);
  }

  #inTimeWait(timeWait: TimeWait, segment: Segment, isOld: boolean): void {
    const { settings } = this.#host;
    const { flags, seq } = segment;
    const isReset = (flags & RST) !== 0;
    if (!isOld && seq === timeWait.rcvNxt && (segmentLen(segment) === 0 || isReset)) {
      if (isReset) {
        // Assassination (RFC 1337 §3, F1).
        if (settings.rfc1337) return;
        this.#reset(timeWait, segment);
        return;
      }
      this.#takeTimestamp(timeWait, segment);
      this.#waits.wait(timeWait, settings.timeWaitMs);
      return;
    }
    if (isReset) return;
    if ((flags & (SYN | ACK)) === SYN && this.#isSucceeded(timeWait, segment)) return;
    // A FIN that comes again, or what is old: 2 MSL begin anew. A SYN without an ACK may be new, and is only told where we are.
    if (isOld || (flags & ACK) !== 0) this.#waits.wait(timeWait, settings.timeWaitMs);
    this.#answer(timeWait, segment);
  }

  /** RFC 6191 §2: a new connection takes its place, if somebody listens. True: the segment is his. */
  #isSucceeded(timeWait: TimeWait, segment: Segment): boolean {
    const { sock, rcvNxt, hasTimestamps, tsRecent } = timeWait;
    const { options, seq } = segment;
    if (!mayReuseTimeWait(seq, rcvNxt, hasTimestamps, tsRecent, options.hasTimestamps, options.tsVal)) return false;
    const flow = this.#flow;
    if (segment.skb === null || !flow.read(segment.skb)) return false;
    const listener = this.#host.listenerBehind(sock, flow.key);
    if (listener === null) return false;
    if ((listener.conn.sock.flags & SOCK_FLAG.PARKED) !== 0) {
      segment.fault = this.#host.reasons['tcp.parked'];
      return true;
    }
    const iss = beyond(timeWait);
    this.#waits.end(timeWait);
    segment.fault = null;
    this.#listeners.succeeds(listener, segment, iss);
    return true;
  }

  #reset(timeWait: TimeWait, segment: Segment): void {
    segment.fault = null;
    this.#waits.end(timeWait);
  }

  /** What nobody will read: the peer must know. */
  #refuse(timeWait: TimeWait, segment: Segment): void {
    segment.fault = this.#host.reasons['tcp.closed'];
    if (segment.skb !== null && this.#flow.read(segment.skb)) this.#strays.refuse(segment, this.#flow);
    this.#waits.end(timeWait);
  }

  /** No more often than `tcp_invalid_ratelimit`, where nothing is in it. */
  #answer(timeWait: TimeWait, { flags, lenBytes }: Segment): void {
    const { clock, settings } = this.#host;
    if ((flags & RST) !== 0) return;
    const sinceMs = (clock.nowMs - timeWait.answeredMs) | 0;
    const isLimited = lenBytes === 0 || (flags & SYN) !== 0;
    if (isLimited && timeWait.answeredMs !== 0 && sinceMs >= 0 && sinceMs < settings.invalidRatelimit) return;
    if (isLimited) timeWait.answeredMs = clock.nowMs;
    this.#acknowledge(timeWait);
  }

  #acknowledge(timeWait: TimeWait): void {
    const bare = this.#bare;
    const { sock } = timeWait;
    bare.layer = layerOf(this.#host.layers, familyOf(sock));
    if (bare.layer === null) return;
    aimAt(bare, sock, sock.localPort, sock.remotePort, sock.ifindex);
    bare.sock = null;
    bare.mark = timeWait.mark;
    bare.priority = timeWait.priority;
    bare.flags = ACK;
    bare.seq = timeWait.sndNxt;
    bare.ack = timeWait.rcvNxt;
    bare.windowField = Math.min(0xffff, timeWait.rcvWnd >>> timeWait.rcvShift);
    bare.hasTimestamps = timeWait.hasTimestamps;
    bare.tsVal = (this.#host.clock.nowMs + timeWait.tsOffset) | 0;
    bare.tsEcr = timeWait.tsRecent;
    this.#host.bare(bare);
  }

  /** PAWS (RFC 7323 §5.3), which no reset is subject to. */
  #isOld({ hasTimestamps, tsRecent, tsRecentAtS }: TimeWait, { options, flags }: Segment): boolean {
    if (!hasTimestamps || !options.hasTimestamps || (flags & RST) !== 0) return false;
    return isOldTimestamp(options.tsVal, tsRecent, this.#nowS - tsRecentAtS);
  }

  #takeTimestamp(timeWait: TimeWait, { options }: Segment): void {
    if (!timeWait.hasTimestamps || !options.hasTimestamps) return;
    timeWait.tsRecent = options.tsVal;
    timeWait.tsRecentAtS = this.#nowS;
  }

  get #nowS(): number {
    return Math.floor(this.#host.clock.nowUs / US_IN_S);
  }
}
