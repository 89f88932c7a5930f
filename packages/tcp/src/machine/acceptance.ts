import { TCP_FLAG } from '@softnet/wire';
import type { Closing } from './closing.ts';
import type { Connection } from './connection.ts';
import { FLAG, windowLeft } from './connection.ts';
import type { DelayedAck } from './delayed-ack.ts';
import type { MachineHost } from './machine-host.ts';
import type { Output } from './output.ts';
import type { Reception } from './reception.ts';
import type { Segment } from './segment.ts';
import { segmentLen } from './segment.ts';
import { isAfter, isBefore, isOldTimestamp } from './sequence.ts';
import { TCP_STATE } from './state.ts';

const { ACK, FIN, RST, SYN } = TCP_FLAG;
const { SYN_RECEIVED } = TCP_STATE;
const MS_IN_S = 1000;

/** The first four checks of RFC 9293 §3.10.7.4, with RFC 5961 and PAWS (RFC 7323 §5): sequence number, RST, SYN; and what is answered to who fails in them. */
export class Acceptance {
  readonly #host: MachineHost;
  readonly #output: Output;
  readonly #acks: DelayedAck;
  readonly #reception: Reception;
  readonly #closing: Closing;

  constructor(host: MachineHost, output: Output, acks: DelayedAck, reception: Reception, closing: Closing) {
    this.#host = host;
    this.#output = output;
    this.#acks = acks;
    this.#reception = reception;
    this.#closing = closing;
  }

  /** First to fourth: sequence number, timestamp, RST, SYN. False: it is done with, `fault` says why. */
  passes(conn: Connection, segment: Segment): boolean {
    const { reasons, counters, clock } = this.#host;
    const { flags } = segment;
    // A reset is as good as its sequence number (RFC 7323 §5.2).
    if ((flags & RST) === 0 && isOld(conn, segment, nowS(clock.nowUs))) {
      counters.paws.value++;
      segment.fault = reasons['tcp.paws'];
      this.#answerStray(conn, segment);
      return false;
    }
    if (isSynAckOfBoth(conn, segment)) {
      conn.flags |= FLAG.ACK_PENDING | FLAG.ACK_NOW;
      return true;
    }
    if (!isInWindow(conn, segment)) {
      segment.fault = reasons['tcp.window'];
      if ((flags & RST) === 0) this.#answerStray(conn, segment);
      return false;
    }
    if ((flags & RST) !== 0) return this.#reset(conn, segment);
    if ((flags & SYN) === 0) return true;
    // RFC 5961 §4.2, whatever its sequence number: who lost his state answers our challenge by a reset.
    segment.fault = reasons['tcp.syn'];
    this.challenge(conn);
    return false;
  }

  /** RFC 5961 §3.2: exactly RCV.NXT, or the end of what was SACKed, resets; elsewhere in the window it is challenged. */
  #reset(conn: Connection, segment: Segment): false {
    if (segment.seq === conn.rcvNxt || segment.seq === highestSacked(conn)) this.#closing.resetByPeer(conn);
    else {
      segment.fault = this.#host.reasons['tcp.reset'];
      this.challenge(conn);
    }
    return false;
  }

  /** What lies outside of the window, or is too old, is answered by what is awaited: no more often than `tcp_invalid_ratelimit` where nothing is in it. A SYN is challenged. */
  #answerStray(conn: Connection, segment: Segment): void {
    if ((segment.flags & SYN) !== 0) {
      this.challenge(conn);
      return;
    }
    if (segmentLen(segment) === 0 && !this.#mayAnswer(conn)) return;
    if (segmentLen(segment) > 0 && isBefore(segment.seq, conn.rcvNxt)) {
      this.#acks.quick(conn);
      this.#reception.stray(conn, segment);
    }
    this.#output.ackNow(conn);
    this.#reception.settle(conn);
  }

  /** A challenge ACK (RFC 5961 §7): limited for a connection, and for all. */
  challenge(conn: Connection): void {
    const { counters } = this.#host;
    if (!this.#mayAnswer(conn) || !this.#host.mayChallenge()) return;
    counters['challenge-acks'].value++;
    this.#output.ackNow(conn);
  }

  #mayAnswer(conn: Connection): boolean {
    const { clock, settings } = this.#host;
    const sinceMs = (clock.nowMs - conn.lastChallengeMs) | 0;
    if (conn.lastChallengeMs !== 0 && sinceMs >= 0 && sinceMs < settings.invalidRatelimit) return false;
    conn.lastChallengeMs = clock.nowMs;
    return true;
  }
}

/** PAWS (RFC 7323 §5.3 R1). A pure acknowledgement that was overtaken is let through, as Linux does: it says nothing new. */
function isOld(conn: Connection, { options, lenBytes, flags, seq, ack }: Segment, nowS: number): boolean {
  if ((conn.flags & FLAG.TIMESTAMPS) === 0 || !options.hasTimestamps) return false;
  const { tsVal } = options;
  if (!isOldTimestamp(tsVal, conn.tsRecent, nowS - conn.tsRecentAtS)) return false;
  const isPure = lenBytes === 0 && (flags & (SYN | FIN)) === 0 && seq === conn.rcvNxt && ack === conn.sndUna;
  return !isPure || ((conn.tsRecent - tsVal) | 0) > MS_IN_S;
}

/** Kernel seconds. */
export function nowS(nowUs: number): number {
  return Math.floor(nowUs / 1e6);
}

/**
 * First (RFC 9293 §3.10.7.4), as wide as Linux: what begins at the end of the window counts for its ACK and RST, also where the window is shut; and what was overtaken by data that are
 * not acknowledged yet.
 */
function isInWindow(conn: Connection, segment: Segment): boolean {
  const { seq } = segment;
  return !isBefore((seq + segmentLen(segment)) | 0, conn.rcvWup) && !isAfter(seq, (conn.rcvNxt + windowLeft(conn)) | 0);
}

/** RFC 9293 §3.5, figure 8: both have opened; the peer's SYN comes once more, and acknowledges ours. */
function isSynAckOfBoth({ sock, rcvNxt, sndNxt }: Connection, segment: Segment): boolean {
  const { flags, seq, ack } = segment;
  return (
    sock.state === SYN_RECEIVED &&
    (flags & (SYN | ACK | RST)) === (SYN | ACK) &&
    seq === ((rcvNxt - 1) | 0) &&
    ack === sndNxt &&
    segmentLen(segment) === 1
  );
}

/** Behind the highest octet that we have SACKed; RCV.NXT where none is. */
function highestSacked({ disorder, rcvNxt }: Connection): number {
  let highest = rcvNxt;
  if (disorder === null) return highest;
  const { edges, count } = disorder.report;
  for (let i = 0; i < count; i++) if (isAfter(edges[2 * i + 1]!, highest)) highest = edges[2 * i + 1]!;
  return highest;
}
