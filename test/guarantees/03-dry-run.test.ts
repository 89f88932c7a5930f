import { one } from '@softnet/contract';
import type { DryRun, Kernel, UnloadReport } from '@softnet/kernel';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Member } from './club.ts';
import { Club, makeClub } from './club.ts';
import type { InnModule } from './inn.ts';
import { gate, Inn, makeInn, makeModule, release, Service, Traveller, virtualKernel } from './inn.ts';

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

test('guarantee 3: a dry run of force says what it breaks in other modules', async () => {
  const kernel = virtualKernel();
  await kernel.load(makeInn());
  await kernel.load(makeClub());
  const member = kernel.port(Club).current.join(new Traveller('ann'));
  kernel.port(Service).current.tea(member);
  expect(kernel.dryRun('inn')).toMatchObject({ holders: [{ kind: 'tea', sort: 'derived' }], breaks: [] });
  const said = kernel.dryRun('inn', { force: true });
  expect(said).toMatchObject({ order: ['inn#1'], breaks: [{ module: 'club#1', kind: 'member', sort: 'root', owner: 'ann' }] });
  expect((await kernel.unload('inn', { force: true })).broken).toEqual(said.breaks);
});

test('guarantee 3: a dry run of one that leaves says what joining it would do', async () => {
  const kernel = virtualKernel();
  await kernel.load(makeInn());
  await kernel.load(makeModule('tour', [one(Inn)], [], (ctx) => ctx.tally('ticket', 'tour.desk').add()));
  kernel.port(Inn).current.checkIn(new Traveller('ann'));
  void kernel.unload('inn', { cascade: true });
  await kernel.world.advance(0);
  const said = kernel.dryRun('inn', { force: true });
  expect(said).toMatchObject({ order: ['tour#1', 'inn#1'], doors: [], refusal: undefined, breaks: [{ owner: 'ann' }] });
  const did = await kernel.world.run(kernel.unload('inn', { force: true }));
  compare(said, did, true);
});

test('guarantee 3: a dry run of one that comes back is refused as its unload is', async () => {
  const kernel = virtualKernel();
  const { letGo, hook } = gate();
  await kernel.load(makeInn({ abort: hook }));
  void kernel.unload('inn');
  const abort = kernel.abort('inn');
  await kernel.world.advance(0);
  const { refusal } = kernel.dryRun('inn');
  expect(refusal).toMatchObject({ code: 'EBUSY', message: expect.stringContaining('inn#1 is coming back to live') });
  await expect(kernel.unload('inn')).rejects.toMatchObject(refusal as object);
  letGo();
  await abort;
  expect(kernel.dryRun('inn').refusal).toBeUndefined();
});

/** What people do at an inn before somebody thinks of closing it. */
const DOING = fc.constantFrom(
  'checkIn',
  'hangSign',
  'light',
  'tea',
  'leave',
  'luggage',
  'tour',
  'untour',
  'join',
  'member tea',
  'sign tea',
);

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
        await kernel.load(makeClub());
        const members: Member[] = [];
        for (const doing of doings) await act(kernel, inn, members, doing);
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
          const held = kernel.holders().filter(({ module }) => said.order.includes(module));
          expect(held.map(key)).toEqual(said.holders.map(key));
          leaveAll(inn, members, kernel);
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
  // Tallies are no objects: nobody can be asked to close them.
  const broken = [...said.breaks, ...said.holders.filter(({ sort }) => sort === 'tally')].map(key);
  expect(did.broken.map(key).sort()).toEqual(force ? broken.sort() : []);
  if (!force) expect(said.breaks).toEqual([]);
}

async function act(kernel: Kernel, inn: InnModule, members: Member[], doing: string): Promise<void> {
  const door = kernel.port(Inn).current;
  const { tea, luggage } = kernel.port(Service).current;
  const [guest, sign, member] = [[...inn.guests].at(-1), [...inn.signs].at(-1), members.at(-1)];
  if (doing === 'checkIn') door.checkIn(new Traveller());
  if (doing === 'hangSign') door.hangSign(new Traveller());
  if (doing === 'light') door.light(new Traveller());
  if (doing === 'join') members.push(kernel.port(Club).current.join(new Traveller()));
  if (doing === 'tea' && guest !== undefined) tea(guest);
  if (doing === 'sign tea' && sign !== undefined) tea(sign);
  if (doing === 'member tea' && member !== undefined) tea(member);
  if (doing === 'leave' && guest !== undefined) inn.guests.release(guest);
  if (doing === 'luggage') luggage.add();
  if (doing === 'tour' && kernel.module('tour') === undefined) await kernel.load(makeModule('tour', [one(Inn)]));
  if (doing === 'untour' && kernel.module('tour') !== undefined) await kernel.unload('tour');
}

/** Everybody goes by himself. */
function leaveAll(inn: InnModule, members: readonly Member[], kernel: Kernel): void {
  for (const object of [...inn.guests, ...inn.signs, ...members]) release(object);
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
