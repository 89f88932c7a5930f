import type { Clock } from '@softnet/contract';
import { PeerPlaces } from './peer-places.ts';

const PEERS = 1024;
/** Errors that may go to a peer at once. Linux's XRLIM_BURST_FACTOR. */
const BURST = 6;

/** ICMP errors to one peer: one in so many ms, and a burst (RFC 1812 §4.3.2.8). Linux's `inet_peer_xrlim_allow`. */
export class PeerLimit {
  readonly #clock: Clock;
  readonly #places: PeerPlaces;
  readonly #creditUs = new Float64Array(PEERS);
  readonly #filledUs = new Float64Array(PEERS);

  constructor(clock: Clock, secret: number) {
    this.#clock = clock;
    this.#places = new PeerPlaces(PEERS, secret);
  }

  /** @param intervalMs 0: no limit. */
  take(peer: number, intervalMs: number): boolean {
    if (intervalMs <= 0) return true;
    const { nowUs } = this.#clock;
    const at = this.#places.find(peer, nowUs);
    const intervalUs = intervalMs * 1000;
    const sinceUs = this.#places.isNew ? BURST * intervalUs : nowUs - this.#filledUs[at]!;
    const creditUs = Math.min(this.#creditUs[at]! + sinceUs, BURST * intervalUs);
    this.#filledUs[at] = nowUs;
    const isGiven = creditUs >= intervalUs;
    this.#creditUs[at] = isGiven ? creditUs - intervalUs : creditUs;
    return isGiven;
  }
}
