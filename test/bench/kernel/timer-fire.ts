import { Kernel } from '@softnet/kernel';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Work } from '../work.ts';
import { probe } from './bench-kernel.ts';

/** Timers that run at once, each arming itself again for 1 ms when it fires: enough to keep the process busy. */
const RUNNING = 10_000;

/** Counts fires, over all timers, up to the number asked for. */
class Countdown {
  #left = 0;
  #fires = 0;
  #reached: ((fires: number) => void) | undefined;

  of(n: number): Promise<number> {
    this.#left = n;
    return new Promise((resolve) => {
      this.#reached = resolve;
    });
  }

  /** One fired: is it to go on? */
  next(): boolean {
    this.#fires++;
    if (this.#left-- > 0) return true;
    this.#reached?.(this.#fires);
    this.#reached = undefined;
    return false;
  }
}

async function softnetLoop(): Promise<Loop> {
  const context = await probe(new Kernel({ name: 'bench' }));
  const countdown = new Countdown();
  const timers = Array.from({ length: RUNNING }, (_none, index) => {
    return context.timer((at: number) => void (countdown.next() && timers[at]!.arm(1000)), index, 'bench.fire');
  });
  return (n) => {
    const reached = countdown.of(n);
    for (const timer of timers) timer.arm(1000);
    return reached;
  };
}

function nodeLoop(): Loop {
  const countdown = new Countdown();
  const fire = (): void => void (countdown.next() && setTimeout(fire, 1));
  return (n) => {
    const reached = countdown.of(n);
    for (let i = 0; i < RUNNING; i++) setTimeout(fire, 1);
    return reached;
  };
}

function nodeRefreshLoop(): Loop {
  const countdown = new Countdown();
  const fire = (at: number): void => void (countdown.next() && timers[at]!.refresh());
  const timers: NodeJS.Timeout[] = Array.from({ length: RUNNING }, (_none, index) => setTimeout(fire, 1, index));
  for (const timer of timers) clearTimeout(timer);
  return (n) => {
    const reached = countdown.of(n);
    for (let at = 0; at < RUNNING; at++) timers[at] = setTimeout(fire, 1, at);
    return reached;
  };
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
