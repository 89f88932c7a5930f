import { setFlagsFromString } from 'node:v8';
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
  it('allocates nothing to re-arm, cancel and fire, above 2³¹ µs too', () => {
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
    work(300_000);
    const { gc } = globalThis;
    if (gc === undefined) throw new Error('run with --expose-gc');
    gc();
    const before = process.memoryUsage().heapUsed;
    work(1_000_000);
    const grown = process.memoryUsage().heapUsed - before;
    // One heap number for each re-arm would be 12 MB.
    expect(grown).toBeLessThan(1_000_000);
  });

  it('keeps one map for timers, whatever their times', () => {
    setFlagsFromString('--allow-natives-syntax');
    const sameMap = new Function('a', 'b', 'return %HaveSameMap(a, b)') as (a: object, b: object) => boolean;
    const { time, make } = setup();
    const [early, late] = [make(1), make(2)];
    early.arm(5);
    time.nowUs = 2 ** 33;
    late.arm(5);
    expect(sameMap(early, late)).toBe(true);
  });
});
