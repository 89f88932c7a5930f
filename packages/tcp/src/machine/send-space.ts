import type { Connection } from './connection.ts';
import { FLAG } from './connection.ts';
import { isAfter } from './sequence.ts';

/** The RTO, in whole ms. */
export function rtoMs({ roundTrip }: Connection): number {
  return Math.ceil(roundTrip.timeoutUs / 1000);
}

/** Octets that were given and not sent; -1 behind a FIN. */
export function unsentBytes({ writeSeq, sndNxt }: Connection): number {
  return (writeSeq - sndNxt) | 0;
}

/** U of RFC 1122 §4.2.3.4: SND.UNA + SND.WND - SND.NXT. */
export function usableBytes({ sndUna, sndWnd, sndNxt }: Connection): number {
  return (sndUna + sndWnd - sndNxt) | 0;
}

/** With less than this a peer's window is not halved; and the least that an IPv4 packet carries (RFC 791), which even then is sent. */
const SMALL_WINDOW = 536;
const LEAST_SEGMENT = 68 - 20;

/** Payload of a segment for this peer: at most half of the largest window that it ever told, so that two fit (Linux's `tcp_bound_to_half_wnd`). */
export function boundedSegmentBytes({ segmentBytes, maxWindowBytes }: Connection): number {
  const bound = maxWindowBytes > SMALL_WINDOW ? maxWindowBytes >> 1 : maxWindowBytes;
  return bound > 0 && bound < segmentBytes ? Math.max(bound, LEAST_SEGMENT) : segmentBytes;
}

/** The user has closed, and the FIN has not gone. */
export function finWaits({ flags }: Connection): boolean {
  return (flags & (FLAG.FIN_QUEUED | FLAG.FIN_SENT)) === FLAG.FIN_QUEUED;
}

/** Data, or a FIN, have not been sent yet. */
export function hasUnsent(conn: Connection): boolean {
  return unsentBytes(conn) > 0 || finWaits(conn);
}

/** Too much of it waits in queues of devices: more goes when that has left, so that it does not wait there behind itself (Linux's small queues). As there, the first two go all the same. */
export function isThrottled({ belowBytes, sentFirst, sentLast }: Connection, limitBytes: number): boolean {
  return belowBytes > limitBytes && sentFirst !== sentLast;
}

/** SEG.SEQ of what has no data: SND.NXT, but not beyond a window that has shrunk, where it would not be looked at. */
export function acceptableSeq({ sndNxt, sndUna, sndWnd }: Connection): number {
  const end = (sndUna + sndWnd) | 0;
  return isAfter(sndNxt, end) ? end : sndNxt;
}

/**
 * What of so many octets from `seq` on is sent again: a window that has shrunk lets no more through (RFC 9293 §3.8.6). The first segment goes all the same, as a probe; as Linux. 0: nothing.
 */
export function resendableBytes({ sndUna, sndWnd }: Connection, seq: number, lenBytes: number): number {
  const left = (sndUna + sndWnd - seq) | 0;
  if (left >= lenBytes) return lenBytes;
  if (left > 0) return left;
  return seq === sndUna ? lenBytes : 0;
}
