const MAX_FIELD = 0xffff;
const MAX_SHIFT = 14;

/** The least shift by which a window of so many bytes can be told (RFC 7323 §2.3), at most 14; as Linux, of the largest buffer that it may come to. */
export function windowShift(largestBytes: number): number {
  let shift = 0;
  while (shift < MAX_SHIFT && largestBytes > MAX_FIELD * 2 ** shift) shift++;
  return shift;
}

/**
 * The window to tell, bytes. It does not shrink (RFC 9293 §3.8.6, SHLD-14), and is not opened by less than min(half the buffer, MSS): silly window
 * avoidance of a receiver (RFC 1122 §4.2.3.3). A multiple of 1 << shift, up where it would shrink by that (RFC 7323 §2.4).
 * @param toldBytes what is left of the window told last. @param freeBytes of `bufferBytes`.
 */
export function receiveWindow(toldBytes: number, freeBytes: number, bufferBytes: number, mssBytes: number, shift: number): number {
  const step = 1 << shift;
  const most = MAX_FIELD * step;
  const down = Math.min(most, freeBytes - (freeBytes & (step - 1)));
  const isWorthIt = down - toldBytes >= Math.min(bufferBytes >> 1, mssBytes);
  return isWorthIt ? down : Math.min(most, (toldBytes + step - 1) & ~(step - 1));
}

/** What stands in the header's field; a SYN's window is not scaled (RFC 7323 §2.2). */
export function windowField(windowBytes: number, shift: number, isSyn: boolean): number {
  return Math.min(isSyn ? windowBytes : windowBytes >>> shift, MAX_FIELD);
}

/** SND.WND as a segment tells it (RFC 7323 §2.3). */
export function toldWindow(field: number, shift: number, isSyn: boolean): number {
  return isSyn ? field : field << shift;
}

/** Whether a segment's window is news (RFC 9293 §3.10.7.4): SND.WL1 < SEG.SEQ, or the same and SND.WL2 =< SEG.ACK. */
export function updatesWindow(seq: number, ack: number, wl1: number, wl2: number): boolean {
  const ahead = (seq - wl1) | 0;
  return ahead > 0 || (ahead === 0 && ((ack - wl2) | 0) >= 0);
}
