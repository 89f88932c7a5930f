import type { ModuleContext, Setting } from '@softnet/contract';
import { defineService } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { expect, test } from 'vitest';
import { Inn, makeInn, makeModule, Service, Traveller, virtualKernel } from './inn.ts';

test('guarantee 12: several kernels in one process share nothing but the World they were given', async () => {
  const world = new World({ clock: 'virtual' });
  const settings: Setting<number>[] = [];
  const counts: object[] = [];
  const draws: number[] = [];
  const start = (ctx: ModuleContext): void => {
    settings.push(ctx.sysctl.define('net.inn.rooms', { type: 'int', default: 4, min: 1, max: 99, summary: 'rooms' }));
    counts.push(ctx.counter('visits'), ctx.dropReason('inn.full', 'no room'));
    draws.push(ctx.random.u32());
    expect(ctx.skbSlot('inn').index).toBe(0);
  };
  const InnClass = makeInn({ start });
  const [a, b] = [new Kernel({ world, name: 'a' }), new Kernel({ world, name: 'b' })];
  await a.load(InnClass);
  await b.load(InnClass);

  const guest = a.port(Inn).current.checkIn(new Traveller());
  a.sysctl.set('net.inn.rooms', 7);
  for (const count of counts.slice(0, 2)) Object.assign(count, { value: 5, count: 5 });
  expect(b.holders()).toEqual([]);
  expect(b.sysctl.get('net.inn.rooms')).toBe(4);
  expect(settings.map(({ value }) => value)).toEqual([7, 4]);
  expect(b.counters()).toMatchObject([{ name: 'visits', value: 0 }]);
  expect(b.dropReasons()).toMatchObject([{ name: 'inn.full', count: 0 }]);
  expect(draws[0]).not.toBe(draws[1]);
  expect(a.port(Inn)).not.toBe(b.port(Inn));

  // One is unloaded and shut down; the other does not notice.
  expect((await a.unload('inn', { force: true })).broken).toHaveLength(1);
  await a.shutdown();
  expect(guest.holdNext).toBeNull();
  const other = b.port(Inn).current.checkIn(new Traveller());
  expect(b.port(Service).current.say(other, 'well')).toBe('WELL');
  expect(b.modules()).toMatchObject([{ name: 'inn', generation: 1, state: 'live' }]);
  await expect(a.load(InnClass)).rejects.toThrow(/ESHUTDOWN: a is shut down/);
});

test('guarantee 12: chance is the kernel’s and the module’s own, whatever else is loaded before', async () => {
  const draw = async (before: number): Promise<number> => {
    const kernel = virtualKernel({ name: 'h', seed: 3 });
    const drawn: number[] = [];
    for (let i = 0; i < before; i++) await kernel.load(makeModule(`m${i}`, [], [], (ctx) => void ctx.random.u32()));
    await kernel.load(makeModule('chance', [], [], (ctx) => void drawn.push(ctx.random.u32())));
    return drawn[0] as number;
  };
  expect(await draw(0)).toBe(await draw(3));
});

test('guarantee 12: a token’s cell belongs to its kernel, also when nobody ever provides it', () => {
  const Ghost = defineService<{ boo(): void }>({ name: 'Ghost', version: '1.0.0' });
  expect(virtualKernel().port(Ghost)).not.toBe(virtualKernel().port(Ghost));
});
