import type { AckSample, CongestionState } from '@softnet/contract';
import { CONGESTION_PHASE } from '@softnet/contract';

/**
 * Slow start (RFC 5681 §3.1), by what was delivered and not by how many acknowledgements said so (RFC 3465 §2.2). It ends at `ssthresh`.
 * HyStart++ (RFC 9406) would end it earlier: from `CongestionControl.acked`, by lowering `ssthresh`.
 * @param limit L of RFC 3465 §2.3, packets for each acknowledgement; after a timeout 1. 0: none, as in Linux.
 * @returns packets of the sample that are left for congestion avoidance.
 */
export function slowStart(state: CongestionState, sample: AckSample, limit: number): number {
  let counted = sample.acked;
  if (limit > 0) counted = Math.min(counted, state.phase === CONGESTION_PHASE.LOSS ? 1 : limit);
  const grown = Math.max(0, Math.min(counted, state.ssthresh - state.cwnd, state.cwndClamp - state.cwnd));
  state.cwnd += grown;
  return state.cwnd < state.ssthresh ? 0 : counted - grown;
}
