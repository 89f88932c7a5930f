import type { Kernel } from '@softnet/kernel';

/** A module changed its state. */
export interface StateEntry {
  /** Kernel time, µs. */
  readonly timeUs: number;
  /** 'talk#1: live -> withdrawing'. */
  readonly text: string;
}

/** Entries kept, the newest. */
const KEPT = 200;

/** What became of a kernel's modules since somebody listens, for `log`. */
export class StateLog {
  #entries: StateEntry[] = [];

  constructor(kernel: Kernel) {
    kernel.on((event) => {
      if (event.sort !== 'state') return;
      this.#entries.push({ timeUs: kernel.clock.nowUs, text: `${event.module}: ${event.from} -> ${event.to}` });
      if (this.#entries.length >= 2 * KEPT) this.#entries = this.#entries.slice(-KEPT);
    });
  }

  get entries(): readonly StateEntry[] {
    return this.#entries.slice(-KEPT);
  }
}
