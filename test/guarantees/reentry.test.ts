import { one } from '@softnet/contract';
import type { Kernel, Unload } from '@softnet/kernel';
import { describe, expect, test } from 'vitest';
import { Club, makeClub } from './club.ts';
import { expectNothingLeft, Guest, Inn, makeInn, release, statesOf, Traveller, virtualKernel } from './inn.ts';

/** A kernel with an inn; its guest does something at a notice, once. */
async function guestWho(at: 'leaving' | 'back' | 'moved', act: (kernel: Kernel, guest: Guest) => void): Promise<Kernel> {
  const kernel = virtualKernel();
  await kernel.load(makeInn());
  const guest: Guest = kernel.port(Inn).current.checkIn({ name: 'ann', notice: ({ sort }) => void (sort === at && act(kernel, guest)) });
  return kernel;
}

const nextInn = () => makeInn({ thaw: () => new Guest() });

describe('a notice may call the kernel', () => {
  test('it may unload the module that it comes from, by force', async () => {
    let forced: Unload | undefined;
    const kernel = await guestWho('leaving', (k) => {
      forced = k.unload('inn', { force: true });
    });
    const report = await kernel.world.run(kernel.unload('inn'));
    expect(report).toMatchObject({ outcome: 'gone', gone: ['inn#1'], broken: [{ owner: 'ann' }], faults: [], leaks: [] });
    expect(await forced).toEqual(report);
    expectNothingLeft(kernel);
  });

  test('it may call off the unload that it tells of; what comes back cannot be forced out meanwhile', async () => {
    let abort: Promise<void> | undefined;
    let forced: Unload | undefined;
    const kernel = await guestWho('leaving', (k) => {
      abort = k.abort('inn');
      forced = k.unload('inn', { force: true });
    });
    const unload = kernel.unload('inn');
    await expect(forced).rejects.toThrow(/^EBUSY: inn#1 cannot be unloaded while inn#1 is coming back to live/);
    await abort;
    expect(await kernel.world.run(unload)).toMatchObject({ outcome: 'live', reason: 'asked', faults: [], closedMeanwhile: [] });
    expect(statesOf(kernel)).toEqual(['inn#1 live']);
    expect(kernel.holders('inn')).toMatchObject([{ owner: 'ann' }]);
  });

  test('one that lets go, and unloads what the cascade is about, joins that cascade', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    await kernel.load(makeClub([one(Inn)]));
    let joined: Unload | undefined;
    const notice = (): void => {
      release(member);
      joined = kernel.unload('inn');
    };
    const member = kernel.port(Club).current.join({ name: 'ann', notice });
    const report = await kernel.world.run(kernel.unload('inn', { cascade: true }));
    expect(report).toMatchObject({ outcome: 'gone', gone: ['club#1', 'inn#1'], broken: [], faults: [], leaks: [] });
    expect(await joined).toEqual(report);
    expectNothingLeft(kernel);
  });

  test('one that says that the module is back may unload it again', async () => {
    let again: Unload | undefined;
    const kernel = await guestWho('back', (k) => {
      again = k.unload('inn', { force: true });
    });
    const first = kernel.unload('inn');
    await kernel.abort('inn');
    expect((await first).outcome).toBe('live');
    expect(await again).toMatchObject({ outcome: 'gone', broken: [{ owner: 'ann' }], faults: [] });
    expectNothingLeft(kernel);
  });

  test('one that says that an object moved may unload the old generation', async () => {
    let joined: Unload | undefined;
    const kernel = await guestWho('moved', (k) => {
      joined = k.unload('inn#1');
    });
    const { drained, adopted } = await kernel.replace('inn', nextInn());
    expect(adopted).toEqual({ guest: 1 });
    expect(await joined).toEqual(await drained);
    expect(statesOf(kernel)).toEqual(['inn#2 live']);
    expect(kernel.port(Inn).present).toBe(true);
    expect(kernel.holders()).toMatchObject([{ module: 'inn#2', owner: 'ann' }]);
  });

  test('one that says that an object moved may unload the new generation', async () => {
    let forced: Unload | undefined;
    const kernel = await guestWho('moved', (k) => {
      forced = k.unload('inn', { force: true });
    });
    const { drained } = await kernel.replace('inn', nextInn());
    expect(await forced).toMatchObject({ module: 'inn#2', outcome: 'gone', broken: [{ owner: 'ann' }] });
    expect(await drained).toMatchObject({ module: 'inn#1', outcome: 'gone', broken: [] });
    expectNothingLeft(kernel);
  });
});

