import type { Deadline } from './deadlines.ts';
import type { Listener } from './listener.ts';

/** Bits of {@link Request.said}: what was agreed, whether an ACK came that did not open it, where both shifts stand, how often its SYN-ACK was due again, and when it last answered. */
export const SAID = Object.freeze({
  TIMESTAMPS: 0x1,
  SACK: 0x2,
  WINDOW_SCALING: 0x4,
  ACKED: 0x8,
  SND_SHIFT_AT: 4,
  RCV_SHIFT_AT: 8,
  RETRIES_AT: 12,
  ANSWERED_AT: 20,
} as const);
const RETRIES = 0xff;
const ANSWERED = 0xfff;
/** Ticks of the clock of answers: 128 ms; it goes round in nine minutes. */
const TICK_BITS = 7;

/**
 * A connection that a peer has asked a listener for, and that is not yet one: SYN-RECEIVED without a socket (Linux's `struct request_sock`). 192 bytes in Node,
 * as a flood makes many; so small fields share an integer. Recycled.
 */
export class Request implements Deadline<Request> {
  listener: Listener | null = null;
  /** The peer, and us: see `Flow` of the contract. */
  remote0 = 0;
  remote1 = 0;
  remote2 = 0;
  remote3 = 0;
  local0 = 0;
  local1 = 0;
  local2 = 0;
  local3 = 0;
  /** Local << 16 | remote. */
  ports = 0;
  /** By which interface alone it is reached; 0: any. */
  ifindex = 0;
  irs = 0;
  iss = 0;
  tsRecent = 0;
  /** Bits of {@link SAID}. */
  said = 0;
  /** The peer's window << 16 | ours, as they stand in the headers of SYN and SYN-ACK. */
  windows = 0;
  /** The peer's MSS << 16 | ours. */
  sizes = 0;
  atMs = 0;
  prev: Request | null = null;
  next: Request | null = null;
  chain: Request | null = null;
}

export function localPort({ ports }: Request): number {
  return ports >>> 16;
}

export function remotePort({ ports }: Request): number {
  return ports & 0xffff;
}

/** SYN-ACKs that were due again. */
export function retriesOf({ said }: Request): number {
  return (said >>> SAID.RETRIES_AT) & RETRIES;
}

export function countRetry(request: Request): void {
  if (retriesOf(request) < RETRIES) request.said += 1 << SAID.RETRIES_AT;
}

/** It has answered what came again, or was out of its window. */
export function hasAnswered({ said }: Request): boolean {
  return said >>> SAID.ANSWERED_AT !== 0;
}

/** May it answer such a thing again? No more often than so many ms: then it is noted. */
export function mayAnswer(request: Request, nowMs: number, leastMs: number): boolean {
  const now = (nowMs >>> TICK_BITS) & ANSWERED;
  const sinceMs = ((now - (request.said >>> SAID.ANSWERED_AT)) & ANSWERED) << TICK_BITS;
  if (hasAnswered(request) && sinceMs + (1 << TICK_BITS) <= leastMs) return false;
  request.said = (request.said & ~(ANSWERED << SAID.ANSWERED_AT)) | ((now || 1) << SAID.ANSWERED_AT);
  return true;
}
