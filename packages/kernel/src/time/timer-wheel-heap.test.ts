import { describe, expect, it } from 'vitest';
import { Executive } from './executive.ts';
import { VirtualTime } from './kernel-clock.ts';

function setup() {
  const time = new VirtualTime();
  const { wheel } = new Executive({ name: 'h1', time, onFault: (_owner, error) => expect.fail(String(error)) });
  const make = (owner: number) => wheel.timer({ owner, label: `m${owner}#1`, armed: 0, dead: false }, () => {}, null, 'test');
  return { time, wheel, make };
}

describe('TimerWheel and the heap', () => {
  it('allocates nothing to re-arm, cancel and fire, above 2³¹ µs too', async () => {
    const { time, wheel, make } = setup();
    const timers = Array.from({ length: 100 }, (_, i) => make(i));
    const work = (rounds: number) => {
      for (let i = 0; i < rounds; i++) {
        timers[i % 100]!.arm(1 + ((i * 7919) % 300_000));
        if (i % 3 === 0) timers[(i * 31) % 100]!.cancel();
        if (i % 64 === 0) {
          time.nowUs += 997;
          wheel.collect();
          wheel.fire(1000);
        }
      }
    };
    time.nowUs = 2 ** 31 - 1000;
    work(100_000);
    const { gc } = globalThis;
    if (gc === undefined) throw new Error('run with --expose-gc');
    const slice = () => {
      gc();
      const before = process.memoryUsage().heapUsed;
      work(100_000);
      return process.memoryUsage().heapUsed - before;
    };
    // A slice fits into V8's young space, else a collection in between would hide what was allocated. It is warm when V8
    // has compiled it, on a thread of its own: on a busy machine that takes a while.
    let grown = slice();
    for (let i = 0; i < 400 && grown > 100_000; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      grown = slice();
    }
    // One heap number for each re-arm would be 1.2 MB.
    expect(grown).toBeLessThan(100_000);
  });
});
