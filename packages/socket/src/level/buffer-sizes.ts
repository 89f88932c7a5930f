/** Linux's `SOCK_MIN_SNDBUF` and `SOCK_MIN_RCVBUF`: one packet goes in. */
const MIN_SEND_BYTES = 4608;
const MIN_RECEIVE_BYTES = 2304;
/** Doubled, it is an int still. */
const MAX_BYTES = 0x3fffffff;

/** What may be set: Linux's `net.core.wmem_max` and `rmem_max`. */
export interface BufferLimits {
  readonly sendBytes: () => number;
  readonly receiveBytes: () => number;
}

/**
 * SO_SNDBUF's own value is doubled, for what is counted is truesize: Linux does it too, and says so in socket(7).
 * @param maxBytes not given: by force.
 */
export function sendBytes(number: number, maxBytes?: number): number {
  return Math.max(2 * clamp(number, maxBytes), MIN_SEND_BYTES);
}

export function receiveBytes(number: number, maxBytes?: number): number {
  return Math.max(2 * clamp(number, maxBytes), MIN_RECEIVE_BYTES);
}

/** Negative ones are very large, but by force they are nothing; as in Linux. */
function clamp(number: number, maxBytes?: number): number {
  return maxBytes === undefined ? Math.min(Math.max(number, 0), MAX_BYTES) : Math.min(number >>> 0, maxBytes);
}
