import type { ModuleContext, Timer } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { describe, expect, test } from 'vitest';
import type { Member } from './club.ts';
import { Club, makeClub } from './club.ts';
import type { Guest, InnModule } from './inn.ts';
import { expectNothingLeft, Inn, makeInn, release, Service, statesOf, Traveller, virtualKernel } from './inn.ts';

/** An inn whose guests need 10 ms to leave when they are asked to, beside a club with a member. */
async function slowInn(close?: (member: Member) => void): Promise<{ kernel: Kernel; guest: Guest; member: Member }> {
  const kernel = virtualKernel();
  let timer: Timer | undefined;
  const leaving: Guest[] = [];
  const start = (ctx: ModuleContext, inn: InnModule): void => {
    const leave = (): void => {
      for (const guest of leaving) inn.guests.release(guest);
    };
    timer = ctx.timer(leave, null, 'inn.porter');
  };
  const slowClose = (guest: Guest): void => {
    leaving.push(guest);
    timer?.arm(10_000);
  };
  await kernel.load(makeInn({ start, close: slowClose }));
  await kernel.load(makeClub([], close));
  const guest = kernel.port(Inn).current.checkIn(new Traveller('ann'));
  return { kernel, guest, member: kernel.port(Club).current.join(new Traveller('bob')) };
}

describe('what an existing holder derives after force has begun', () => {
  test('ends with its holder, when that is closed already', async () => {
    const { kernel, guest } = await slowInn();
    const unload = kernel.unload('inn', { force: true });
    await kernel.world.advance(1000);
    const tea = kernel.port(Service).current.tea(guest);
    const report = await kernel.world.run(unload);
    expect(kernel.clock.nowUs).toBe(10_000);
    expect(tea.ended).toBe(true);
    expect(report).toMatchObject({ outcome: 'gone', faults: [], leaks: [] });
    expect(report.broken.map(({ module, owner }) => `${module} ${owner}`)).toEqual(['inn#1 ann']);
  });

  test('is closed at its start, also in another module, and stands in the report', async () => {
    const { kernel, member } = await slowInn();
    const unload = kernel.unload('inn', { force: true });
    await kernel.world.advance(1000);
    const tea = kernel.port(Service).current.tea(member);
    await kernel.world.advance(0);
    expect([tea.ended, member.holdNext]).toEqual([true, null]);
    expect((member.holdOwner as Traveller).notices).toMatchObject([
      {
        sort: 'closed',
        module: 'club#1',
        error: { code: 'ECONNABORTED', message: expect.stringContaining('inn#1 was unloaded by force') },
      },
    ]);
    const report = await kernel.world.run(unload);
    expect(report).toMatchObject({ outcome: 'gone', faults: [], leaks: [] });
    expect(report.broken.map(({ module, owner }) => `${module} ${owner}`)).toEqual(['inn#1 ann', 'club#1 bob']);
    expect(statesOf(kernel)).toEqual(['club#1 live']);
  });

  test('is torn off at the hooks’ deadline when the close of its start does nothing; the start lives on', async () => {
    const { kernel, member } = await slowInn(() => undefined);
    const unload = kernel.unload('inn', { force: true });
    await kernel.world.advance(1000);
    const tea = kernel.port(Service).current.tea(member);
    const report = await kernel.world.run(unload);
    expect(kernel.clock.nowUs).toBe(5_000_000);
    expect([tea.ended, member.holdNext === null]).toEqual([true, false]);
    expect(report.broken.map(({ module, owner }) => `${module} ${owner}`)).toEqual(['inn#1 ann', 'club#1 bob']);
    expect(report.faults).toMatchObject([{ module: 'inn#1', hook: 'close', message: expect.stringContaining('tea (inn.tea): torn off') }]);
    expect(kernel.holders()).toMatchObject([{ module: 'club#1', owner: 'bob' }]);
    release(member);
    expect((await kernel.unload('club')).outcome).toBe('gone');
    expectNothingLeft(kernel);
  });
});

describe('what force wrote off', () => {
  test('may come back, in silence; what is added to the tally of a module that is gone is its fault', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    const { luggage } = kernel.port(Service).current;
    luggage.add(2);
    const report = await kernel.world.run(kernel.unload('inn', { force: true }));
    expect(report.broken).toMatchObject([{ kind: 'trunk', sort: 'tally', count: 2 }]);
    expect(report.faults).toMatchObject([
      { hook: 'close', message: expect.stringMatching(/2 trunk at inn.cellar never came back: written off/) },
    ]);
    luggage.sub(2);
    expect(luggage.count).toBe(0);
    expect(() => luggage.add(1)).toThrow(/^inn#1: inn.cellar adds to its tally of trunk though the module is gone/);
    expectNothingLeft(kernel);
  });
});
