import type { AckSample, CongestionControl, CongestionState, Objects, Plain } from '@softnet/contract';
import { CONGESTION_EVENT, CONGESTION_PHASE } from '@softnet/contract';
import { slowStart } from '../slow-start.ts';
import { climbedPackets, cubeRootMs } from './cube-root-ms.ts';
import { CubicState, copyCubic, freezeCubic, PARTS, thawCubic } from './cubic-state.ts';

/** α = 3 (1 - β) / (1 + β) = 9 / 17, with β = 0.7 (RFC 9438 §4.3, §4.6). */
const ALPHA_ABOVE = 9;
const ALPHA_BELOW = 17;
/** W_max in parts stays a small integer: behind 4 million packets only W_est grows. */
const MOST_PARTS = 0x3fffffff;

/** The stage that goes on, and what it was before the last reduction. Made when slow start ends, or something is lost: most senders are idle before. */
class CubicMemory {
  readonly now = new CubicState();
  before: CubicState | null = null;
}

function memoryOf(state: CongestionState): CubicMemory {
  state.ext ??= new CubicMemory();
  return state.ext as CubicMemory;
}

/**
 * CUBIC (RFC 9438), in packets and ms of the kernel's clock; TCP's timestamps have no part in it. `cwnd` stands for the flight in §4.6, which may be where
 * it grows only while it is used (§4.6, RFC 7661).
 */
export class Cubic implements CongestionControl {
  readonly name = 'cubic';
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

  end(state: CongestionState): void {
    state.ext = null;
  }

  increase(state: CongestionState, sample: AckSample): void {
    if (!state.isCwndLimited) {
      pass(state, sample.nowMs);
      return;
    }
    let acked = sample.acked;
    if (state.cwnd < state.ssthresh) acked = slowStart(state, sample, this.#slowStartLimit());
    if (acked > 0) avoid(state, memoryOf(state).now, acked, sample.nowMs);
    if (state.ext !== null) memoryOf(state).now.lastMs = sample.nowMs;
  }

  /** §4.6, and fast convergence (§4.7). Remembers all for `undo`. */
  ssthresh(state: CongestionState): number {
    const memory = memoryOf(state);
    const cubic = memory.now;
    memory.before ??= new CubicState();
    copyCubic(memory.before, cubic);
    const parts = Math.min(state.cwnd * PARTS, MOST_PARTS);
    cubic.wMax = parts < cubic.wMax ? Math.floor((parts * 17) / 20) : parts;
    cubic.cwndPrior = state.cwnd;
    cubic.isEpoch = false;
    return Math.max(Math.floor((state.cwnd * 7) / 10), 2);
  }

  /** §4.9: what was known before the reduction holds again; the stage goes on as if nothing had been. */
  undo(state: CongestionState): number {
    const { now, before } = memoryOf(state);
    if (before !== null) copyCubic(now, before);
    return Math.max(state.cwnd, state.priorCwnd);
  }

  /** After a timeout W_max is not known (§4.8). */
  phaseChanged(state: CongestionState, phase: number): void {
    if (phase !== CONGESTION_PHASE.LOSS || state.ext === null) return;
    const cubic = memoryOf(state).now;
    cubic.wMax = 0;
    cubic.isEpoch = false;
  }

  /** §5.8: time in which there was nothing to send is none of the curve's. */
  event(state: CongestionState, event: number, nowMs: number): void {
    if (event === CONGESTION_EVENT.TRANSMIT_START) pass(state, nowMs);
  }

  freeze(state: CongestionState): Plain {
    if (state.ext === null) return null;
    const { now, before } = memoryOf(state);
    return { now: freezeCubic(now), before: before === null ? null : freezeCubic(before) };
  }

  thaw(state: CongestionState, ext: Plain): void {
    const memory = memoryOf(state);
    const data = ext as { readonly [key: string]: Plain };
    thawCubic(memory.now, data.now);
    if (data.before == null) return;
    memory.before = new CubicState();
    thawCubic(memory.before, data.before);
  }
}

/** The time since the last acknowledgement does not count. */
function pass(state: CongestionState, nowMs: number): void {
  if (state.ext === null) return;
  const cubic = memoryOf(state).now;
  cubic.epochMs = (cubic.epochMs + ((nowMs - cubic.lastMs) | 0)) | 0;
  cubic.lastMs = nowMs;
}

/** §4.2: a stage of congestion avoidance begins. Where W_max is not known, or passed, the curve begins at its turn: K is 0 (§4.8, §4.10). */
function beginEpoch(state: CongestionState, cubic: CubicState, nowMs: number): void {
  const parts = Math.min(state.cwnd * PARTS, MOST_PARTS);
  if (cubic.cwndPrior === 0) cubic.cwndPrior = state.cwnd;
  cubic.isEpoch = true;
  cubic.epochMs = nowMs;
  cubic.origin = Math.max(cubic.wMax, parts);
  cubic.kMs = cubeRootMs((cubic.origin - parts) / PARTS);
  cubic.estimate = state.cwnd;
  cubic.estimateCount = 0;
  cubic.credit = 0;
}

function avoid(state: CongestionState, cubic: CubicState, acked: number, nowMs: number): void {
  if (!cubic.isEpoch) beginEpoch(state, cubic, nowMs);
  estimateReno(state, cubic, acked);
  const sinceMs = ((nowMs - cubic.epochMs) | 0) - cubic.kMs;
  if (cubic.origin / PARTS + climbedPackets(sinceMs) < cubic.estimate + cubic.estimateCount / (ALPHA_BELOW * state.cwnd)) {
    // §4.3, the Reno-friendly region.
    if (cubic.estimate > state.cwnd) state.cwnd = Math.min(cubic.estimate, state.cwndClamp);
    return;
  }
  // §4.4, §4.5: concave or convex, to where the curve is one round trip from now.
  const curve = cubic.origin + Math.floor(PARTS * climbedPackets(sinceMs + state.srttUs / 1000));
  const parts = state.cwnd * PARTS + Math.floor(cubic.credit / state.cwnd);
  const target = Math.min(curve, Math.floor(parts * 1.5));
  if (target > parts) climb(state, cubic, acked, target - parts);
}

/** (target - cwnd) / cwnd for each packet delivered. */
function climb(state: CongestionState, cubic: CubicState, acked: number, aboveParts: number): void {
  const whole = state.cwnd * PARTS;
  const credit = cubic.credit + acked * aboveParts;
  const grown = Math.floor(credit / whole);
  cubic.credit = credit - grown * whole;
  state.cwnd = Math.min(state.cwnd + grown, state.cwndClamp);
}

/** §4.3 (4): W_est grows by α / cwnd for each packet delivered; α is 1 from where it has reached cwnd_prior. */
function estimateReno(state: CongestionState, cubic: CubicState, acked: number): void {
  const above = cubic.estimate < cubic.cwndPrior ? ALPHA_ABOVE : ALPHA_BELOW;
  const whole = state.cwnd * ALPHA_BELOW;
  const count = cubic.estimateCount + acked * above;
  const grown = Math.floor(count / whole);
  cubic.estimate += grown;
  cubic.estimateCount = count - grown * whole;
}
