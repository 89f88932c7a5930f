import type { Clock } from '@softnet/contract';

/** Where a World's time comes from: whole µs from its boot, never backwards. */
export interface TimeSource {
  readonly virtual: boolean;
  readUs(): number;
}

/** Time that moves when the World says so. */
export class VirtualTime implements TimeSource {
  readonly virtual = true;
  /** A double from the start (-0 is no small integer to V8), so that passing 2³¹ changes no map. */
  nowUs = -0;

  constructor() {
    this.nowUs = 0;
  }

  readUs(): number {
    return this.nowUs;
  }
}

/**
 * A kernel's clock. While a batch runs, `nowUs` is the time of its beginning; outside of batches, where programs call in
 * at any time, it is the time now.
 */
export class KernelClock implements Clock {
  readonly virtual: boolean;
  readonly #time: TimeSource;
  #inBatch = false;
  #batchUs = -0;

  constructor(time: TimeSource) {
    this.virtual = time.virtual;
    this.#time = time;
  }

  get nowUs(): number {
    return this.#inBatch ? this.#batchUs : this.#time.readUs();
  }

  get nowMs(): number {
    return Math.floor(this.nowUs / 1000) | 0;
  }

  readUs(): number {
    return this.#time.readUs();
  }

  /** For the loop: a batch begins. */
  begin(): void {
    this.#batchUs = this.#time.readUs();
    this.#inBatch = true;
  }

  /** For the loop: the batch is over. */
  end(): void {
    this.#inBatch = false;
  }
}
