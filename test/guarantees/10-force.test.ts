import { describe, expect, test } from 'vitest';
import { Inn, makeInn, Service, Traveller, virtualKernel } from './inn.ts';

describe('guarantee 10: force closes objects through the module’s own proper close, and returns what it broke', () => {
  test('everybody is told, everything is closed, and said', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    const inn = kernel.port(Inn).current;
    const [ann, host] = [new Traveller('ann'), new Traveller('host')];
    const guest = inn.checkIn(ann);
    const tea = kernel.port(Service).current.tea(guest);
    const sign = inn.hangSign(host);
    inn.light(host);
    const report = await kernel.unload('inn', { force: true });
    expect(report).toMatchObject({
      outcome: 'gone',
      broken: [{ kind: 'guest', owner: 'ann', place: 'inn.check-in' }],
      faults: [],
      leaks: [],
    });
    expect(guest.closedBy).toMatchObject({ code: 'ECONNABORTED', message: expect.stringContaining('inn#1 was unloaded by force') });
    expect(tea.ended).toBe(true);
    expect(sign.holdNext).toBeNull();
    expect(ann.notices.map(({ sort, error }) => [sort, error?.code])).toEqual([
      ['leaving', undefined],
      ['closed', 'ECONNABORTED'],
    ]);
    expect(host.notices.map(({ sort, error }) => [sort, error?.code])).toEqual([
      ['leaving', undefined],
      ['leaving', undefined],
      ['closed', 'ESHUTDOWN'],
      ['closed', 'ESHUTDOWN'],
    ]);
  });

  test('an unload that waits can be forced later', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    kernel.port(Inn).current.checkIn(new Traveller('ann'));
    const waiting = kernel.unload('inn');
    await kernel.world.advance(1000);
    const forced = kernel.unload('inn', { force: true });
    expect(await waiting).toMatchObject({ outcome: 'gone', broken: [{ owner: 'ann' }] });
    expect(await forced).toEqual(await waiting);
  });

  test.each([
    ['throws', () => { throw new Error('no'); }, 'no'], // biome-ignore format: one row
    ['does nothing', () => undefined, 'did not release a guest who said 0 words (inn.check-in): torn off'],
  ])('a close that %s: the object is torn off at the deadline, and the module named', async (_how, close, message) => {
    const kernel = virtualKernel();
    await kernel.load(makeInn({ close }));
    kernel.port(Inn).current.checkIn(new Traveller('ann'));
    kernel.port(Service).current.luggage.add(2);
    const unload = kernel.unload('inn', { force: true });
    await kernel.world.advance(4_999_000);
    expect(kernel.module('inn')?.state).toBe('draining');
    const report = await kernel.world.run(unload);
    expect(report.outcome).toBe('gone');
    expect(report.broken.map(({ kind, count }) => [kind, count])).toEqual([['guest', 1], ['trunk', 2]]); // biome-ignore format: pairs
    expect(report.faults.map((fault) => `${fault.module} ${fault.hook}: ${fault.message}`)).toContain(`inn#1 close: ${message}`);
    expect(kernel.world.idle()).toBe(true);
  });

  test('an owner whose notice throws harms nobody', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    const inn = kernel.port(Inn).current;
    inn.checkIn({ name: 'brute', notice: () => { throw new Error('leave me'); } }); // biome-ignore format: one row
    const ann = new Traveller('ann');
    inn.checkIn(ann);
    const report = await kernel.unload('inn', { force: true });
    expect(ann.heard).toEqual(['leaving', 'closed']);
    expect(report.faults).toMatchObject([{ hook: 'notice' }, { hook: 'notice' }]);
  });
});
