import type { FaceHost } from '@softnet/contract';
import { beforeEach, expect, test } from 'vitest';
import { IdleTimer } from './idle-timer.ts';

let nowUs = 0;
let timers: { atUs: number; then: () => void }[] = [];
let idle = 0;
let timer: IdleTimer;

beforeEach(() => {
  nowUs = 0;
  timers = [];
  idle = 0;
  const after = (delayUs: number, then: () => void): (() => void) => {
    const made = { atUs: nowUs + delayUs, then };
    timers.push(made);
    return () => {
      timers = timers.filter((each) => each !== made);
    };
  };
  const clock = {
    get nowUs() {
      return nowUs;
    },
  };
  timer = new IdleTimer({ clock, after } as unknown as FaceHost, () => idle++);
});

/** Lets time pass. @returns how often it was idle. */
async function pass(us: number): Promise<number> {
  const untilUs = nowUs + us;
  for (;;) {
    const due = timers.find(({ atUs }) => atUs <= untilUs);
    if (due === undefined) break;
    nowUs = due.atUs;
    timers = timers.filter((each) => each !== due);
    due.then();
  }
  nowUs = untilUs;
  await new Promise((resolve) => setImmediate(resolve));
  return idle;
}

test('it tells once, and again after something has happened', async () => {
  timer.set(5);
  expect([await pass(4999), await pass(1), await pass(50_000)]).toEqual([0, 1, 1]);
  timer.touch();
  expect([await pass(4999), await pass(1)]).toEqual([1, 2]);
});

test('what happens puts it off, with one timer', async () => {
  timer.set(5);
  for (let i = 0; i < 10; i++) {
    await pass(4000);
    timer.touch();
    expect(timers).toHaveLength(1);
  }
  expect([idle, await pass(4999), await pass(1)]).toEqual([0, 0, 1]);
});

test('stopped, or set to 0, it leaves no timer and tells nothing', async () => {
  timer.set(5);
  timer.stop();
  expect(timers).toEqual([]);
  timer.set(5);
  timer.set(0);
  timer.touch();
  expect([timers.length, await pass(100_000)]).toEqual([0, 0]);
});
