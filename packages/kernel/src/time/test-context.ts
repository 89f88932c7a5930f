import { CurrentOwner } from '@softnet/contract';
import { KernelClock, VirtualTime } from './kernel-clock.ts';
import type { RunContext } from './run-context.ts';
import type { TimerAccount } from './wheel-timer.ts';

/** A context for tests: its clock is set by hand, and it writes down what it is told. */
export class TestContext implements RunContext {
  readonly time = new VirtualTime();
  readonly clock = new KernelClock(this.time);
  readonly current = new CurrentOwner();
  place = '';
  sooners = 0;
  emptieds = 0;
  readonly faults: { owner: number; message: string; place: string }[] = [];

  sooner(): void {
    this.sooners++;
  }

  emptied(): void {
    this.emptieds++;
  }

  fault(error: unknown): void {
    this.faults.push({ owner: this.current.id, message: String(error), place: this.place });
  }
}

export function account(owner = 1): TimerAccount {
  return { owner, label: `m${owner}#1`, armed: 0, dead: false };
}
