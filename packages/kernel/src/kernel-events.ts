import type { FaultInfo, ModuleState } from './api.ts';
import { messageOf } from './load/describe-value.ts';

/** What happens in a kernel, for screens and tests. */
export type KernelEvent =
  | { readonly sort: 'state'; readonly module: string; readonly from: ModuleState; readonly to: ModuleState }
  | { readonly sort: 'fault'; readonly fault: FaultInfo };

/** Told of each event, in the tick in which it happens. One that throws is told no more. */
export type KernelListener = (event: KernelEvent) => void;

/** Faults kept for lists, the newest. */
const KEPT = 200;

/** Who listens to a kernel, and its last faults. */
export class KernelEvents {
  readonly #listeners = new Set<KernelListener>();
  #faults: FaultInfo[] = [];

  get faults(): readonly FaultInfo[] {
    return this.#faults.slice(-KEPT);
  }

  /** Returns how to stop listening. */
  on(listener: KernelListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  state(module: string, from: ModuleState, to: ModuleState): void {
    this.#tell({ sort: 'state', module, from, to });
  }

  fault(fault: FaultInfo): void {
    this.#faults.push(fault);
    if (this.#faults.length >= 2 * KEPT) this.#faults = this.#faults.slice(-KEPT);
    this.#tell({ sort: 'fault', fault });
  }

  #tell(event: KernelEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // One that falls hears no more: it must not stand in the way of what happens.
        this.#listeners.delete(listener);
        this.fault({ module: 'kernel', hook: 'listener', message: messageOf(error) });
      }
    }
  }
}
