import { isAfter } from './sequence.ts';

/**
 * Whether a SYN may take the place of a connection in TIME-WAIT (RFC 6191 §2): by timestamps, where the new connection has them, else by sequence numbers
 * (RFC 1122 §4.2.2.13). One that may not is dropped in silence.
 * @param rcvNxt, tsRecent of the old one. @param hadTimestamps the old one had them. @param hasTimestamps, tsVal the SYN's.
 */
export function mayReuseTimeWait(
  seq: number,
  rcvNxt: number,
  hadTimestamps: boolean,
  tsRecent: number,
  hasTimestamps: boolean,
  tsVal: number,
): boolean {
  if (hasTimestamps) {
    if (!hadTimestamps) return true;
    if (tsVal !== tsRecent) return isAfter(tsVal, tsRecent);
  }
  return isAfter(seq, rcvNxt);
}
