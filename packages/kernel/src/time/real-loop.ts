import type { Executive, Loop } from './executive.ts';
import type { Host } from './host.ts';
import type { TimeSource } from './kernel-clock.ts';

/** The longest that host timers wait (2³¹-1 ms); beyond it the loop wakes and looks again. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Drives the kernels of a real-time World: one host timer for the earliest due time of all, a host task for work that
 * is there now. When nothing is armed or raised, neither exists, and the process may end.
 */
export class RealLoop implements Loop {
  readonly #host: Host;
  readonly #time: TimeSource;
  /** Replaced whole, so that a kernel may come or go during a pass. */
  #executives: readonly Executive[] = [];
  #timer: unknown = null;
  /** Kernel time for which the host timer is set; Infinity without one. */
  #timerUs = Number.POSITIVE_INFINITY;
  #soon = false;
  #passing = false;

  constructor(host: Host, time: TimeSource) {
    this.#host = host;
    this.#time = time;
  }

  add(executive: Executive): void {
    this.#executives = [...this.#executives, executive];
    this.sooner(executive);
  }

  remove(executive: Executive): void {
    this.#executives = this.#executives.filter((each) => each !== executive);
    this.#clearWhenIdle();
  }

  sooner(executive: Executive): void {
    if (this.#passing || this.#soon) return;
    if (executive.pending) this.#runSoon();
    else if (executive.wheel.boundUs < this.#timerUs) this.#setTimer(executive.wheel.boundUs);
  }

  emptied(): void {
    this.#clearWhenIdle();
  }

  /** A host timer that is left though nobody waits for it costs a wake-up; when it is the only thing, it would hold up the exit. */
  #clearWhenIdle(): void {
    if (this.#timer !== null && this.#executives.every((each) => each.idle)) this.#clearTimer();
  }

  /** Gives each kernel that has something to do one turn. */
  #pass(): void {
    this.#passing = true;
    try {
      for (const executive of this.#executives) {
        if (executive.index < 0) continue;
        if (executive.pending || executive.wheel.boundUs <= this.#time.readUs()) executive.turn();
      }
    } finally {
      this.#passing = false;
      this.#plan();
    }
  }

  #plan(): void {
    let nextUs = Number.POSITIVE_INFINITY;
    for (const executive of this.#executives) {
      if (executive.pending) {
        this.#runSoon();
        return;
      }
      nextUs = Math.min(nextUs, executive.wheel.boundUs);
    }
    if (nextUs === Number.POSITIVE_INFINITY) this.#clearTimer();
    else if (nextUs < this.#timerUs) this.#setTimer(nextUs);
  }

  #runSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    this.#host.soon(() => {
      this.#soon = false;
      this.#pass();
    });
  }

  /** Host timers count in ms: it fires up to 1 ms late, never early on purpose. */
  #setTimer(atUs: number): void {
    this.#clearTimer();
    const delayMs = Math.min(Math.max(Math.ceil((atUs - this.#time.readUs()) / 1000), 1), MAX_TIMER_MS);
    this.#timerUs = atUs;
    this.#timer = this.#host.setTimer(() => {
      this.#timer = null;
      this.#timerUs = Number.POSITIVE_INFINITY;
      this.#pass();
    }, delayMs);
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#host.clearTimer(this.#timer);
    this.#timer = null;
    this.#timerUs = Number.POSITIVE_INFINITY;
  }
}
