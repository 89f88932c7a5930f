import type { ModuleClass, ModuleContext, ServiceToken, Tally } from '@softnet/contract';
import { defineService, Module, ModuleFault } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { describe, expect, test } from 'vitest';
import type { Guest } from './inn.ts';
import { expectNothingLeft, gate, Inn, makeInn, release, Service, statesOf, Traveller, virtualKernel } from './inn.ts';

const NEVER = Number.POSITIVE_INFINITY;
const HOUR_US = 3_600_000_000;

async function guestIn(kernel = virtualKernel()): Promise<{ kernel: Kernel; guest: Guest; ann: Traveller }> {
  await kernel.load(makeInn());
  const ann = new Traveller('ann');
  return { kernel, ann, guest: kernel.port(Inn).current.checkIn(ann) };
}

describe('Infinity means never', () => {
  test.each(['abort', 'force'] as const)('as the deadline of an unload, whatever it would mean (%s)', async (onDeadline) => {
    const { kernel, guest } = await guestIn();
    const unload = kernel.unload('inn', { deadlineMs: NEVER, onDeadline });
    await kernel.world.advance(HOUR_US);
    expect(statesOf(kernel)).toEqual(['inn#1 draining']);
    release(guest);
    expect(await unload).toMatchObject({ outcome: 'gone', broken: [], faults: [] });
    expectNothingLeft(kernel);
  });

  test('as the end of a replaced generation’s drain', async () => {
    const { kernel, guest } = await guestIn();
    const { drained } = await kernel.replace('inn', makeInn(), { mode: 'drain', forceAfterMs: NEVER });
    await kernel.world.advance(HOUR_US);
    expect(statesOf(kernel)).toEqual(['inn#1 draining', 'inn#2 live']);
    expect(kernel.port(Inn).present).toBe(true);
    release(guest);
    expect(await drained).toMatchObject({ outcome: 'gone', broken: [] });
  });

  test('as the deadline of hooks', async () => {
    const kernel = virtualKernel({ hookDeadlineMs: NEVER });
    const { letGo, hook } = gate();
    const load = kernel.load(makeInn({ start: hook }));
    await kernel.world.advance(HOUR_US);
    expect(statesOf(kernel)).toEqual(['inn#1 starting']);
    letGo();
    expect((await load).state).toBe('live');
  });
});

describe.each([Number.NaN, -1, Number.NEGATIVE_INFINITY])('a time of %s is refused before anything happens', (ms) => {
  const sentence = (option: string): RegExp =>
    new RegExp(`^EINVAL: ${option} must be a number of milliseconds from 0, or Infinity for never, but is ${ms}`);

  test('by unload', async () => {
    const { kernel, ann } = await guestIn();
    const unload = kernel.unload('inn', { deadlineMs: ms });
    expect(statesOf(kernel)).toEqual(['inn#1 live']);
    await expect(unload).rejects.toThrow(sentence('deadlineMs'));
    const iterate = async (): Promise<void> => {
      for await (const _step of unload) throw new Error('no step was expected');
    };
    await expect(iterate()).rejects.toThrow(sentence('deadlineMs'));
    expect(ann.heard).toEqual([]);
    expect(kernel.world.idle()).toBe(true);
  });

  test('by an unload that would join one under way', async () => {
    const { kernel } = await guestIn();
    void kernel.unload('inn');
    await expect(kernel.unload('inn', { deadlineMs: ms, force: true })).rejects.toThrow(sentence('deadlineMs'));
    await kernel.world.advance(0);
    expect(statesOf(kernel)).toEqual(['inn#1 draining']);
  });

  test('by replace', async () => {
    const { kernel, ann } = await guestIn();
    let started = 0;
    const young = makeInn({ start: () => void started++ });
    await expect(kernel.replace('inn', young, { mode: 'drain', forceAfterMs: ms })).rejects.toThrow(sentence('forceAfterMs'));
    expect([started, ann.heard, statesOf(kernel)]).toEqual([0, [], ['inn#1 live']]);
  });

  test('by a new kernel, which then has no part in its World', () => {
    const world = new World({ clock: 'virtual' });
    expect(() => new Kernel({ world, hookDeadlineMs: ms })).toThrow(sentence('hookDeadlineMs'));
    expect(world.executives).toEqual([]);
  });
});

