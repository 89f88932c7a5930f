import type { Poll } from '@softnet/contract';
import { one } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { Inn, makeInn, makeModule, Service, Traveller, virtualKernel } from './inn.ts';

/** An inn that throws on each bad packet, beside a module that counts good ones. */
async function innWithPackets(always = false) {
  const kernel = virtualKernel();
  const polls: Poll[] = [];
  let [bad, good] = [0, 0];
  const pollBad = (): number => {
    if (!always && bad === 0) return 0;
    bad--;
    throw new Error('bad packet');
  };
  await kernel.load(makeInn({ start: (ctx) => void polls.push(ctx.poll({ poll: pollBad }, 'inn.rx')) }));
  await kernel.load(makeModule('good', [], [], (ctx) => void polls.push(ctx.poll({ poll: () => good++ && 1 }, 'good.rx'))));
  const packets = async (badOnes: number): Promise<void> => {
    bad = badOnes;
    for (const poll of polls) poll.raise();
    await kernel.world.advance(1);
  };
  return { kernel, packets, goodPackets: () => good };
}

describe('guarantee 13: a module that throws on the packet path is quarantined, others are not harmed', () => {
  test('withdrawn after the third throw, with the reason; it can be called back', async () => {
    const { kernel, packets, goodPackets } = await innWithPackets();
    const ann = new Traveller('ann');
    const guest = kernel.port(Inn).current.checkIn(ann);
    await packets(2);
    expect(kernel.module('inn')).toMatchObject({ state: 'live', throws: 2, trouble: undefined });
    expect(kernel.faults.at(-1)).toEqual({ module: 'inn#1', hook: 'packet', message: 'inn.rx: bad packet' });
    await packets(1);
    const reason = 'quarantined: threw 3 times on the packet path, last at inn.rx: bad packet';
    expect(kernel.module('inn')).toMatchObject({ state: 'draining', trouble: reason });
    expect(ann.heard).toEqual(['leaving']);
    expect(() => kernel.port(Inn).current.checkIn(ann)).toThrow(/inn#1 is leaving/);
    expect(kernel.port(Service).current.say(guest, 'well')).toBe('WELL');
    expect(goodPackets()).toBe(2);
    expect(kernel.module('good')).toMatchObject({ state: 'live', throws: 0 });

    await kernel.abort('inn');
    expect(kernel.module('inn')).toMatchObject({ state: 'live', throws: 0, trouble: undefined });
  });

  test('one that goes on throwing is forced out, in the same instant even', async () => {
    const { kernel, packets, goodPackets } = await innWithPackets(true);
    const guest = kernel.port(Inn).current.checkIn(new Traveller('ann'));
    await packets(1);
    expect(kernel.module('inn')).toBeUndefined();
    expect(guest.closedBy?.code).toBe('ECONNABORTED');
    await packets(0);
    expect(goodPackets()).toBe(2);
  });

  test('who cannot live without it is withdrawn with it, and told why', async () => {
    const { kernel, packets } = await innWithPackets();
    kernel.port(Inn).current.checkIn(new Traveller('ann'));
    await kernel.load(makeModule('tour', [one(Inn)]));
    await packets(3);
    expect(kernel.module('tour')).toMatchObject({ state: 'draining', trouble: expect.stringMatching(/^inn#1 was quarantined/) });
    await kernel.abort('inn');
    expect(kernel.module('tour')).toMatchObject({ state: 'live', trouble: undefined });
  });

  test('a throw in a timer, and in another module’s code that was crossed into, finds its culprit', async () => {
    const kernel = virtualKernel();
    let inner = 0;
    await kernel.load(
      makeModule('inner', [], [], (ctx) => {
        inner = ctx.owner;
      }),
    );
    await kernel.load(
      makeModule('outer', [], [], (ctx) => {
        const tick = (): void => {
          // As the contract asks of who calls into another module's packet code.
          ctx.current.id = inner;
          throw new Error('inner fell');
        };
        ctx.timer(tick, null, 'outer.tick').arm(5);
      }),
    );
    await kernel.world.advance(10);
    expect(kernel.faults).toEqual([{ module: 'inner#1', hook: 'packet', message: 'outer.tick: inner fell' }]);
    expect(kernel.module('outer')?.throws).toBe(0);
  });
});
