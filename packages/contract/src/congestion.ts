import type { Plain } from './frozen.ts';
import type { Objects } from './held.ts';
import { Held } from './held.ts';
import { definePoint } from './token.ts';

/** Where a sender is in its recovery (RFC 6582, 6675; DCCP: RFC 4341). Linux's `TCP_CA_*`. */
export const CONGESTION_PHASE = Object.freeze({
  OPEN: 0,
  /** Duplicates or SACKs arrive; nothing is taken for lost yet. */
  DISORDER: 1,
  /** Reduced for ECN or a local drop. */
  CWR: 2,
  RECOVERY: 3,
  /** After a timeout. */
  LOSS: 4,
} as const);

/** What happens beside acknowledgements. Linux's `CA_EVENT_*`. */
export const CONGESTION_EVENT = Object.freeze({
  /** First packet after an idle time. */
  TRANSMIT_START: 0,
  CWND_RESTART: 1,
  COMPLETE_CWR: 2,
  LOSS: 3,
  ECN_NO_CE: 4,
  ECN_IS_CE: 5,
} as const);

/**
 * A sender's congestion state: the ground that TCP, DCCP's CCID2 and a congestion control meet on. Packets are segments
 * of `mssBytes`. Derived from its socket, in the control's `uses`: so a control is not unloaded under a connection.
 */
export class CongestionState extends Held {
  control: CongestionControl;
  /** Packets; written by the control, and by the sender in recovery (PRR). */
  cwnd = 10;
  ssthresh = 0x3fffffff;
  /** Packets acknowledged since `cwnd` last grew: for increase by fractions. */
  cwndCount = 0;
  /** Never more than this. */
  cwndClamp = 0x3fffffff;
  /** `cwnd` before the reduction, for `undo`; written by the sender before it asks for `ssthresh`. */
  priorCwnd = 0;
  mssBytes = 1460;
  /** One of {@link CONGESTION_PHASE}; written by the sender. */
  phase = 0;
  /** In packets, by the sender's own scoreboard. */
  inFlight = 0;
  /** Wrapping int32: all that was ever delivered, delivered with CE, taken for lost. */
  delivered = 0;
  deliveredCe = 0;
  lost = 0;
  /** Smoothed and smallest round trip, µs; 0: no sample yet. */
  srttUs = 0;
  minRttUs = 0;
  /** The sender used all of `cwnd`: only then does it grow (RFC 7661). */
  isCwndLimited = false;
  /** Bytes per second, at which a pacing sender sends; 0: by `cwnd` and `srttUs`. */
  pacingRate = 0;
  /** The control's own. */
  ext: object | null = null;

  constructor(control: CongestionControl) {
    super();
    this.control = control;
  }
}

/** What one acknowledgement, or DCCP Ack Vector, brought: kept and filled anew by the sender (Linux's `struct rate_sample`). */
export class AckSample {
  /** Kernel ms and µs, wrapping int32. */
  nowMs = 0;
  nowUs = 0;
  /** Packets newly delivered, and newly taken for lost. */
  acked = 0;
  lost = 0;
  /** Of those acked, marked CE. */
  marked = 0;
  /** Round trip of the newest packet acked, µs; -1: no sample. */
  rttUs = -1;
  /** Delivery rate: so many packets in so many µs (draft-cheng-iccrg-delivery-rate-estimation). 0: unknown. */
  delivered = 0;
  intervalUs = 0;
  priorInFlight = 0;
  /** The sender had nothing to send: the rate says little. */
  isAppLimited = false;
}

/**
 * A congestion control: reno, cubic, bbr. Contributed as a **door**: new connections choose it by name; those that have it keep
 * it, through `state.control`. Stateless: what it knows of a connection is in the state. Linux's `struct tcp_congestion_ops`.
 */
export interface CongestionControl {
  /** As in TCP_CONGESTION: at most 15 characters. */
  readonly name: string;
  /** Senders derive their state here from their socket. */
  readonly uses: Objects<CongestionState>;
  /** Wants ECN negotiated, and every mark (DCTCP kin). */
  readonly wantsEcn: boolean;
  begin(state: CongestionState): void;
  end(state: CongestionState): void;
  /** Slow start and avoidance: raises `cwnd` for `sample.acked`, in phases OPEN, DISORDER and after recovery. */
  increase(state: CongestionState, sample: AckSample): void;
  /** The threshold after a loss or mark. At least 2. */
  ssthresh(state: CongestionState): number;
  /** The loss was none (RFC 3522, 5682): the `cwnd` to go back to. */
  undo(state: CongestionState): number;
  /** Takes the whole of it over: sets `cwnd` and `pacingRate` at every acknowledgement, `increase` is not called. BBR. */
  control?(state: CongestionState, sample: AckSample): void;
  /** Sees every acknowledgement, before `increase`: round trips for CUBIC's HyStart and Vegas kin. */
  acked?(state: CongestionState, sample: AckSample): void;
  /** Is about to enter this phase. */
  phaseChanged?(state: CongestionState, phase: number): void;
  /** One of {@link CONGESTION_EVENT}. */
  event?(state: CongestionState, event: number, nowMs: number): void;
  /** `ext` as plain data for the next generation of TCP or of this, and back. */
  freeze?(state: CongestionState): Plain;
  thaw?(state: CongestionState, ext: Plain): void;
}
export const CongestionControl = definePoint<CongestionControl>({ name: 'congestion-control', version: '1.0.0' });

/** The control of this name, among those contributed; the newest, where two generations are there. Null: there is none. */
export function congestionControlOf(controls: readonly CongestionControl[], name: string): CongestionControl | null {
  return controls.findLast((control) => control.name === name) ?? null;
}
