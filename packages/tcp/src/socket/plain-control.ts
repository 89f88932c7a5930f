import type { AckSample, CongestionControl, CongestionState, Objects } from '@softnet/contract';

/** Slow start and congestion avoidance (RFC 5681 §3.1), no more: for connections that begin while no module brings a control. */
export class PlainControl implements CongestionControl {
  readonly name = 'plain';
  readonly wantsEcn = false;
  readonly uses: Objects<CongestionState>;

  constructor(uses: Objects<CongestionState>) {
    this.uses = uses;
  }

  begin(): void {}

  end(): void {}

  increase(state: CongestionState, { acked }: AckSample): void {
    if (!state.isCwndLimited) return;
    if (state.cwnd < state.ssthresh) {
      state.cwnd = Math.min(state.cwnd + acked, state.ssthresh, state.cwndClamp);
      return;
    }
    state.cwndCount += acked;
    if (state.cwndCount < state.cwnd) return;
    state.cwndCount -= state.cwnd;
    state.cwnd = Math.min(state.cwnd + 1, state.cwndClamp);
  }

  ssthresh({ cwnd }: CongestionState): number {
    return Math.max(cwnd >> 1, 2);
  }

  undo({ cwnd, priorCwnd }: CongestionState): number {
    return Math.max(cwnd, priorCwnd);
  }
}
