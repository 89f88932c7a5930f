import type { Clock } from '@softnet/contract';

const PEERS = 256;
/** Errors that may go to a peer at once. Linux's XRLIM_BURST_FACTOR. */
const BURST = 6;

/**
 * ICMP errors to one peer: one in so many ms, and a burst (RFC 1812 §4.3.2.8). Peers share a place where their hashes do: memory is
 * fixed whoever asks. Linux's `inet_peer_xrlim_allow`.
 */
export class PeerLimit {
  readonly #clock: Clock;
  readonly #secret: number;
  readonly #creditUs = new Float64Array(PEERS).fill(Number.POSITIVE_INFINITY);
  readonly #filledUs = new Float64Array(PEERS);

  constructor(clock: Clock, secret: number) {
    this.#clock = clock;
    this.#secret = secret | 0;
  }

  /** @param intervalMs 0: no limit. */
  take(peer: number, intervalMs: number): boolean {
    if (intervalMs <= 0) return true;
    const hash = Math.imul(peer ^ this.#secret, 0x9e3779b1 | 0);
    const at = (hash ^ (hash >>> 16)) & (PEERS - 1);
    const { nowUs } = this.#clock;
    const intervalUs = intervalMs * 1000;
    const creditUs = Math.min(this.#creditUs[at]! + nowUs - this.#filledUs[at]!, BURST * intervalUs);
    this.#filledUs[at] = nowUs;
    const isGiven = creditUs >= intervalUs;
    this.#creditUs[at] = isGiven ? creditUs - intervalUs : creditUs;
    return isGiven;
  }
}
