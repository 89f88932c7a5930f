import type { Deadline } from './deadlines.ts';
import type { Listener } from './listener.ts';

/** Bits of {@link Request.said}: what was agreed, and both shifts. */
export const SAID = Object.freeze({
  TIMESTAMPS: 0x1,
  SACK: 0x2,
  WINDOW_SCALING: 0x4,
  ACKED: 0x8,
  SND_SHIFT_AT: 4,
  RCV_SHIFT_AT: 8,
} as const);

/**
 * A connection that a peer has asked a listener for, and that is not yet one: SYN-RECEIVED without a socket (Linux's `struct request_sock`). 192 bytes in Node, as a flood makes many; so
 * small fields share an integer. Recycled.
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
  /** SYN-ACKs that were due again. */
  retries = 0;
  /** When it last answered what came again, or was out of its window, ms; 0: never. */
  answeredMs = 0;
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
