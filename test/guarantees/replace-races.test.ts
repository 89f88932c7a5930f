import type { ModuleClass } from '@softnet/contract';
import { one } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import type { Guest } from './inn.ts';
import { expectNothingLeft, gate, Inn, makeInn, makeModule, release, Service, statesOf, Traveller, virtualKernel } from './inn.ts';

/** A kernel with an inn and its guest, while a successor of the inn is starting. */
async function replacing(successor: (hook: () => Promise<void>) => ModuleClass) {
  const kernel = virtualKernel();
  await kernel.load(makeInn());
  const guest: Guest = kernel.port(Inn).current.checkIn(new Traveller('ann'));
  const { letGo, hook } = gate();
  const replace = kernel.replace('inn', successor(hook), { mode: 'drain' });
  // Each test awaits it in its own time.
  replace.catch(() => undefined);
  return { kernel, guest, letGo, replace };
}

const sameInn = (hook: () => Promise<void>): ModuleClass => makeInn({ start: hook });

describe('while a successor is starting', () => {
  test('the name means the live one', async () => {
    const { kernel, letGo, replace } = await replacing(sameInn);
    expect(statesOf(kernel)).toEqual(['inn#1 live', 'inn#2 starting']);
    expect(kernel.module('inn')).toMatchObject({ generation: 1, state: 'live' });
    expect(kernel.holders('inn')).toMatchObject([{ module: 'inn#1', owner: 'ann' }]);
    expect(kernel.dryRun('inn')).toMatchObject({ order: ['inn#1'], refusal: undefined });
    await expect(kernel.abort('inn')).rejects.toThrow(/^EINVAL: inn#1 is live: there is no unload to abort/);
    await expect(kernel.load(makeInn())).rejects.toThrow(/^EEXIST: inn#1 is loaded/);
    letGo();
    expect(await replace).toMatchObject({ from: 'inn#1', to: 'inn#2', mode: 'drain' });
    expect(kernel.module('inn')?.generation).toBe(2);
  });

  test('an unload by the name sends the live one away, and the replace is refused', async () => {
    const { kernel, guest, letGo, replace } = await replacing(sameInn);
    const unload = kernel.unload('inn');
    expect(unload.module).toBe('inn#1');
    letGo();
    await expect(replace).rejects.toThrow(/^EBUSY: inn#2 was not loaded: inn#1 is draining, and only a live module is replaced/);
    expect(statesOf(kernel)).toEqual(['inn#1 draining']);
    release(guest);
    expect(await unload).toMatchObject({ outcome: 'gone', gone: ['inn#1'], faults: [], leaks: [] });
    expectNothingLeft(kernel);
  });

  test('a dependent comes that it would not serve: the replace is refused, naming it', async () => {
    const { kernel, letGo, replace } = await replacing((hook) => makeModule('inn', [], [Inn], hook));
    await kernel.load(makeModule('tour', [one(Service)]));
    letGo();
    await expect(replace).rejects.toThrow(
      /^EBUSY: inn#2 was not loaded: inn#1 cannot be replaced: tour#1 requires Service \^1.0.0, but inn 1.0.0 provides none/,
    );
    expect(statesOf(kernel)).toEqual(['inn#1 live', 'tour#1 live']);
    expect(kernel.module('tour')?.needs).toEqual(['inn#1']);
  });

  test('a dependent comes that it will serve: the replace goes on, and the old one goes without it', async () => {
    const { kernel, letGo, replace } = await replacing(sameInn);
    await kernel.load(makeModule('tour', [one(Service)]));
    letGo();
    const { drained } = await replace;
    await kernel.world.advance(0);
    expect(statesOf(kernel)).toEqual(['inn#1 draining', 'inn#2 live', 'tour#1 live']);
    expect([kernel.module('inn#1')?.neededBy, kernel.module('inn#2')?.neededBy]).toEqual([[], ['tour#1']]);
    void kernel.unload('inn#1', { force: true });
    expect((await drained).gone).toEqual(['inn#1']);
    expect(kernel.module('tour')).toMatchObject({ state: 'live', needs: ['inn#2'] });
  });

  test('a module that has nothing to do with it can be loaded', async () => {
    const { kernel, letGo, replace } = await replacing(sameInn);
    expect((await kernel.load(makeModule('other'))).state).toBe('live');
    letGo();
    expect((await replace).to).toBe('inn#2');
    expect(kernel.module('other')?.state).toBe('live');
  });
});
