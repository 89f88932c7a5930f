import { Kernel, World } from '@softnet/kernel';
import { expect, test } from 'vitest';
import SkeletonPlugin from './index.ts';
import SkeletonUserPlugin from './user.ts';

async function start(): Promise<Kernel> {
  const kernel = new Kernel({ world: new World({ clock: 'virtual' }) });
  await kernel.load(SkeletonPlugin);
  await kernel.load(SkeletonUserPlugin);
  return kernel;
}

const guests = (kernel: Kernel) => kernel.holders('skeleton').map(({ owner }) => owner);
const replies = (kernel: Kernel) => kernel.counters().find(({ name }) => name === 'replies')?.value;

test('comes in every second, and is heard; the oldest leaves', async () => {
  const kernel = await start();
  await kernel.world.advance(2_500_000);
  expect(guests(kernel)).toEqual(['guest 1', 'guest 2', 'guest 3']);
  expect(replies(kernel)).toBe(6);
  await kernel.world.advance(3_000_000);
  expect(guests(kernel)).toEqual(['guest 2', 'guest 3', 'guest 4', 'guest 5', 'guest 6']);
});

test('goes first when skeleton goes, and leaves nothing', async () => {
  const kernel = await start();
  await kernel.world.advance(1_002_000);
  await expect(kernel.unload('skeleton').report).rejects.toThrow(/EBUSY.*needed by skeleton-user#1/);
  const report = await kernel.world.run(kernel.unload('skeleton', { cascade: true }));
  expect(report).toMatchObject({ gone: ['skeleton-user#1', 'skeleton#1'], faults: [], leaks: [] });
});

test('talks on when skeleton is replaced', async () => {
  const kernel = await start();
  await kernel.world.advance(1_002_000);
  expect(await kernel.world.run(kernel.replace('skeleton', SkeletonPlugin))).toMatchObject({ adopted: { connection: 2 } });
  await kernel.world.advance(1_010_000);
  expect(replies(kernel)).toBe(6);
  expect(kernel.faults).toEqual([]);
});
