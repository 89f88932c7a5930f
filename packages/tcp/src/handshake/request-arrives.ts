import { TCP_FLAG } from '@softnet/wire';
import type { Segment } from '../machine/segment.ts';
import { segmentLen } from '../machine/segment.ts';
import { isAcceptable, isAfter, isOldTimestamp } from '../machine/sequence.ts';
import type { ArrivedFlow } from './arrived-flow.ts';
import type { Children } from './children.ts';
import type { Request } from './request.ts';
import { mayAnswer, retriesOf, SAID } from './request.ts';
import type { RequestParts } from './syn-arrives.ts';

const { SYN, ACK, RST, FIN } = TCP_FLAG;
const OPENING = SYN | ACK | RST | FIN;

/** A segment for a request: SYN-RECEIVED (RFC 9293 §3.10.7.4) without a connection, with RFC 5961; in the order of Linux's `tcp_check_req`. */
export class RequestArrives {
  readonly #parts: RequestParts;
  readonly #children: Children;

  constructor(parts: RequestParts, children: Children) {
    this.#parts = parts;
    this.#children = children;
  }

  /** False: it acknowledges another SYN-ACK than ours, and is the listener's matter. */
  arrives(request: Request, segment: Segment, flow: ArrivedFlow): boolean {
    const { flags, seq, ack } = segment;
    const isOld = this.#isOld(request, segment);
    if ((flags & OPENING) === SYN && seq === request.irs && !isOld) {
      this.#again(request, segment);
      return true;
    }
    if ((flags & ACK) !== 0 && ack !== ((request.iss + 1) | 0)) return false;
    if (isOld || !isInWindow(request, segment)) this.#answerStray(request, segment, isOld ? 'tcp.paws' : 'tcp.window');
    else this.#inWindow(request, segment, flow);
    return true;
  }

  #inWindow(request: Request, segment: Segment, flow: ArrivedFlow): void {
    const { reasons } = this.#parts.host;
    const { flags, seq, options } = segment;
    const rcvNxt = (request.irs + 1) | 0;
    if (options.hasTimestamps && (request.said & SAID.TIMESTAMPS) !== 0 && !isAfter(seq, rcvNxt)) request.tsRecent = options.tsVal;
    if ((flags & RST) !== 0) this.#reset(request, segment);
    else if ((flags & SYN) !== 0) {
      segment.fault = reasons['tcp.syn'];
      this.#challenge(request);
    } else if ((flags & ACK) === 0) segment.fault = reasons['tcp.no-ack'];
    else this.#acknowledged(request, segment, flow);
  }

  /** The SYN came again, so the SYN-ACK was lost, or is late. */
  #again(request: Request, segment: Segment): void {
    const { synAcks, times } = this.#parts;
    segment.fault = this.#parts.host.reasons['tcp.duplicate'];
    if (this.#mayAnswer(request) && synAcks.synAck(request)) times.begin(request);
  }

  /** RFC 5961 §3.2: exactly RCV.NXT. */
  #reset(request: Request, segment: Segment): void {
    const { host, table, times } = this.#parts;
    if (segment.seq !== ((request.irs + 1) | 0)) {
      segment.fault = host.reasons['tcp.reset'];
      this.#challenge(request);
      return;
    }
    host.counters['attempt-fails'].value++;
    times.end(request);
    table.remove(request);
  }

  /** The ACK that is awaited: it becomes a connection, if the listener has room for it (RFC 9293 §3.10.7.4, fifth). */
  #acknowledged(request: Request, segment: Segment, flow: ArrivedFlow): void {
    const { host, table, times, strays } = this.#parts;
    const listener = request.listener!;
    const { extra } = listener.conn;
    if (extra !== null && retriesOf(request) < extra.deferAccept && isBare(request, segment)) {
      request.said |= SAID.ACKED;
      return;
    }
    if (this.#children.open(request, segment, true)) return;
    if (!host.settings.abortOnOverflow) {
      request.said |= SAID.ACKED;
      return;
    }
    strays.refuse(segment, flow);
    times.end(request);
    table.remove(request);
  }

  #answerStray(request: Request, segment: Segment, reason: 'tcp.paws' | 'tcp.window'): void {
    const { host, synAcks } = this.#parts;
    segment.fault = host.reasons[reason];
    if (reason === 'tcp.paws') host.counters.paws.value++;
    if ((segment.flags & RST) !== 0) return;
    const isData = segment.lenBytes > 0 && (segment.flags & SYN) === 0;
    if (isData || this.#mayAnswer(request)) synAcks.ack(request);
  }

  #challenge(request: Request): void {
    const { host, synAcks } = this.#parts;
    if (!this.#mayAnswer(request) || !host.mayChallenge()) return;
    host.counters['challenge-acks'].value++;
    synAcks.ack(request);
  }

  /** No more often than `tcp_invalid_ratelimit`. */
  #mayAnswer(request: Request): boolean {
    const { clock, settings } = this.#parts.host;
    return mayAnswer(request, clock.nowMs, settings.invalidRatelimit);
  }

  #isOld({ said, tsRecent }: Request, { options }: Segment): boolean {
    return (said & SAID.TIMESTAMPS) !== 0 && options.hasTimestamps && isOldTimestamp(options.tsVal, tsRecent, 0);
  }
}

function isInWindow({ irs, windows }: Request, segment: Segment): boolean {
  return isAcceptable(segment.seq, segmentLen(segment), (irs + 1) | 0, windows & 0xffff);
}

/** Nothing comes with it, and nothing is missing before it. */
function isBare({ irs }: Request, segment: Segment): boolean {
  return ((segment.seq + segmentLen(segment)) | 0) === ((irs + 1) | 0);
}
