import type { Timer } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Deadline } from './deadlines.ts';
import { Deadlines } from './deadlines.ts';

class Item implements Deadline<Item> {
  atMs = 0;
  prev: Item | null = null;
  next: Item | null = null;
}

/** Deadlines with one timer, and a clock that is the test's. */
function waiting(startMs = 0) {
  const clock = { nowMs: startMs | 0, nowUs: 0 };
  let whenMs = -1;
  let fire = (): void => {};
  let armed = 0;
  const due: Item[] = [];
  const timer = <A>(act: (arg: A) => void, arg: A): Timer => {
    fire = () => act(arg);
    return {
      get armed() {
        return whenMs >= 0;
      },
      cancel: () => {
        whenMs = -1;
      },
      arm: (delayUs: number) => {
        armed++;
        whenMs = passedMs + delayUs / 1000;
      },
    } as unknown as Timer;
  };
  let passedMs = 0;
  const deadlines = new Deadlines<Item>(
    { clock, timer },
    'test',
    () => new Item(),
    (item) => void due.push(item),
  );
  const pass = (ms: number): void => {
    const end = passedMs + ms;
    while (whenMs >= 0 && whenMs <= end) {
      passedMs = whenMs;
      clock.nowMs = (startMs + passedMs) | 0;
      whenMs = -1;
      fire();
    }
    passedMs = end;
    clock.nowMs = (startMs + passedMs) | 0;
  };
  return { deadlines, due, pass, armedTimes: () => armed, isArmed: () => whenMs >= 0 };
}

test('each ends in its time, whoever leaves or begins anew; beside a list that is searched', () => {
  const step = fc.record({
    item: fc.nat(9),
    what: fc.constantFrom('add', 'add', 'remove'),
    delayMs: fc.constantFrom(0, 1, 5, 5, 20, 100),
    passMs: fc.nat(12),
  });
  fc.assert(
    fc.property(fc.constantFrom(0, 0x7fffffe0, -5), fc.array(step, { maxLength: 60 }), (startMs, steps) => {
      const { deadlines, due, pass } = waiting(startMs);
      const items = Array.from({ length: 10 }, () => new Item());
      const model = new Map<Item, number>();
      let nowMs = 0;
      for (const { item, what, delayMs, passMs } of steps) {
        const each = items[item]!;
        if (what === 'add') {
          deadlines.add(each, delayMs);
          model.set(each, nowMs + delayMs);
        } else {
          deadlines.remove(each);
          model.delete(each);
        }
        nowMs += passMs;
        pass(passMs);
        const over = [...model].filter(([, at]) => at <= nowMs).map(([one]) => one);
        for (const one of over) model.delete(one);
        expect(new Set(due.splice(0))).toEqual(new Set(over));
        for (const one of items) expect(one.next !== null).toBe(model.has(one));
      }
    }),
  );
});

test('what ends may begin anew, then and there', () => {
  const { deadlines, due, pass } = waiting();
  const item = new Item();
  deadlines.add(item, 10);
  pass(10);
  deadlines.add(item, 10);
  pass(9);
  expect(due).toEqual([item]);
  pass(1);
  expect(due).toEqual([item, item]);
});

test('100,000 that end at once take several turns, and each is told once; the timer is armed for the first alone', () => {
  const { deadlines, due, pass, armedTimes } = waiting();
  for (let i = 0; i < 100_000; i++) deadlines.add(new Item(), 50);
  expect(armedTimes()).toBe(1);
  pass(49);
  expect(due).toHaveLength(0);
  pass(1);
  expect([due.length, new Set(due).size]).toEqual([100_000, 100_000]);
});

test('delays of all sorts leave no lists behind', () => {
  const { deadlines, due, pass } = waiting();
  for (let i = 0; i < 1000; i++) {
    deadlines.add(new Item(), i + 1);
    pass(i + 1);
  }
  expect(due).toHaveLength(1000);
  expect(deadlines.lists).toBeLessThanOrEqual(33);
});

test('where nobody waits any more the timer does not run', () => {
  const { deadlines, due, pass, isArmed } = waiting();
  const [one, two] = [new Item(), new Item()];
  deadlines.add(one, 10);
  deadlines.add(two, 20);
  deadlines.remove(one);
  deadlines.remove(one);
  expect(isArmed()).toBe(true);
  deadlines.remove(two);
  expect(isArmed()).toBe(false);
  deadlines.add(one, 5);
  pass(5);
  expect([isArmed(), due]).toEqual([false, [one]]);
});
