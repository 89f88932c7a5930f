/** The states of RFC 9293 §3.3.2, by Linux's numbers, as `SockCommon.state`; CLOSED is 0 there, and 7 to users (`TCP_INFO`). */
export const TCP_STATE = Object.freeze({
  CLOSED: 0,
  ESTABLISHED: 1,
  SYN_SENT: 2,
  SYN_RECEIVED: 3,
  FIN_WAIT_1: 4,
  FIN_WAIT_2: 5,
  TIME_WAIT: 6,
  CLOSE_WAIT: 8,
  LAST_ACK: 9,
  LISTEN: 10,
  CLOSING: 11,
} as const);
/** What Linux calls CLOSED. */
export const LINUX_CLOSE = 7;

/** What changes a state (RFC 9293 §3.3.2, figure 5). */
export const TCP_EVENT = Object.freeze({
  /** The user's active and passive OPEN. */
  CONNECT: 0,
  LISTEN: 1,
  /** A SYN came: to who listens, or who has sent one (simultaneous open). */
  SYN: 2,
  /** Our SYN is acknowledged: by a SYN-ACK, or of a simultaneous or passive open by an ACK. */
  SYN_ACKED: 3,
  /** The user's CLOSE, or shutdown for sending: a FIN is queued. */
  CLOSE: 4,
  FIN: 5,
  FIN_ACKED: 6,
  /** 2 MSL passed, or a SYN may take its place. */
  TIME_OUT: 7,
  /** RST either way, ABORT, too many retransmissions, the user's CLOSE of who never was connected. */
  ABORT: 8,
} as const);

const NAMES: Readonly<Record<number, string>> = Object.freeze(
  Object.fromEntries(Object.entries(TCP_STATE).map(([name, number]) => [number, name.replaceAll('_', '-')])),
);
const EVENTS: readonly string[] = Object.freeze(Object.keys(TCP_EVENT));
const S = TCP_STATE;

/**
 * Figure 5 of RFC 9293, and the text of §3.10: state × event → state; -1: that cannot be. In the order of {@link TCP_EVENT}:
 * connect, listen, SYN, our SYN acknowledged, close, FIN, our FIN acknowledged, time out; an abort leads to CLOSED from everywhere.
 */
const TABLE: Readonly<Record<number, readonly number[]>> = Object.freeze({
  [S.CLOSED]: [S.SYN_SENT, S.LISTEN, S.SYN_RECEIVED, -1, S.CLOSED, -1, -1, S.CLOSED],
  [S.LISTEN]: [S.SYN_SENT, S.LISTEN, S.SYN_RECEIVED, -1, S.CLOSED, -1, -1, -1],
  [S.SYN_SENT]: [-1, -1, S.SYN_RECEIVED, S.ESTABLISHED, S.CLOSED, -1, -1, S.CLOSED],
  [S.SYN_RECEIVED]: [-1, -1, S.SYN_RECEIVED, S.ESTABLISHED, S.FIN_WAIT_1, S.CLOSE_WAIT, -1, S.CLOSED],
  [S.ESTABLISHED]: [-1, -1, -1, S.ESTABLISHED, S.FIN_WAIT_1, S.CLOSE_WAIT, -1, S.CLOSED],
  [S.FIN_WAIT_1]: [-1, -1, -1, S.FIN_WAIT_1, S.FIN_WAIT_1, S.CLOSING, S.FIN_WAIT_2, S.CLOSED],
  [S.FIN_WAIT_2]: [-1, -1, -1, -1, S.FIN_WAIT_2, S.TIME_WAIT, -1, S.CLOSED],
  [S.CLOSE_WAIT]: [-1, -1, -1, -1, S.LAST_ACK, S.CLOSE_WAIT, -1, S.CLOSED],
  [S.CLOSING]: [-1, -1, -1, -1, S.CLOSING, S.CLOSING, S.TIME_WAIT, S.CLOSED],
  [S.LAST_ACK]: [-1, -1, -1, -1, S.LAST_ACK, S.LAST_ACK, S.CLOSED, S.CLOSED],
  [S.TIME_WAIT]: [-1, -1, -1, -1, S.TIME_WAIT, S.TIME_WAIT, -1, S.CLOSED],
});

/** @throws Error where the table has no way: our own fault, and the message says which. */
export function nextState(state: number, event: number): number {
  if (event === TCP_EVENT.ABORT) return S.CLOSED;
  const next = TABLE[state]?.[event] ?? -1;
  if (next < 0) throw new Error(`TCP: ${stateName(state)} has no way out by ${EVENTS[event]}`);
  return next;
}

/** 'SYN-SENT'. */
export function stateName(state: number): string {
  return NAMES[state] ?? `state ${state}`;
}

/** Bit of a state, for sets of them. */
export function bitOf(state: number): number {
  return 1 << state;
}

/** Both sides know of one another: a bit set of states. */
export const SYNCHRONIZED: number =
  bitOf(S.ESTABLISHED) |
  bitOf(S.FIN_WAIT_1) |
  bitOf(S.FIN_WAIT_2) |
  bitOf(S.CLOSE_WAIT) |
  bitOf(S.CLOSING) |
  bitOf(S.LAST_ACK) |
  bitOf(S.TIME_WAIT);
/** The user may still give data to be sent. */
export const MAY_SEND: number = bitOf(S.ESTABLISHED) | bitOf(S.CLOSE_WAIT);
/** Data may still come. */
export const MAY_RECEIVE: number = bitOf(S.ESTABLISHED) | bitOf(S.FIN_WAIT_1) | bitOf(S.FIN_WAIT_2);

export function isIn(state: number, set: number): boolean {
  return (set & (1 << state)) !== 0;
}
