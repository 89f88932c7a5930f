/**
 * The receive buffer that a connection deserves (dynamic right-sizing; Linux's `tcp_rcv_space_adjust`): room for what its user read in a round trip,
 * twice as the sender may double, and a little. Never less than before.
 * @param copiedBytes read in the last round trip. @param beforeBytes the same, of the round trip before.
 */
export function receiveBuffer(bufferBytes: number, copiedBytes: number, beforeBytes: number, mssBytes: number, maxBytes: number): number {
  if (copiedBytes <= beforeBytes) return bufferBytes;
  const window = 2 * copiedBytes + 16 * mssBytes;
  const growth = Math.floor((window * (copiedBytes - beforeBytes)) / Math.max(beforeBytes, 1));
  return Math.max(bufferBytes, Math.min(window + 2 * growth, maxBytes));
}

/** The send buffer for a congestion window (Linux's `tcp_sndbuf_expand`): twice the window, at least of `initialCwnd` and of the reordering that is borne. */
export function sendBuffer(
  bufferBytes: number,
  cwnd: number,
  initialCwnd: number,
  reordering: number,
  trueSize: number,
  maxBytes: number,
): number {
  const packets = Math.max(cwnd, initialCwnd, reordering + 1);
  return Math.max(bufferBytes, Math.min(2 * packets * trueSize, maxBytes));
}
