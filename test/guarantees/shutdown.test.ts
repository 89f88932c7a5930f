import type { ModuleContext } from '@softnet/contract';
import { one } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { describe, expect, test } from 'vitest';
import type { Bend, Guest } from './inn.ts';
import { expectNothingLeft, gate, Inn, makeInn, makeModule, release, Service, statesOf, Traveller, virtualKernel } from './inn.ts';

async function guestIn(bend: Bend = {}): Promise<{ kernel: Kernel; guest: Guest }> {
  const kernel = virtualKernel();
  await kernel.load(makeInn(bend));
  return { kernel, guest: kernel.port(Inn).current.checkIn(new Traveller('ann')) };
}

function expectShut(kernel: Kernel): void {
  expectNothingLeft(kernel);
  expect(kernel.world.executives).toEqual([]);
}

describe('a shutdown', () => {
  test('without an end waits for the last guest', async () => {
    const { kernel, guest } = await guestIn();
    const shutdown = kernel.shutdown({ deadlineMs: Number.POSITIVE_INFINITY });
    await kernel.world.advance(3_600_000_000);
    expect(statesOf(kernel)).toEqual(['inn#1 draining']);
    release(guest);
    expect(await shutdown).toEqual({ gone: ['inn#1'], broken: [], faults: [], leaks: [] });
    expectShut(kernel);
  });

  test('is not held up by what a dependent lets go of only when it stops', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    let giveBack = (): void => undefined;
    const takes = (ctx: ModuleContext): void => {
      const { luggage } = ctx.port(Service).current;
      luggage.add(3);
      giveBack = () => luggage.sub(3);
    };
    await kernel.load(makeModule('tour', [one(Service)], [], takes, { stop: () => giveBack() }));
    const report = await kernel.world.run(kernel.shutdown({ deadlineMs: 500 }));
    expect(report).toEqual({ gone: ['tour#1', 'inn#1'], broken: [], faults: [], leaks: [] });
    expect(kernel.clock.nowUs).toBe(500_000);
    expectShut(kernel);
  });

  test.each([Number.NaN, -1])('with a deadline of %s is refused, and nothing happened', async (deadlineMs) => {
    const { kernel } = await guestIn();
    await expect(kernel.shutdown({ deadlineMs })).rejects.toThrow(/^EINVAL: deadlineMs must be a number of milliseconds from 0/);
    expect(statesOf(kernel)).toEqual(['inn#1 live']);
    expect(kernel.world.executives).toHaveLength(1);
    await kernel.load(makeModule('other'));
    const { gone, broken } = await kernel.world.run(kernel.shutdown());
    expect([...gone].sort()).toEqual(['inn#1', 'other#1']);
    expect(broken).toMatchObject([{ owner: 'ann' }]);
    expectShut(kernel);
  });

  test('takes along who is just coming back', async () => {
    const { letGo, hook } = gate();
    const { kernel } = await guestIn({ abort: hook });
    const unload = kernel.unload('inn');
    const abort = kernel.abort('inn');
    await kernel.world.advance(0);
    const shutdown = kernel.shutdown();
    await kernel.world.advance(0);
    letGo();
    await abort;
    expect((await unload).outcome).toBe('live');
    expect(await kernel.world.run(shutdown)).toMatchObject({ gone: ['inn#1'], broken: [{ owner: 'ann' }], faults: [] });
    expectShut(kernel);
  });

  test('ends a replace that is under way: both generations go', async () => {
    const { letGo, hook } = gate();
    const { kernel } = await guestIn();
    const replace = kernel.replace('inn', makeInn({ start: hook }), { mode: 'drain' });
    const shutdown = kernel.shutdown();
    await kernel.world.advance(0);
    expect(statesOf(kernel)).toEqual(['inn#1 live', 'inn#2 starting']);
    letGo();
    expect((await replace).to).toBe('inn#2');
    const { gone, broken } = await kernel.world.run(shutdown);
    expect([...gone].sort()).toEqual(['inn#1', 'inn#2']);
    expect(broken).toMatchObject([{ module: 'inn#1', owner: 'ann' }]);
    expectShut(kernel);
  });
});

describe('nothing calls a shutdown off', () => {
  test('an abort is refused', async () => {
    const { kernel } = await guestIn();
    await kernel.load(makeModule('tour', [one(Inn)]));
    const shutdown = kernel.shutdown({ deadlineMs: 1000 });
    await kernel.world.advance(0);
    expect(statesOf(kernel)).toEqual(['inn#1 draining', 'tour#1 draining']);
    for (const name of ['inn', 'tour']) {
      await expect(kernel.abort(name)).rejects.toThrow(/^ESHUTDOWN: the kernel is being shut down: nothing comes back/);
    }
    expect(await kernel.world.run(shutdown)).toMatchObject({ gone: ['tour#1', 'inn#1'], broken: [{ owner: 'ann' }] });
    expect(kernel.clock.nowUs).toBe(1_000_000);
    expectShut(kernel);
  });

  test.each(['deadline', 'signal'] as const)('a %s of an unload under way has no effect, which its report says', async (by) => {
    const { kernel } = await guestIn();
    const controller = new AbortController();
    const unload = kernel.unload('inn', by === 'deadline' ? { deadlineMs: 50 } : { signal: controller.signal });
    const shutdown = kernel.shutdown({ deadlineMs: 1000 });
    await kernel.world.advance(60_000);
    controller.abort();
    expect(statesOf(kernel)).toEqual(['inn#1 draining']);
    const { gone, broken } = await kernel.world.run(shutdown);
    expect([gone, broken]).toMatchObject([['inn#1'], [{ owner: 'ann' }]]);
    expect(kernel.clock.nowUs).toBe(1_000_000);
    expect(await unload).toMatchObject({
      outcome: 'gone',
      reason: undefined,
      faults: [{ module: 'inn#1', hook: 'abort', message: expect.stringContaining('the kernel is being shut down') }],
    });
    expectShut(kernel);
  });
});
