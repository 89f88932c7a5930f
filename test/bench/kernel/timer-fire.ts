import { Kernel } from '@softnet/kernel';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Work } from '../work.ts';
import { probe } from './bench-kernel.ts';

/** Timers that run at once, each arming itself again for 1 ms when it fires: enough to keep the process busy. */
const RUNNING = 10_000;

/** A run of so many fires: timers that fire are armed again, until the last of them is in flight. */
class Run {
  #arms = 0;
  #fires = 0;
  #over: (() => void) | undefined;

  /** @param arm arms one of the timers. */
  start(n: number, arm: (at: number) => void): Promise<number> {
    const atOnce = Math.min(n, RUNNING);
    this.#arms = n - atOnce;
    this.#fires = n;
    for (let at = 0; at < atOnce; at++) arm(at);
    return new Promise((resolve) => {
      this.#over = () => resolve(n);
    });
  }

  /** One fired: is it to be armed again? */
  fired(): boolean {
    if (--this.#fires === 0) this.#over?.();
    return this.#arms-- > 0;
  }
}

async function softnetLoop(): Promise<Loop> {
  const context = await probe(new Kernel({ name: 'bench' }));
  const run = new Run();
  const timers = Array.from({ length: RUNNING }, (_none, index) => {
    return context.timer((at: number) => void (run.fired() && timers[at]!.arm(1000)), index, 'bench.fire');
  });
  return (n) => run.start(n, (at) => timers[at]!.arm(1000));
}

function nodeLoop(): Loop {
  const run = new Run();
  const fire = (): void => void (run.fired() && setTimeout(fire, 1));
  return (n) => run.start(n, () => setTimeout(fire, 1));
}

function nodeRefreshLoop(): Loop {
  const run = new Run();
  const fire = (at: number): void => void (run.fired() && timers[at]!.refresh());
  const timers: NodeJS.Timeout[] = Array.from({ length: RUNNING }, (_none, index) => setTimeout(fire, 1, index));
  for (const timer of timers) clearTimeout(timer);
  return (n) =>
    run.start(n, (at) => {
      timers[at] = setTimeout(fire, 1, at);
    });
}

/** In real time for both: the event loop's share is in the figure, and what is spent waiting is not, as it is of CPU. */
export function timerFireWork(): Work {
  return {
    name: 'timer-arm-fire',
    summary: 'a timer of 1 ms fires and arms itself again, 10,000 at once, in real time',
    units: { ns: 'less' },
    subjects: [
      { name: 'softnet', measure: async () => nsOf(await softnetLoop()) },
      { name: 'node-timers', measure: () => nsOf(nodeLoop()) },
      { name: 'node-refresh', measure: () => nsOf(nodeRefreshLoop()) },
    ],
  };
}