describe('a tally takes whole numbers from 0', () => {
  const calls: [string, (tally: Tally) => void][] = [
    ['add -1', (tally) => tally.add(-1)],
    ['add 0.5', (tally) => tally.add(0.5)],
    ['add NaN', (tally) => tally.add(Number.NaN)],
    ['add Infinity', (tally) => tally.add(NEVER)],
    ['sub -1', (tally) => tally.sub(-1)],
    ['sub NaN', (tally) => tally.sub(Number.NaN)],
  ];
  test.each(calls)('%s is a fault of the module, and counts nothing', async (_call, act) => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    const { luggage } = kernel.port(Service).current;
    luggage.add(2);
    expect(() => act(luggage)).toThrow(ModuleFault);
    expect(() => act(luggage)).toThrow(/^inn#1: inn.cellar counts \S+ trunk: a tally takes whole numbers from 0/);
    expect([luggage.count, kernel.module('inn')?.usage.holds]).toEqual([2, 2]);
    luggage.sub(2);
    expect((await kernel.world.run(kernel.unload('inn'))).outcome).toBe('gone');
    expectNothingLeft(kernel);
  });

  test('one that is raised in stop is a leak; one of a module that is gone takes no more', async () => {
    const kernel = virtualKernel();
    const tallies: Tally[] = [];
    await kernel.load(makeInn({ start: (ctx) => void tallies.push(ctx.tally('buffer', 'inn.pool')), stop: () => tallies[0]?.add(3) }));
    expect(await kernel.unload('inn')).toMatchObject({ outcome: 'gone', leaks: ['buffer (inn.pool) still counted after stop'] });
    expect(() => tallies[0]?.add(1)).toThrow(/^inn#1: inn.pool adds to its tally of buffer though the module is gone/);
    expectNothingLeft(kernel);
  });
});

/** A module that publishes what it is given, whatever that is. */
function publisher<T extends object>(token: ServiceToken<T>, provider: unknown): ModuleClass {
  class PublisherModule {
    start(ctx: ModuleContext): void {
      ctx.door(token, provider as T);
    }
  }
  Module({ name: 'publisher', version: '1.0.0', provides: [token] })(PublisherModule);
  return PublisherModule;
}

describe('a provider', () => {
  const Fast = defineService<{ go(): number; stop(): void }>({ name: 'Fast', version: '1.0.0', methods: ['go', 'stop'] });
  const providers: [string, unknown, RegExp][] = [
    ['that is undefined', undefined, /publishes undefined as Fast: it must be an object with its functions/],
    ['that is null', null, /publishes null as Fast: it must be an object with its functions/],
    ['that is no object', 42, /publishes .*42.* as Fast: it must be an object with its functions/],
    ['that lacks all methods', {}, /publishes a Fast without its function go/],
    ['that lacks one', { go: () => 1 }, /publishes a Fast without its function stop/],
    ['that has a value in the place of one', { go: () => 1, stop: true }, /publishes a Fast without its function stop/],
  ];
  test.each(providers)('%s fails the load, which can be tried again', async (_what, provider, sentence) => {
    const kernel = virtualKernel();
    await expect(kernel.load(publisher(Fast, provider))).rejects.toThrow(sentence);
    await expect(kernel.load(publisher(Fast, provider))).rejects.toMatchObject({ code: 'EINVAL', module: 'publisher#2' });
    expectNothingLeft(kernel);
    expect(kernel.port(Fast).present).toBe(false);
    expect(() => kernel.port(Fast).current.go()).toThrow(/^ESHUTDOWN: no module provides Fast now/);
    await kernel.load(publisher(Fast, { go: () => 1, stop: () => undefined }));
    expect(statesOf(kernel)).toEqual(['publisher#3 live']);
    expect(kernel.port(Fast).current.go()).toBe(1);
  });

  test('that is frozen works in a debug kernel too', async () => {
    const Plain = defineService<{ go(): number }>({ name: 'Plain', version: '1.0.0' });
    const kernel = virtualKernel({ debug: true });
    await kernel.load(publisher(Plain, Object.freeze({ go: () => 1 })));
    const kept = kernel.port(Plain).current;
    expect(kept.go()).toBe(1);
    await kernel.unload('publisher');
    expect(() => kept.go()).toThrow(/^publisher#1: is gone, but its Plain is still used \(go\)/);
  });

  test('that is kept and used after its module is gone says that it is gone, not that it leaves', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    const kept = kernel.port(Inn).current;
    await kernel.unload('inn');
    expect(() => kept.checkIn(new Traveller())).toThrow(/^inn#1: is gone, but inn.check-in still takes a hold on a guest/);
    expectNothingLeft(kernel);
  });
});

test('hooks of plain JavaScript may return null', async () => {
  const nothing = (): void => null as unknown as undefined;
  const kernel = virtualKernel();
  await kernel.load(makeInn({ start: nothing, withdraw: nothing, abort: nothing, stop: nothing }));
  const unload = kernel.unload('inn');
  await kernel.abort('inn');
  expect((await unload).outcome).toBe('live');
  expect(await kernel.unload('inn')).toMatchObject({ outcome: 'gone', faults: [] });
  expectNothingLeft(kernel);
});
