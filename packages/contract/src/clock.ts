/** The kernel's time: monotonic, in whole microseconds from the boot of its World. Never the date. */
export interface Clock {
  /** Time of the batch that runs: read once, steady within it. */
  readonly nowUs: number;
  /** The same in milliseconds, wrapping as an int32 (`|0`): for stamps and differences. */
  readonly nowMs: number;
  /** True where time is an event queue's: nothing passes between events. */
  readonly virtual: boolean;
  /** The exact time now, for measuring. In virtual time it equals `nowUs`. */
  readUs(): number;
}

/** A source of chance, seeded; every module has a stream of its own, so that load order does not change it. */
export interface Random {
  /** An integer of 32 random bits, 0 to 2³²-1. */
  u32(): number;
  /** A uniform integer, 0 to `bound`-1. `bound`: 1 to 2³². */
  below(bound: number): number;
  /** A uniform fraction, 0 ≤ x < 1. */
  fraction(): number;
  fill(bytes: Uint8Array): void;
}

/** A timer that is armed again and again without allocating. Made once by `ctx.timer`; unarmed it costs nothing. */
export interface Timer {
  readonly armed: boolean;
  /** Kernel time at which it fires, µs; meaningless when not armed. */
  readonly whenUs: number;
  /** Fires once, `delayUs` from now (0 and negative: at the next turn). Re-arms when armed. Up to 2⁴⁸ µs (8.9 years). */
  arm(delayUs: number): void;
  /** Fires once at this kernel time, µs. */
  armAt(whenUs: number): void;
  /** Does nothing when not armed. */
  cancel(): void;
}

/** Work that is done in batches by the softirq loop. */
export interface PollSource {
  /**
   * Does up to `budget` units (packets) of work and returns how many it did. Returning `budget` says that there may be
   * more: it is polled again, after the others had their turn.
   */
  poll(budget: number): number;
}

/** The handle of a poll source. */
export interface Poll {
  /** Asks to be polled soon. Cheap, and idempotent until the poll. */
  raise(): void;
}
