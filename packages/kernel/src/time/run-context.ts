import type { Clock, CurrentOwner } from '@softnet/contract';

/** Told of a throw in module code: the culprit's integer (0: the kernel), what was thrown, and the place that ran. */
export type FaultSink = (owner: number, error: unknown, place: string) => void;

/** What timers and poll sources run in: one kernel's clock, and whom to tell. */
export interface RunContext {
  readonly clock: Clock;
  readonly current: CurrentOwner;
  /** Static name of what runs now, or ran last. */
  place: string;
  /** There is work, or a timer, earlier than anything before. */
  sooner(): void;
  /** The last timer was cancelled. */
  emptied(): void;
  /** The code at `place` threw; `current.id` is still the culprit's. */
  fault(error: unknown): void;
}
