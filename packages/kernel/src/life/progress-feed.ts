import type { UnloadProgress } from '../api.ts';

/** A step as it is noted at each release; whom it waits for is found out when somebody reads it. */
type Noted = Omit<UnloadProgress, 'waitsFor'> & { readonly waitsFor: () => readonly string[] };

interface Step {
  readonly seq: number;
  readonly noted: Noted;
}

/**
 * The steps of an unload for whoever iterates: the newest of each module and state, so that a thousand releases between
 * two reads are one step, and memory stays bounded.
 */
export class ProgressFeed {
  readonly #latest = new Map<string, Step>();
  #seq = 0;
  #ended: { readonly error: unknown } | 'well' | undefined;
  #wake: (() => void)[] = [];

  push(noted: Noted): void {
    const key = `${noted.module} ${noted.state}`;
    if (this.#latest.get(key)?.noted.remaining === noted.remaining) return;
    this.#latest.set(key, { seq: ++this.#seq, noted });
    if (this.#wake.length > 0) this.#wakeAll();
  }

  /** No more steps. With an error, iteration throws it. */
  end(error?: unknown): void {
    this.#ended = error === undefined ? 'well' : { error };
    this.#wakeAll();
  }

  /** From the first step on, for each reader. */
  async *read(): AsyncGenerator<UnloadProgress> {
    let seen = 0;
    for (;;) {
      const next = this.#after(seen);
      if (next !== undefined) {
        seen = next.seq;
        yield { ...next.noted, waitsFor: next.noted.waitsFor() };
      } else if (this.#ended === undefined) {
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      } else if (this.#ended === 'well') {
        return;
      } else {
        throw this.#ended.error;
      }
    }
  }

  #after(seen: number): Step | undefined {
    let next: Step | undefined;
    for (const step of this.#latest.values()) if (step.seq > seen && (next === undefined || step.seq < next.seq)) next = step;
    return next;
  }

  #wakeAll(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}
