import type { Connection } from '../machine/connection.ts';

/** RFC 1122 §4.2.2.6's default, beyond which the size of what comes is not guessed, and Linux's least. */
const GUESSED_MSS = 536;
const LEAST_MSS = 88;

/** ISS is chosen, IRS is known (RFC 9293 §3.4.1): nothing is sent, nothing received but the SYN. */
export function beginSequences(conn: Connection, iss: number, irs: number): void {
  beginSending(conn, iss);
  beginReceiving(conn, irs);
}

/** SND.UNA = ISS; what the user gives stands behind the SYN. */
export function beginSending(conn: Connection, iss: number): void {
  conn.iss = iss;
  conn.sndUna = iss;
  conn.sndNxt = iss;
  conn.writeSeq = (iss + 1) | 0;
  conn.pushSeq = conn.writeSeq;
  conn.pushedSeq = conn.writeSeq;
  conn.smallEnd = conn.writeSeq;
  conn.sndUp = conn.writeSeq;
  conn.sndWl2 = iss;
}

/** RCV.NXT = IRS + 1. */
export function beginReceiving(conn: Connection, irs: number): void {
  const next = (irs + 1) | 0;
  conn.irs = irs;
  conn.rcvNxt = next;
  conn.rcvWup = next;
  conn.copiedSeq = next;
  conn.lastAckSent = next;
}

/** A first guess of how large the segments are that come, for the delayed acknowledgement (Linux's `tcp_initialize_rcv_mss`). */
export function firstReceiveMss({ toldMssBytes, mssBytes, rcvWnd }: Connection): number {
  return Math.max(LEAST_MSS, Math.min(toldMssBytes, mssBytes, rcvWnd >> 1, GUESSED_MSS));
}
