import type { Kernel } from '@softnet/kernel';
import { describe, expect, test } from 'vitest';
import type { Bend } from './inn.ts';
import { Guest, held, Inn, makeInn, Service, statesOf, Traveller, virtualKernel } from './inn.ts';

/** A kernel with an inn, and its guests. */
async function innOf(...names: string[]): Promise<{ kernel: Kernel; guests: Guest[]; travellers: Traveller[] }> {
  const kernel = virtualKernel();
  await kernel.load(makeInn());
  const travellers = names.map((name) => new Traveller(name));
  return { kernel, travellers, guests: travellers.map((traveller) => kernel.port(Inn).current.checkIn(traveller)) };
}

describe('a thaw that fails fails the replace, in the default mode too, and the old generation never left', () => {
  const theOne = new Guest();
  const fall = (): never => {
    throw new Error('too cold');
  };
  const hold: NonNullable<Bend['thaw']> = (_frozen, inn) => held(inn.guests, new Guest(), new Traveller('thaw'), 'inn.thaw');
  const thaws: [string, NonNullable<Bend['thaw']>, RegExp][] = [
    ['throws', fall, /failed to thaw a guest of layout 1: too cold/],
    ['holds what it makes', hold, /thaw of a guest returned an object that is held already: return a new object/],
    ['returns one object for two', () => theOne, /inn#2 thawed one object for two: thaw makes a new one each time/],
  ];
  test.each(thaws)('one that %s', async (_how, thaw, sentence) => {
    const { kernel, guests, travellers } = await innOf('ann', 'bob');
    const replace = kernel.replace('inn', makeInn({ thaw }));
    await expect(replace).rejects.toThrow(/^EBUSY: inn#2 was not loaded: /);
    await expect(replace).rejects.toThrow(sentence);
    expect(statesOf(kernel)).toEqual(['inn#1 live']);
    expect(kernel.holders().map(({ module, owner }) => `${module} ${owner}`)).toEqual(['inn#1 ann', 'inn#1 bob']);
    expect(travellers.map(({ heard }) => heard)).toEqual([[], []]);
    expect(guests.map((guest) => kernel.port(Service).current.say(guest, 'hi'))).toEqual(['HI', 'HI']);
    kernel.port(Inn).current.checkIn(new Traveller('new'));

    // Nothing is left of the attempt: the next one succeeds.
    const { adopted, drained } = await kernel.replace('inn', makeInn({ thaw: () => new Guest() }));
    expect(adopted).toEqual({ guest: 3 });
    expect((await drained).outcome).toBe('gone');
    expect(kernel.world.idle()).toBe(true);
  });
});

describe('a successor whose start is over, and that is given up', () => {
  test('is stopped: it may have opened what only its stop can close', async () => {
    const { kernel } = await innOf('ann');
    const log: string[] = [];
    const young = makeInn({ start: () => void log.push('opened'), stop: () => void log.push('closed') });
    await expect(kernel.replace('inn', young, { mode: 'handover' })).rejects.toThrow(
      /^EBUSY: inn#2 was not loaded: inn#1 cannot be replaced, as hand-over is impossible: inn#2 cannot thaw a guest/,
    );
    expect(log).toEqual(['opened', 'closed']);
    expect(statesOf(kernel)).toEqual(['inn#1 live']);
    expect(kernel.faults).toEqual([]);
  });

  test('may fail in that stop too: a fault, and the refusal stays what it was', async () => {
    const { kernel } = await innOf('ann');
    const stop = (): Promise<void> => new Promise(() => undefined);
    const replace = kernel.replace('inn', makeInn({ stop }), { mode: 'handover' });
    await expect(kernel.world.run(replace)).rejects.toThrow(/^EBUSY: .*inn#2 cannot thaw a guest/);
    expect(kernel.clock.nowUs).toBe(5_000_000);
    expect(kernel.faults).toMatchObject([{ module: 'inn#2', hook: 'stop', message: expect.stringContaining('not settled') }]);
    expect(statesOf(kernel)).toEqual(['inn#1 live']);
  });
});
