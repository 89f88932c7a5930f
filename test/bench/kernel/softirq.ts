import type { Poll, PollSource } from '@softnet/contract';
import type { Loop } from '../span.ts';
import { nsOf } from '../span.ts';
import type { Work } from '../work.ts';
import { probe, virtualKernel } from './bench-kernel.ts';

/** A source with one packet at a time, which raises itself for the next. */
class Trickle implements PollSource {
  handle: Poll | undefined;
  left = 0;
  done = 0;

  poll(): number {
    this.done = (this.done + 1) | 0;
    if (--this.left > 0) this.handle!.raise();
    return 1;
  }
}

export async function pollLoop(): Promise<Loop> {
  const kernel = virtualKernel();
  const context = await probe(kernel);
  const source = new Trickle();
  const handle = context.poll(source, 'bench.poll');
  source.handle = handle;
  return (n) => {
    source.left = n;
    handle.raise();
    kernel.world.advanceSync(1);
    if (source.left !== 0) throw new Error(`${source.left} of ${n} polls are missing`);
    return source.done;
  };
}

/** A chain of callbacks, each of which asks for the next. */
function chainLoop(soon: (then: () => void) => void): Loop {
  return (n) =>
    new Promise((resolve) => {
      let left = n;
      const step = (): void => (--left > 0 ? soon(step) : resolve(n));
      soon(step);
    });
}

export function softirqWork(): Work {
  return {
    name: 'softirq-poll',
    summary: 'a source is raised and polled, in virtual time',
    units: { ns: 'less' },
    subjects: [
      { name: 'softnet', measure: async () => nsOf(await pollLoop()) },
      { name: 'microtask', measure: () => nsOf(chainLoop(queueMicrotask)) },
      { name: 'set-immediate', measure: () => nsOf(chainLoop(setImmediate)) },
    ],
  };
}
