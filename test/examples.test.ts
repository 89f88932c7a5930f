import { readFileSync } from 'node:fs';
import type { Owner } from '@softnet/contract';
import { defineService } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { buildBundle } from '@softnet/testkit/node';
import { describe, expect, test } from 'vitest';

/** The plugin's token, as whoever uses it has it: equal by name and major. */
const GuestBook = defineService<{ sign(owner: Owner): { leave(): void } }>({ name: 'GuestBook', version: '1.0.0' });

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

/** The TypeScript blocks of a page. */
const blocks = (page: string): string[] => [...read(page).matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code as string);

describe('README.md', () => {
  test('shows the first plugin as it is, in 30 lines', () => {
    const plugin = read('examples/guest-book/plugin.ts');
    expect(blocks('README.md')).toContain(plugin);
    expect(plugin.trimEnd().split('\n').length).toBeLessThanOrEqual(30);
  });

  test('the first plugin, built to one file, does what the page says', async () => {
    const kernel = new Kernel({ world: new World() });
    await kernel.load(await buildBundle(new URL('../examples/guest-book/plugin.ts', import.meta.url).pathname));
    const guest = kernel.port(GuestBook).current.sign({ name: 'ann' });
    expect(kernel.dryRun('guest-book').holders).toMatchObject([{ kind: 'guest', owner: 'ann', place: 'guest-book.sign', ageMs: 0 }]);
    const unload = kernel.unload('guest-book', { deadlineMs: 60_000 });
    for await (const { state, remaining } of unload) if (state === 'draining' && remaining === 1) guest.leave();
    expect((await unload).outcome).toBe('gone');

    await kernel.load(await buildBundle(new URL('../examples/guest-book/plugin.ts', import.meta.url).pathname));
    kernel.port(GuestBook).current.sign({ name: 'ann' });
    const report = await kernel.world.run(kernel.unload('guest-book', { deadlineMs: 60_000 }));
    expect(report).toMatchObject({ outcome: 'live', reason: 'deadline' });
  });
});
