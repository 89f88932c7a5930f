import type { Plain } from '@softnet/contract';

/** Parts of a packet in which `wMax` is kept. */
export const PARTS = 256;

/** What CUBIC knows of a sender: variables of RFC 9438 §4.1.2, small integers all. */
export class CubicState {
  /** W_max, in {@link PARTS}; 0: there was no loss yet, or it is forgotten after a timeout (§4.7, §4.8). */
  wMax = 0;
  /** `cwnd` when ssthresh was last set, packets. */
  cwndPrior = 0;
  /** A stage of congestion avoidance goes on; what follows is of it. */
  isEpoch = false;
  /** t_epoch, kernel ms, wrapping; moved on by times in which the window was not used (§5.8). */
  epochMs = 0;
  /** K, ms. */
  kMs = 0;
  /** Where the curve turns: W_max, or `cwnd` at the begin of the stage where that is more. In {@link PARTS}. */
  origin = 0;
  /** W_est, whole packets, and the fraction: `estimateCount` / (17 · cwnd). */
  estimate = 0;
  estimateCount = 0;
  /** Growth not yet made a packet: `credit` / (PARTS · cwnd). */
  credit = 0;
  /** When an acknowledgement last came here, kernel ms. */
  lastMs = 0;
}

const NUMBERS = ['wMax', 'cwndPrior', 'epochMs', 'kMs', 'origin', 'estimate', 'estimateCount', 'credit', 'lastMs'] as const;

/** Copies without garbage: for undo (§4.9). */
export function copyCubic(to: CubicState, from: CubicState): void {
  to.wMax = from.wMax;
  to.cwndPrior = from.cwndPrior;
  to.isEpoch = from.isEpoch;
  to.epochMs = from.epochMs;
  to.kMs = from.kMs;
  to.origin = from.origin;
  to.estimate = from.estimate;
  to.estimateCount = from.estimateCount;
  to.credit = from.credit;
  to.lastMs = from.lastMs;
}

export function freezeCubic(state: CubicState): { readonly [key: string]: Plain } {
  return { ...state };
}

/** What is no integer of ours stays as it was. */
export function thawCubic(state: CubicState, data: Plain | undefined): void {
  if (data === null || typeof data !== 'object') return;
  const fields = data as { readonly [key: string]: Plain };
  for (const name of NUMBERS) {
    const value = fields[name];
    if (typeof value === 'number') state[name] = value | 0;
  }
  state.isEpoch = fields.isEpoch === true;
}
