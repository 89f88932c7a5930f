import { defineService, one } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { expectNothingLeft, gate, Inn, makeInn, makeModule, release, statesOf, Traveller, virtualKernel } from './inn.ts';

const Bar = defineService<object>({ name: 'Bar', version: '1.0.0' });
const Pool = defineService<object>({ name: 'Pool', version: '1.0.0' });

describe('loads that interleave', () => {
  test('a plan leaves out what somebody else loaded meanwhile', async () => {
    const kernel = virtualKernel();
    const { letGo, hook } = gate();
    kernel.offer(makeModule('bar', [], [Bar], hook), makeModule('pool', [], [Pool]), makeModule('tour', [one(Bar), one(Pool)]));
    const load = kernel.load('tour');
    await kernel.load('pool');
    letGo();
    expect(await load).toMatchObject({ name: 'tour', needs: ['bar#1', 'pool#1'] });
    expect(statesOf(kernel).sort()).toEqual(['bar#1 live', 'pool#1 live', 'tour#1 live']);
  });

  test('a requirement that left while another was starting: nothing of the module runs', async () => {
    const kernel = virtualKernel();
    const { letGo, hook } = gate();
    const log: string[] = [];
    await kernel.load(makeModule('pool', [], [Pool]));
    const start = (): void => void log.push('opened');
    const stop = (): void => void log.push('closed');
    kernel.offer(makeModule('bar', [], [Bar], hook), makeModule('tour', [one(Bar), one(Pool)], [], start, { stop }));
    const load = kernel.load('tour');
    await kernel.unload('pool');
    letGo();
    await expect(load).rejects.toThrow(/^ESHUTDOWN: tour#1 was not loaded: it requires Pool, which nobody provides/);
    expect(log).toEqual([]);
    expect(statesOf(kernel)).toEqual(['bar#1 live']);
  });

  test('a requirement that leaves while another is starting: it is named, and its drain ends', async () => {
    const kernel = virtualKernel();
    const { letGo, hook } = gate();
    await kernel.load(makeInn());
    const guest = kernel.port(Inn).current.checkIn(new Traveller('ann'));
    kernel.offer(makeModule('bar', [], [Bar], hook), makeModule('tour', [one(Bar), one(Inn)]));
    const load = kernel.load('tour');
    const unload = kernel.unload('inn');
    letGo();
    await expect(load).rejects.toThrow(/^ESHUTDOWN: tour#1 was not loaded: it requires Inn, and inn#1 is leaving/);
    release(guest);
    expect(await kernel.world.run(unload)).toMatchObject({ outcome: 'gone', broken: [] });
    expect(statesOf(kernel)).toEqual(['bar#1 live']);
    expect(kernel.holders()).toEqual([]);
  });

  test('what a load loaded for its requirements stays when the module itself fails, as modprobe does', async () => {
    const kernel = virtualKernel();
    kernel.offer(makeModule('bar', [], [Bar]));
    const fall = (): never => {
      throw new Error('no');
    };
    await expect(kernel.load(makeModule('tour', [one(Bar)], [], fall))).rejects.toThrow(/^EIO: tour#1 was not loaded: start threw: no/);
    expect(statesOf(kernel)).toEqual(['bar#1 live']);
    expect(kernel.module('bar')?.neededBy).toEqual([]);
    expect((await kernel.unload('bar')).outcome).toBe('gone');
  });
});

describe('aborts that interleave', () => {
  test('what is required cannot leave while its dependent is coming back', async () => {
    const kernel = virtualKernel();
    const { letGo, hook } = gate();
    await kernel.load(makeInn());
    await kernel.load(makeModule('tour', [one(Inn)], [], (ctx) => ctx.tally('ticket', 'tour.desk').add(), { abort: hook }));
    const unload = kernel.unload('tour');
    const abort = kernel.abort('tour');
    await kernel.world.advance(0);
    kernel.port(Inn).current.checkIn(new Traveller('ann'));
    for (const options of [{}, { cascade: true }, { force: true, cascade: true }]) {
      await expect(kernel.unload('inn', options)).rejects.toThrow(
        /^EBUSY: inn#1 cannot be unloaded while tour#1 is coming back to live: unload it again/,
      );
    }
    letGo();
    await abort;
    expect((await unload).outcome).toBe('live');
    expect(statesOf(kernel)).toEqual(['inn#1 live', 'tour#1 live']);
  });

  test('one whose hook fails rejects: the module is forced out', async () => {
    const abort = (): never => {
      throw new Error('no way back');
    };
    const kernel = virtualKernel();
    await kernel.load(makeInn({ abort }));
    kernel.port(Inn).current.checkIn(new Traveller('ann'));
    const unload = kernel.unload('inn');
    await expect(kernel.abort('inn')).rejects.toThrow(/^EIO: inn#1 did not come back, so it was forced out: .*no way back/);
    expect(await kernel.world.run(unload)).toMatchObject({ outcome: 'gone', reason: undefined, broken: [{ owner: 'ann' }] });
    expectNothingLeft(kernel);
  });

  test('a second reason to come back, while it does for the first, is no fault', async () => {
    const kernel = virtualKernel();
    const { letGo, hook } = gate();
    await kernel.load(makeInn({ abort: hook }));
    kernel.port(Inn).current.checkIn(new Traveller('ann'));
    const controller = new AbortController();
    const unload = kernel.unload('inn', { deadlineMs: 50, signal: controller.signal });
    await kernel.world.advance(60_000);
    controller.abort();
    await expect(kernel.abort('inn')).rejects.toThrow(/^EALREADY: inn#1 cannot come back to live: it is on its way already/);
    letGo();
    expect(await unload).toMatchObject({ outcome: 'live', reason: 'deadline', faults: [] });
    expect(statesOf(kernel)).toEqual(['inn#1 live']);
  });
});
