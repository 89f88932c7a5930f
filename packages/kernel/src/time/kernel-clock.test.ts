import { describe, expect, it } from 'vitest';
import { KernelClock, VirtualTime } from './kernel-clock.ts';

describe('KernelClock', () => {
  it('stands still within a batch, and follows time outside', () => {
    const time = new VirtualTime();
    const clock = new KernelClock(time);
    expect([clock.nowUs, clock.nowMs, clock.virtual]).toEqual([0, 0, true]);
    clock.begin();
    time.nowUs = 5_999;
    expect([clock.nowUs, clock.readUs()]).toEqual([0, 5_999]);
    clock.end();
    expect([clock.nowUs, clock.nowMs]).toEqual([5_999, 5]);
  });

  it('gives milliseconds that wrap as an int32, so that differences stay right', () => {
    const time = new VirtualTime();
    const clock = new KernelClock(time);
    time.nowUs = (2 ** 31 - 1) * 1000 + 999;
    const before = clock.nowMs;
    expect(before).toBe(2 ** 31 - 1);
    time.nowUs += 1;
    expect(clock.nowMs).toBe(-(2 ** 31));
    expect((clock.nowMs - before) | 0).toBe(1);
    time.nowUs = 2 ** 32 * 1000;
    expect(clock.nowMs).toBe(0);
  });
});
