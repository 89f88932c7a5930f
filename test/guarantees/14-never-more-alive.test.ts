import { one } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { describe, expect, test } from 'vitest';
import type { Bend } from './inn.ts';
import { gate, Inn, makeInn, makeModule, Traveller, virtualKernel } from './inn.ts';
import { readTable } from './read-table.ts';

/** A kernel whose module `inn` stands in some state, and how to let the hook go on that keeps it there. */
interface Stage {
  readonly kernel: Kernel;
  readonly letGo: () => void;
}

const REQUESTS: Readonly<Record<string, (kernel: Kernel) => PromiseLike<unknown>>> = {
  load: (kernel) => kernel.load(makeInn()),
  unload: (kernel) => kernel.unload('inn'),
  'unload by force': (kernel) => kernel.unload('inn', { force: true }),
  abort: (kernel) => kernel.abort('inn'),
  replace: (kernel) => kernel.replace('inn', makeInn()),
};

const STATES: Readonly<Record<string, () => Promise<Stage>>> = {
  'never loaded': async () => ({ kernel: virtualKernel(), letGo: () => undefined }),
  starting: async () => {
    const { letGo, hook } = gate();
    const kernel = virtualKernel();
    void kernel.load(makeInn({ start: hook }));
    return { kernel, letGo };
  },
  live: () => guestIn({}),
  withdrawing: async () => {
    const { letGo, hook } = gate();
    const { kernel } = await guestIn({ withdraw: hook });
    void kernel.unload('inn');
    return { kernel, letGo };
  },
  draining: async () => {
    const stage = await guestIn({});
    void stage.kernel.unload('inn');
    await stage.kernel.world.advance(0);
    return stage;
  },
  'coming back': async () => {
    const { letGo, hook } = gate();
    const { kernel } = await guestIn({ abort: hook });
    void kernel.unload('inn');
    await kernel.world.advance(0);
    void kernel.abort('inn');
    return { kernel, letGo };
  },
  stopping: async () => {
    const { letGo, hook } = gate();
    const kernel = virtualKernel();
    await kernel.load(makeInn({ stop: hook }));
    void kernel.unload('inn');
    await kernel.world.advance(0);
    return { kernel, letGo };
  },
  gone: async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    await kernel.unload('inn');
    return { kernel, letGo: () => undefined };
  },
};

describe('guarantee 14: the whole matrix, state × request (docs/architecture.md)', () => {
  const matrix = readTable('State × request');
  test('the matrix names every state and every request', () => {
    expect(Object.keys(matrix)).toEqual(Object.keys(STATES));
    for (const row of Object.values(matrix)) expect(Object.keys(row)).toEqual(Object.keys(REQUESTS));
  });

  const cells = Object.entries(matrix).flatMap(([state, row]) =>
    Object.entries(row).map(([request, outcome]) => [state, request, outcome] as const),
  );
  test.each(cells)('%s, %s: %s', async (state, request, outcome) => {
    const stage = await (STATES[state] as () => Promise<Stage>)();
    expect(await outcomeOf(stage, REQUESTS[request] as (kernel: Kernel) => PromiseLike<unknown>)).toBe(outcome);
  });
});

describe('guarantee 14: a module is never more alive than what it requires', () => {
  /** `tour` requires `inn`, which a guest holds; both leave. */
  async function bothLeave(): Promise<Kernel> {
    const { kernel } = await guestIn({});
    await kernel.load(makeModule('tour', [one(Inn)]));
    void kernel.unload('inn', { cascade: true });
    await kernel.world.advance(0);
    return kernel;
  }

  test('its abort is refused while a requirement is leaving, naming it', async () => {
    const kernel = await bothLeave();
    await expect(kernel.abort('tour')).rejects.toMatchObject({
      code: 'EBUSY',
      message: expect.stringMatching(/tour#1.*requires Inn, and inn#1 is leaving/),
    });
    await kernel.abort('inn');
    expect(kernel.module('tour')?.state).toBe('live');
  });

  test('the unload of a requirement is refused while somebody live needs it, and waits at stage 2 for who leaves', async () => {
    const { kernel } = await guestIn({});
    await kernel.load(makeModule('tour', [one(Inn)], [], undefined, { stop: () => new Promise(() => undefined) }));
    await expect(kernel.unload('inn')).rejects.toMatchObject({ code: 'EBUSY', message: expect.stringContaining('tour#1') });
    void kernel.unload('tour');
    await kernel.world.advance(0);
    const unload = kernel.unload('inn', { force: true });
    await kernel.world.advance(1_000_000);
    let last: readonly string[] = [];
    const watching = (async () => {
      for await (const { waitsFor } of unload) last = waitsFor;
    })();
    await kernel.world.advance(0);
    expect(last).toEqual(['tour#1']);
    expect((await kernel.world.run(unload)).gone).toEqual(['inn#1']);
    await watching;
    // The stop hook of tour never settled: its deadline let both go.
    expect(kernel.clock.nowUs).toBe(5_000_000);
  });

  test('the old generation does not come back beside the new one', async () => {
    const { kernel } = await guestIn({});
    void kernel.unload('inn');
    await kernel.world.advance(0);
    await kernel.load(makeInn());
    await expect(kernel.abort('inn#1')).rejects.toMatchObject({
      code: 'EBUSY',
      message: expect.stringContaining('inn#2 has taken its place'),
    });
  });

  test('an owner of a registry has no second generation beside it', async () => {
    const { kernel } = await guestIn({ registry: true });
    await expect(kernel.replace('inn', makeInn(), { mode: 'drain' })).rejects.toMatchObject({ code: 'EBUSY' });
    void kernel.unload('inn');
    await kernel.world.advance(0);
    await expect(kernel.load(makeInn())).rejects.toMatchObject({ code: 'EBUSY', message: expect.stringContaining('owns a registry') });
  });

  test('a requirement that goes while its requirer is starting', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    const { letGo, hook } = gate();
    const load = kernel.load(makeModule('tour', [one(Inn)], [], hook));
    await expect(kernel.unload('inn', { cascade: true })).rejects.toMatchObject({
      code: 'EBUSY',
      message: expect.stringContaining('tour#1 is starting'),
    });
    letGo();
    expect((await load).state).toBe('live');
  });
});

async function guestIn(bend: Bend): Promise<Stage> {
  const kernel = virtualKernel();
  await kernel.load(makeInn(bend));
  kernel.port(Inn).current.checkIn(new Traveller('guest'));
  return { kernel, letGo: () => undefined };
}

/** The errno, or which generations there are when the request has had its effect. */
async function outcomeOf({ kernel, letGo }: Stage, request: (kernel: Kernel) => PromiseLike<unknown>): Promise<string> {
  let code: string | undefined;
  request(kernel).then(undefined, (error: { code: string }) => {
    code = error.code;
  });
  await kernel.world.advance(0);
  letGo();
  await kernel.world.advance(0);
  if (code !== undefined) return code;
  const there = kernel.modules().map(({ generation, state }) => `#${generation} ${state}`);
  return there.join(' + ') || 'gone';
}