describe('a notice that fails', () => {
  test('by a promise that rejects, is a fault of the module that gave it', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    const notice = async (): Promise<void> => {
      throw new Error('too late to tell');
    };
    kernel.port(Inn).current.checkIn({ name: 'ann', notice });
    expect((await kernel.unload('inn', { force: true })).outcome).toBe('gone');
    await kernel.world.advance(0);
    const fault = { module: 'inn#1', hook: 'notice', message: 'too late to tell' };
    expect(kernel.faults).toEqual([fault, fault]);
    expectNothingLeft(kernel);
  });

  test('a thousand times, does not hide a stop that fails', async () => {
    const fall = (): never => {
      throw new Error('fell');
    };
    const kernel = virtualKernel();
    await kernel.load(makeInn({ stop: fall }));
    const guests = Array.from({ length: 1000 }, () => kernel.port(Inn).current.checkIn({ name: 'ann', notice: fall }));
    const unload = kernel.unload('inn');
    for (const guest of guests) release(guest);
    const { faults } = await unload;
    expect(faults.at(-1)).toMatchObject({ module: 'inn#1', hook: 'stop', message: expect.stringContaining('fell') });
    // The first of each hook are kept, not all of them.
    expect(faults.length).toBeLessThan(1000);
    expectNothingLeft(kernel);
  });
});

describe('a listener', () => {
  test('may unload the old generation when the new one goes live', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    kernel.port(Inn).current.checkIn(new Traveller('ann'));
    let joined: Unload | undefined;
    kernel.on((event) => {
      if (event.sort === 'state' && event.module === 'inn#2' && event.to === 'live') joined = kernel.unload('inn#1');
    });
    const { drained, adopted } = await kernel.replace('inn', nextInn());
    expect(adopted).toEqual({ guest: 1 });
    expect(await joined).toEqual(await drained);
    expect(await drained).toMatchObject({ outcome: 'gone', broken: [], faults: [], leaks: [] });
    expect(statesOf(kernel)).toEqual(['inn#2 live']);
    expect(kernel.port(Inn).present).toBe(true);
    expect(kernel.holders()).toMatchObject([{ module: 'inn#2', owner: 'ann' }]);
  });

  test('that throws hears no more, is a fault of the kernel, and stands in nobody’s way', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    const [heard, others]: [string[], string[]] = [[], []];
    kernel.on((event) => {
      heard.push(event.sort === 'state' ? event.to : event.fault.hook);
      throw new Error('enough');
    });
    kernel.on((event) => {
      others.push(event.sort === 'state' ? event.to : event.fault.hook);
    });
    expect(await kernel.unload('inn')).toMatchObject({ outcome: 'gone', faults: [] });
    expect(heard).toEqual(['withdrawing']);
    expect(others).toEqual(['listener', 'withdrawing', 'draining', 'gone']);
    expect(kernel.faults).toEqual([{ module: 'kernel', hook: 'listener', message: 'enough' }]);
    expectNothingLeft(kernel);
  });
});

describe('a listener that calls back in the midst of stage 1 or of a return', () => {
  async function innWithClub() {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    await kernel.load(makeClub([one(Inn)]));
    kernel.port(Club).current.join(new Traveller('bob'));
    return kernel;
  }

  test('joins the cascade as a whole: force then takes all of it', async () => {
    const kernel = await innWithClub();
    const stop = kernel.on((event) => {
      if (event.sort === 'state' && event.to === 'withdrawing') void kernel.unload('inn', { cascade: true });
    });
    void kernel.unload('inn', { cascade: true });
    stop();
    expect((await kernel.world.run(kernel.unload('inn', { force: true }))).outcome).toBe('gone');
    expect(kernel.modules()).toEqual([]);
  });

  test('is refused an abort of what has hardly begun', async () => {
    const kernel = await innWithClub();
    const said: string[] = [];
    kernel.on((event) => {
      if (event.sort === 'state' && event.module === 'club#1' && event.to === 'withdrawing') {
        kernel.abort('inn').catch((error: unknown) => said.push(String(error)));
      }
    });
    void kernel.unload('inn', { cascade: true });
    await kernel.world.advance(0);
    expect(said).toEqual([expect.stringMatching(/EBUSY: inn#1 cannot come back to live: its unload is just beginning/)]);
    await kernel.abort('inn');
    expect(statesOf(kernel)).toEqual(['inn#1 live', 'club#1 live']);
  });

  test('may unload again what has just come back', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    const ann = new Traveller('ann');
    kernel.port(Inn).current.checkIn(ann);
    void kernel.unload('inn');
    let again: Unload | undefined;
    kernel.on((event) => {
      if (event.sort === 'state' && event.to === 'live') again = kernel.unload('inn', { force: true });
    });
    await kernel.abort('inn');
    expect(await kernel.world.run(again as Unload)).toMatchObject({ outcome: 'gone', broken: [{ owner: 'ann' }] });
    expect(ann.heard).toEqual(['leaving', 'leaving', 'closed']);
  });
});
