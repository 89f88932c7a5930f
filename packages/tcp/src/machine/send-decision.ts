/** Why a segment is, or is not, sent now. */
export const SEND = Object.freeze({
  /** Nothing is there, or the window is shut. */
  NOTHING: 0,
  /** A whole segment. */
  FULL: 1,
  /** The rest of what there is, small as it is. */
  REST: 2,
  /** Half of the largest window that the peer ever told. */
  HALF_WINDOW: 3,
  /** Waits for more, or for an acknowledgement (Nagle, cork). */
  HELD: 4,
  /** Waits for more window: the persist timer guards it. */
  SILLY: 5,
} as const);

/** What there is to send, and what may be. Kept, and filled anew. */
export class SendQuestion {
  /** D of RFC 1122 §4.2.3.4: bytes that are there and not sent. */
  unsentBytes = 0;
  /** U: SND.UNA + SND.WND - SND.NXT. */
  usableBytes = 0;
  /** Max(SND.WND). */
  maxWindowBytes = 0;
  mssBytes = 0;
  /** TCP_NODELAY; TCP_CORK or MSG_MORE. */
  isNoDelay = false;
  isCorked = false;
  /** A segment that was not full is in flight (Minshall). */
  isSmallInFlight = false;
  /** The override timer, or a FIN behind the data: all goes. */
  isForced = false;
}

/**
 * Silly window avoidance of a sender (RFC 1122 §4.2.3.4, RFC 9293 §3.8.6.2.1), and Nagle as Minshall changed it and Linux has it: a small segment waits
 * only while another small one is in flight. @returns one of {@link SEND}.
 */
export function decideSend(asked: SendQuestion): number {
  const bytes = Math.min(asked.unsentBytes, asked.usableBytes);
  if (bytes <= 0) return SEND.NOTHING;
  if (bytes >= asked.mssBytes) return SEND.FULL;
  if (asked.unsentBytes <= asked.usableBytes) {
    if (asked.isForced) return SEND.REST;
    if (asked.isCorked) return SEND.HELD;
    return asked.isNoDelay || !asked.isSmallInFlight ? SEND.REST : SEND.HELD;
  }
  if (asked.isForced || 2 * bytes >= asked.maxWindowBytes) return SEND.HALF_WINDOW;
  return SEND.SILLY;
}
