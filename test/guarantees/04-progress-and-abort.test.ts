import { one } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { Inn, makeInn, makeModule, Service, Traveller, virtualKernel } from './inn.ts';

describe('guarantee 4: progress is an async iterator; a signal or a deadline puts the module back to live', () => {
  test('each change is a step; a thousand releases between two reads are one', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    const guests = Array.from({ length: 1000 }, () => kernel.port(Inn).current.checkIn(new Traveller()));
    const unload = kernel.unload('inn');
    const steps: string[] = [];
    for await (const { module, state, remaining, initial } of unload) {
      steps.push(`${module} ${state} ${remaining}/${initial}`);
      if (state === 'draining' && remaining === 1000) for (const guest of guests) guest.holdKind?.release(guest);
    }
    expect(steps).toEqual(['inn#1 withdrawing 1000/1000', 'inn#1 draining 1000/1000', 'inn#1 draining 0/1000', 'inn#1 gone 0/1000']);
  });

  test('a reader who comes late sees the last step of each state', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    const unload = kernel.unload('inn');
    await unload;
    const steps = [];
    for await (const { state } of unload) steps.push(state);
    expect(steps).toEqual(['withdrawing', 'draining', 'gone']);
  });

  test.each(['signal', 'deadline', 'asked'] as const)(
    'called off by %s: every door is open again, what users closed is listed',
    async (by) => {
      const kernel = virtualKernel();
      await kernel.load(makeInn());
      const inn = kernel.port(Inn);
      const ann = new Traveller('ann');
      const [leaver, stayer] = [inn.current.checkIn(new Traveller('leaver')), inn.current.checkIn(ann)];
      const sign = inn.current.hangSign(new Traveller('host'));
      const controller = new AbortController();
      const unload = kernel.unload('inn', by === 'deadline' ? { deadlineMs: 50 } : { signal: controller.signal });
      expect(sign.lit).toBe(false);
      expect(ann.heard).toEqual(['leaving']);
      await kernel.world.advance(10_000);
      leaver.holdKind?.release(leaver);
      if (by === 'signal') controller.abort();
      if (by === 'asked') await kernel.abort('inn');
      const report = await kernel.world.run(unload);

      expect(report).toMatchObject({ outcome: 'live', reason: by, gone: [], faults: [], leaks: [] });
      expect(report.closedMeanwhile).toMatchObject([{ kind: 'guest', owner: 'leaver' }]);
      expect(kernel.clock.nowUs).toBe(by === 'deadline' ? 50_000 : 10_000);
      expect(kernel.module('inn')?.state).toBe('live');
      expect(ann.heard).toEqual(['leaving', 'back']);
      expect(sign.lit).toBe(true);
      expect(kernel.port(Service).current.say(stayer, 'x')).toBe('X');
      inn.current.checkIn(new Traveller('new'));
      inn.current.hangSign(new Traveller('new'));
      // And it can be unloaded again, by a deadline that is long enough.
      const again = kernel.unload('inn', { deadlineMs: 50 });
      for (const { owner } of kernel.holders('inn')) expect(owner).not.toBe('leaver');
      await kernel.abort('inn');
      expect((await again).outcome).toBe('live');
    },
  );

  test('an AbortSignal that was aborted before', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    expect(await kernel.unload('inn', { signal: AbortSignal.abort() })).toMatchObject({ outcome: 'live', reason: 'signal' });
    expect(kernel.module('inn')?.state).toBe('live');
  });

  test('a deadline may mean force instead', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    const guest = kernel.port(Inn).current.checkIn(new Traveller('ann'));
    const report = await kernel.world.run(kernel.unload('inn', { deadlineMs: 50, onDeadline: 'force' }));
    expect(report).toMatchObject({ outcome: 'gone', broken: [{ owner: 'ann' }] });
    expect(guest.closedBy?.code).toBe('ECONNABORTED');
  });

  test('a cascade goes as a whole: called off, its dependents are back too', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    await kernel.load(makeModule('tour', [one(Inn)]));
    const guest = kernel.port(Inn).current.checkIn(new Traveller('ann'));
    const unload = kernel.unload('inn', { cascade: true, deadlineMs: 50 });
    await kernel.world.advance(10_000);
    expect(kernel.modules().map(({ name, state }) => `${name} ${state}`)).toEqual(['inn draining', 'tour draining']);
    expect(await kernel.world.run(unload)).toMatchObject({ outcome: 'live', gone: [] });
    expect(kernel.modules().map(({ name, state }) => `${name} ${state}`)).toEqual(['inn live', 'tour live']);
    guest.holdKind?.release(guest);
    expect(await kernel.unload('inn', { cascade: true })).toMatchObject({ outcome: 'gone', gone: ['tour#1', 'inn#1'] });
  });

  test('what it requires fails to come back: its dependents leave after all, and everything is said', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn({ abort: () => Promise.reject(new Error('no way back')) }));
    await kernel.load(makeModule('tour', [one(Inn)]));
    kernel.port(Inn).current.checkIn(new Traveller('ann'));
    const report = await kernel.world.run(kernel.unload('inn', { cascade: true, deadlineMs: 50 }));
    expect(report).toMatchObject({
      outcome: 'gone',
      gone: ['tour#1', 'inn#1'],
      broken: [{ owner: 'ann' }],
      faults: [{ module: 'inn#1', hook: 'abort' }],
    });
    expect(kernel.modules()).toEqual([]);
  });
});
