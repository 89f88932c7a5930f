import { definePoint, defineService, one, some } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { Club, makeClub } from './club.ts';
import { expectNothingLeft, gate, Inn, makeInn, makeModule, release, statesOf, Traveller, virtualKernel } from './inn.ts';

const Bar = defineService<object>({ name: 'Bar', version: '1.0.0' });
const Way = definePoint<object>({ name: 'Way', version: '1.0.0' });

describe('a cascade comes back as a whole, or not at all', () => {
  test('not while another requirement of a dependent leaves; when that is back, it may', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    await kernel.load(makeModule('bar', [], [Bar]));
    await kernel.load(makeModule('tour', [one(Inn), one(Bar)]));
    kernel.port(Inn).current.checkIn(new Traveller('ann'));
    const unload = kernel.unload('inn', { cascade: true });
    const other = kernel.unload('bar');
    await kernel.world.advance(0);
    await expect(kernel.abort('inn')).rejects.toThrow(/^EBUSY: tour#1 cannot come back to live: it requires Bar, and bar#1 is leaving/);
    expect(statesOf(kernel)).toEqual(['inn#1 draining', 'bar#1 draining', 'tour#1 draining']);

    await kernel.abort('bar');
    await kernel.abort('inn');
    expect([(await other).outcome, (await unload).outcome]).toEqual(['live', 'live']);
    expect(statesOf(kernel)).toEqual(['inn#1 live', 'bar#1 live', 'tour#1 live']);
  });

  test('not when a newer generation has taken the place of a dependent', async () => {
    const kernel = virtualKernel();
    const tour = makeModule('tour', [some(Way)], [], (ctx) => ctx.tally('ticket', 'tour.desk').add());
    await kernel.load(makeModule('road', [], [Way]));
    await kernel.load(tour);
    void kernel.unload('road', { cascade: true });
    await kernel.world.advance(0);
    await kernel.load(makeModule('rail', [], [Way]));
    await kernel.load(tour);
    await expect(kernel.abort('road')).rejects.toThrow(/^EBUSY: tour#1 cannot come back to live: tour#2 has taken its place/);
    expect(statesOf(kernel)).toEqual(['road#1 draining', 'tour#1 draining', 'rail#1 live', 'tour#2 live']);
  });

  test('not when one of it is stopping already', async () => {
    const kernel = virtualKernel();
    const { letGo, hook } = gate();
    await kernel.load(makeInn());
    await kernel.load(makeModule('tour', [one(Inn)], [], undefined, { stop: hook }));
    const unload = kernel.unload('inn', { cascade: true });
    await kernel.world.advance(0);
    await expect(kernel.abort('inn')).rejects.toThrow(/^EBUSY: tour#1 cannot come back to live: it is stopping/);
    letGo();
    expect(await kernel.world.run(unload)).toMatchObject({ outcome: 'gone', gone: ['tour#1', 'inn#1'], faults: [] });
    expectNothingLeft(kernel);
  });

  test('what it requires fails to come back: a dependent that somebody holds is forced out with it', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn({ abort: () => Promise.reject(new Error('no way back')) }));
    await kernel.load(makeModule('tour', [one(Inn)], [], (ctx) => ctx.tally('ticket', 'tour.desk').add()));
    kernel.port(Inn).current.checkIn(new Traveller('ann'));
    const report = await kernel.world.run(kernel.unload('inn', { cascade: true, deadlineMs: 50 }));
    expect(report).toMatchObject({ outcome: 'gone', gone: ['tour#1', 'inn#1'], leaks: [] });
    expect(report.broken.map(({ module, kind }) => `${module} ${kind}`)).toEqual(['tour#1 ticket', 'inn#1 guest']);
    expect(report.faults.map(({ module, hook }) => `${module} ${hook}`)).toEqual(['tour#1 close', 'inn#1 abort']);
    // The deadline, and the hooks' one for the ticket that never came back.
    expect(kernel.clock.nowUs).toBe(5_050_000);
    expectNothingLeft(kernel);
  });
});

describe('a dependent that is forced out of its cascade', () => {
  test('goes at once, and the rest drains on', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    await kernel.load(makeClub([one(Inn)]));
    const guest = kernel.port(Inn).current.checkIn(new Traveller('ann'));
    kernel.port(Club).current.join(new Traveller('bob'));
    const unload = kernel.unload('inn', { cascade: true });
    await kernel.world.advance(0);
    expect(await kernel.unload('club', { force: true })).toMatchObject({ gone: ['club#1'], broken: [{ owner: 'bob' }], faults: [] });
    expect(statesOf(kernel)).toEqual(['inn#1 draining']);
    expect(kernel.clock.nowUs).toBe(0);
    release(guest);
    expect(await unload).toMatchObject({ outcome: 'gone', gone: ['club#1', 'inn#1'], broken: [{ owner: 'bob' }] });
    expectNothingLeft(kernel);
  });

  test('goes at the hooks’ deadline when its close does not release; the cascade cannot be called off any more', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    await kernel.load(makeClub([one(Inn)], () => undefined));
    kernel.port(Inn).current.checkIn(new Traveller('ann'));
    kernel.port(Club).current.join(new Traveller('bob'));
    const unload = kernel.unload('inn', { cascade: true });
    await kernel.world.advance(0);
    const forced = kernel.unload('club', { force: true });
    await kernel.world.advance(0);
    for (const name of ['inn', 'club']) {
      await expect(kernel.abort(name)).rejects.toThrow(/^EBUSY: club#1 cannot come back to live: it is being forced out/);
    }
    expect(await kernel.world.run(forced)).toMatchObject({ outcome: 'gone', faults: [{ module: 'club#1', hook: 'close' }] });
    expect(kernel.clock.nowUs).toBe(5_000_000);
    expect(statesOf(kernel)).toEqual(['inn#1 draining']);

    await expect(kernel.abort('inn')).rejects.toThrow(/^EBUSY: club#1 cannot come back to live/);
    void kernel.unload('inn', { force: true });
    expect((await kernel.world.run(unload)).broken.map(({ owner }) => owner)).toEqual(['bob', 'ann']);
    expectNothingLeft(kernel);
  });
});
