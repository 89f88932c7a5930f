import { Counter } from '@softnet/contract';

/** A counter with the module that counts. */
export interface CounterInfo {
  readonly module: string;
  readonly name: string;
  readonly value: number;
}

/** The statistics of all generations that are not gone. */
export class Counters {
  readonly #byModule = new Map<string, Map<string, Counter>>();

  /** Asking again for a name gives the same counter. */
  counter(module: string, name: string): Counter {
    const counters = this.#byModule.get(module) ?? new Map<string, Counter>();
    this.#byModule.set(module, counters);
    const counter = counters.get(name) ?? new Counter(name);
    counters.set(name, counter);
    return counter;
  }

  all(): CounterInfo[] {
    return [...this.#byModule].flatMap(([module, counters]) => [...counters.values()].map(({ name, value }) => ({ module, name, value })));
  }

  countOf(module: string): number {
    return this.#byModule.get(module)?.size ?? 0;
  }

  remove(module: string): void {
    this.#byModule.delete(module);
  }
}
