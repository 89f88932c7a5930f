/**
 * Sequence numbers (RFC 9293 §3.4) and timestamps (RFC 7323 §5.2) as wrapping int32: of two that are less than 2³¹ apart it is clear which is
 * before.  What is farther apart is not accepted anywhere.
 */
export function isBefore(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function isAfter(a: number, b: number): boolean {
  return ((b - a) | 0) < 0;
}

/** `from` ≤ `seq` < `to`. */
export function isBetween(seq: number, from: number, to: number): boolean {
  return ((seq - from) | 0) >= 0 && ((seq - to) | 0) < 0;
}

export function maxSeq(a: number, b: number): number {
  return ((a - b) | 0) < 0 ? b : a;
}

export function minSeq(a: number, b: number): number {
  return ((a - b) | 0) < 0 ? a : b;
}

/**
 * Whether any of a segment lies in the receive window (RFC 9293 §3.4, the table of four cases).
 * @param lenBytes SEG.LEN, with SYN and FIN. @param windowBytes RCV.WND, not negative.
 */
export function isAcceptable(seq: number, lenBytes: number, rcvNxt: number, windowBytes: number): boolean {
  if (windowBytes === 0) return lenBytes === 0 && seq === rcvNxt;
  const end = (rcvNxt + windowBytes) | 0;
  if (isBetween(seq, rcvNxt, end)) return true;
  return lenBytes > 0 && isBetween((seq + lenBytes - 1) | 0, rcvNxt, end);
}

/** SND.UNA < SEG.ACK =< SND.NXT (RFC 9293 §3.4). */
export function isNewAck(ack: number, sndUna: number, sndNxt: number): boolean {
  return isAfter(ack, sndUna) && !isAfter(ack, sndNxt);
}

/** TS.Recent is no longer to be trusted after 24 days of silence (RFC 7323 §5.5). */
export const PAWS_OUTDATED_S = 24 * 24 * 60 * 60;

/** PAWS (RFC 7323 §5.2, R1): the stamp is older than the last one. @param silentS since TS.Recent was set. */
export function isOldTimestamp(tsVal: number, tsRecent: number, silentS: number): boolean {
  return isBefore(tsVal, tsRecent) && silentS < PAWS_OUTDATED_S;
}

/** RFC 7323 §4.3 (2): whether this segment's stamp becomes TS.Recent, to be echoed. */
export function updatesRecentTimestamp(tsVal: number, tsRecent: number, seq: number, lastAckSent: number): boolean {
  return !isBefore(tsVal, tsRecent) && !isAfter(seq, lastAckSent);
}
