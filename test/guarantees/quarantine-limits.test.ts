import type { Poll, Timer } from '@softnet/contract';
import { one } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { describe, expect, test } from 'vitest';
import type { Bend } from './inn.ts';
import { expectNothingLeft, gate, Inn, makeInn, makeModule, statesOf, Traveller, virtualKernel } from './inn.ts';

const fall = (): never => {
  throw new Error('bad packet');
};

/** A kernel whose World gives up on an instant that does not end. */
function watchedKernel(): Kernel {
  return new Kernel({ world: new World({ clock: 'virtual', maxStepsPerInstant: 20_000 }) });
}

/** Packets that are bad, every one. */
function badRx(polls: Poll[]): NonNullable<Bend['start']> {
  return (ctx) => void polls.push(ctx.poll({ poll: fall }, 'inn.rx'));
}

describe('one that throws for ever does not stop time', () => {
  test('by a timer that it arms anew each time: its code runs no more, and it goes', async () => {
    const kernel = watchedKernel();
    const start: Bend['start'] = (ctx) => {
      const tick = (): never => {
        timer.arm(0);
        return fall();
      };
      const timer: Timer = ctx.timer(tick, null, 'inn.tick');
      timer.arm(0);
    };
    await kernel.load(makeInn({ start }));
    await kernel.world.advance(1000);
    // Three throws are a quarantine, as many again its end.
    expect(kernel.faults.filter(({ hook }) => hook === 'packet')).toHaveLength(6);
    expectNothingLeft(kernel);
  });

  test('while it starts: nothing is polled before it is live', async () => {
    const kernel = watchedKernel();
    const start: Bend['start'] = (ctx) => {
      ctx.poll({ poll: fall }, 'inn.rx').raise();
      return new Promise(() => undefined);
    };
    const load = kernel.load(makeInn({ start }));
    await expect(kernel.world.run(load)).rejects.toThrow(/^ETIMEDOUT: inn#1 was not loaded: start has not settled in 5000 ms/);
    expect(kernel.faults.map(({ hook }) => hook)).toEqual(['start']);
    expectNothingLeft(kernel);
  });

  test('while it cannot be withdrawn, as a dependent is starting: silent at once, withdrawn when that is live', async () => {
    const kernel = watchedKernel();
    const polls: Poll[] = [];
    const { letGo, hook } = gate();
    await kernel.load(makeInn({ start: badRx(polls) }));
    const load = kernel.load(makeModule('tour', [one(Inn)], [], hook));
    polls[0]?.raise();
    await kernel.world.advance(1000);
    expect(kernel.module('inn')).toMatchObject({ state: 'live', throws: 6, trouble: expect.stringMatching(/^quarantined: threw 3 times/) });
    letGo();
    await load;
    await kernel.world.advance(0);
    expectNothingLeft(kernel);
  });
});

describe('one that throws while it comes back', () => {
  test('too often, is forced out: the abort rejects, and it is gone', async () => {
    const { letGo, hook } = gate();
    const polls: Poll[] = [];
    const kernel = virtualKernel();
    await kernel.load(makeInn({ abort: hook, start: badRx(polls) }));
    kernel.port(Inn).current.checkIn(new Traveller('ann'));
    const unload = kernel.unload('inn');
    const abort = kernel.abort('inn');
    await kernel.world.advance(0);
    polls[0]?.raise();
    await kernel.world.advance(10);
    letGo();
    await expect(abort).rejects.toThrow(/^EIO: inn#1 did not come back, so it was forced out: .*was forced out while it came back/);
    expect(await kernel.world.run(unload)).toMatchObject({ outcome: 'gone', broken: [{ owner: 'ann' }], leaks: [] });
    expectNothingLeft(kernel);
  });

  test('less often, is live, and hears its packets', async () => {
    const { letGo, hook } = gate();
    const kernel = virtualKernel();
    let [bad, polled] = [5, 0];
    const polls: Poll[] = [];
    const poll = (): number => {
      polled++;
      if (bad-- > 0) fall();
      return 0;
    };
    await kernel.load(makeInn({ abort: hook, start: (ctx) => void polls.push(ctx.poll({ poll }, 'inn.rx')) }));
    kernel.port(Inn).current.checkIn(new Traveller('ann'));
    void kernel.unload('inn');
    const abort = kernel.abort('inn');
    await kernel.world.advance(0);
    polls[0]?.raise();
    await kernel.world.advance(10);
    letGo();
    await abort;
    expect(kernel.module('inn')).toMatchObject({ state: 'live', throws: 0 });
    const before = polled;
    polls[0]?.raise();
    await kernel.world.advance(10);
    expect(polled - before).toBe(1);
  });
});

test('a log sink that throws is not the trouble of the module that logs', async () => {
  const onLog = (): never => {
    throw new Error('disk full');
  };
  const kernel = virtualKernel({ onLog });
  const poll = (log: { info(message: string): void }) => (): number => {
    for (let i = 0; i < 10; i++) log.info('a packet');
    return 0;
  };
  await kernel.load(makeInn({ start: (ctx) => ctx.poll({ poll: poll(ctx.log) }, 'inn.rx').raise() }));
  await kernel.world.advance(10);
  expect(kernel.logs).toHaveLength(10);
  expect(kernel.faults).toEqual([]);
  expect(kernel.module('inn')).toMatchObject({ state: 'live', throws: 0 });
  expect(statesOf(kernel)).toEqual(['inn#1 live']);
});
