import { one } from '@softnet/contract';
import type { DryRun, Kernel, UnloadReport } from '@softnet/kernel';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { InnModule } from './inn.ts';
import { Inn, makeInn, makeModule, Service, Traveller, virtualKernel } from './inn.ts';

test('guarantee 3: a dry run says what an unload would do, and changes nothing', async () => {
  const kernel = virtualKernel();
  await kernel.load(makeInn());
  await kernel.load(makeModule('tour', [one(Inn)]));
  const inn = kernel.port(Inn).current;
  inn.checkIn(new Traveller('ann'));
  inn.hangSign(new Traveller('host'));
  inn.light(new Traveller('host'));
  const before = snapshot(kernel);

  expect(kernel.dryRun('inn')).toMatchObject({ refusal: { code: 'EBUSY', message: expect.stringContaining('needed by tour#1') } });
  expect(kernel.dryRun('inn', { cascade: true })).toMatchObject({
    order: ['tour#1', 'inn#1'],
    cascade: ['tour#1'],
    doors: ['inn#1: Inn'],
    parks: [{ kind: 'sign', owner: 'host' }],
    holders: [{ kind: 'guest', owner: 'ann' }],
    closes: 2,
    refusal: undefined,
  });
  expect(() => kernel.dryRun('pub')).toThrow(/ENOENT: no module pub is loaded \(loaded: inn#1, tour#1\)/);
  expect(snapshot(kernel)).toBe(before);
});

/** What people do at an inn before somebody thinks of closing it. */
const DOING = fc.constantFrom('checkIn', 'hangSign', 'light', 'tea', 'leave', 'luggage', 'tour', 'untour');

test('guarantee 3: what a dry run says is what happens (property)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(DOING, { maxLength: 20 }),
      fc.record({ cascade: fc.boolean(), force: fc.boolean() }),
      async (doings, options) => {
        const kernel = virtualKernel();
        let inn = {} as InnModule;
        const start = (_ctx: unknown, self: InnModule): void => {
          inn = self;
        };
        await kernel.load(makeInn({ start }));
        for (const doing of doings) await act(kernel, inn, doing);
        const before = snapshot(kernel);
        const said = kernel.dryRun('inn', options);
        expect(snapshot(kernel)).toBe(before);

        const unload = kernel.unload('inn', options);
        if (said.refusal !== undefined) {
          await expect(unload).rejects.toMatchObject(said.refusal);
          expect(snapshot(kernel)).toBe(before);
          return;
        }
        expect(kernel.port(Inn).present).toBe(false);
        if (!options.force) {
          expect(kernel.holders().map(key)).toEqual(said.holders.map(key));
          letGo(inn, kernel);
        }
        compare(said, await kernel.world.run(unload), options.force);
      },
    ),
    { numRuns: 300 },
  );
});

function compare(said: DryRun, did: UnloadReport, force: boolean): void {
  expect(did.outcome).toBe('gone');
  expect(did.gone).toEqual(said.order);
  expect(did.leaks).toEqual([]);
  const broken = said.holders.filter(({ sort }) => sort !== 'derived').map(key);
  expect(did.broken.map(key).sort()).toEqual(force ? broken.sort() : []);
}

async function act(kernel: Kernel, inn: InnModule, doing: string): Promise<void> {
  const door = kernel.port(Inn).current;
  const guest = [...inn.guests].at(-1);
  if (doing === 'checkIn') door.checkIn(new Traveller());
  if (doing === 'hangSign') door.hangSign(new Traveller());
  if (doing === 'light') door.light(new Traveller());
  if (doing === 'tea' && guest !== undefined) kernel.port(Service).current.tea(guest);
  if (doing === 'leave' && guest !== undefined) inn.guests.release(guest);
  if (doing === 'luggage') kernel.port(Service).current.luggage.add();
  if (doing === 'tour' && kernel.module('tour') === undefined) await kernel.load(makeModule('tour', [one(Inn)]));
  if (doing === 'untour' && kernel.module('tour') !== undefined) await kernel.unload('tour');
}

/** Everybody goes by himself. */
function letGo(inn: InnModule, kernel: Kernel): void {
  for (const guest of inn.guests) inn.guests.release(guest);
  const { luggage } = kernel.port(Service).current;
  luggage.sub(luggage.count);
}

function key({
  module,
  kind,
  sort,
  owner,
  place,
  count,
}: { [K in 'module' | 'kind' | 'sort' | 'owner' | 'place']: string } & { count: number }): string {
  return [module, kind, sort, owner, place, count].join(' ');
}

/** All that can be seen of a kernel. */
function snapshot(kernel: Kernel): string {
  return JSON.stringify([kernel.modules(), kernel.holders(), kernel.faults, kernel.port(Inn).present, kernel.port(Service).present]);
}
