import type { AckSample, CongestionState, CurrentOwner } from '@softnet/contract';

/** Calls of congestion controls, each as its own module's work: what one throws is its fault, and not TCP's. So nothing is put back when it throws. */
export class ControlCalls {
  readonly #current: CurrentOwner;

  constructor(current: CurrentOwner) {
    this.#current = current;
  }

  /** Every acknowledgement that brings news. */
  acked(state: CongestionState, sample: AckSample): void {
    const { control } = state;
    if (control.acked === undefined) return;
    const caller = this.#enter(state);
    control.acked(state, sample);
    this.#current.id = caller;
  }

  /** A control that does it all: after this nothing is asked of it. False: this is none. */
  controls(state: CongestionState, sample: AckSample): boolean {
    const { control } = state;
    if (control.control === undefined) return false;
    const caller = this.#enter(state);
    control.control(state, sample);
    this.#current.id = caller;
    return true;
  }

  increase(state: CongestionState, sample: AckSample): void {
    const caller = this.#enter(state);
    state.control.increase(state, sample);
    this.#current.id = caller;
  }

  /** The threshold after a loss; `priorCwnd` is noted before. */
  reduce(state: CongestionState): void {
    const caller = this.#enter(state);
    state.priorCwnd = state.cwnd;
    state.ssthresh = state.control.ssthresh(state);
    this.#current.id = caller;
  }

  phaseChanged(state: CongestionState, phase: number): void {
    const { control } = state;
    if (control.phaseChanged === undefined) return;
    const caller = this.#enter(state);
    control.phaseChanged(state, phase);
    this.#current.id = caller;
  }

  event(state: CongestionState, event: number, nowMs: number): void {
    const { control } = state;
    if (control.event === undefined) return;
    const caller = this.#enter(state);
    control.event(state, event, nowMs);
    this.#current.id = caller;
  }

  #enter({ control }: CongestionState): number {
    const { id } = this.#current;
    this.#current.id = control.uses.owner;
    return id;
  }
}
