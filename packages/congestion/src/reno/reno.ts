import type { AckSample, CongestionControl, CongestionState, Objects } from '@softnet/contract';
import { slowStart } from '../slow-start.ts';

/**
 * Reno (RFC 5681), by appropriate byte counting (RFC 3465), in packets. What NewReno does in recovery (RFC 6582), its partial acknowledgements
 * and their deflation, is the sender's, who knows its segments: of a control it wants `ssthresh`.
 * DEVIATION: half of `cwnd`, as Linux, not of the flight (RFC 5681 (4)): `cwnd` grows only while all of it is used, so it does not run away from the flight.
 */
export class Reno implements CongestionControl {
  readonly name = 'reno';
  readonly uses: Objects<CongestionState>;
  readonly wantsEcn = false;
  readonly #slowStartLimit: () => number;

  /** @param slowStartLimit L of RFC 3465, packets; 0: none. */
  constructor(uses: Objects<CongestionState>, slowStartLimit: () => number) {
    this.uses = uses;
    this.#slowStartLimit = slowStartLimit;
  }

  begin(state: CongestionState): void {
    state.cwndCount = 0;
    state.ext = null;
  }

  end(): void {}

  /** RFC 5681 §3.1: up to `ssthresh` a packet for each delivered, behind it one for each window (RFC 3465 §2.1). Not while the window is not used (RFC 7661). */
  increase(state: CongestionState, sample: AckSample): void {
    if (!state.isCwndLimited) return;
    let acked = sample.acked;
    if (state.cwnd < state.ssthresh) acked = slowStart(state, sample, this.#slowStartLimit());
    if (acked > 0) avoid(state, acked);
  }

  /** RFC 5681 (4). */
  ssthresh(state: CongestionState): number {
    return Math.max(state.cwnd >> 1, 2);
  }

  undo(state: CongestionState): number {
    return Math.max(state.cwnd, state.priorCwnd);
  }
}

/** RFC 3465 §2.1: when a window of packets was delivered, one more. */
function avoid(state: CongestionState, acked: number): void {
  let count = state.cwndCount + acked;
  while (count >= state.cwnd) {
    count -= state.cwnd;
    if (state.cwnd < state.cwndClamp) state.cwnd++;
  }
  state.cwndCount = count;
}
