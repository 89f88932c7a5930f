import { expect, test } from 'vitest';
import { Inn, makeInn, Service, Traveller, virtualKernel } from './inn.ts';

test('guarantee 2: holders can be listed at any moment: kind, owner, age, place; counts by kind', async () => {
  const kernel = virtualKernel();
  await kernel.load(makeInn());
  const inn = kernel.port(Inn).current;
  const service = kernel.port(Service).current;
  const ann = inn.checkIn(new Traveller('ann'));
  await kernel.world.advance(250_000);
  inn.checkIn(new Traveller('bob'));
  inn.hangSign(new Traveller('ann'));
  inn.light(new Traveller('host'));
  service.tea(ann);
  service.luggage.add(3);
  service.say(ann, 'hello');

  expect(kernel.holders()).toEqual([
    holder({ kind: 'guest', owner: 'ann', place: 'inn.check-in', ageMs: 250, description: 'a guest who said 1 words' }),
    holder({ kind: 'guest', owner: 'bob', place: 'inn.check-in', description: 'a guest who said 0 words' }),
    holder({ kind: 'tea', owner: 'ann', place: 'inn.tea', sort: 'derived', description: 'tea' }),
    holder({ kind: 'trunk', owner: 'inn#1', place: 'inn.cellar', sort: 'tally', count: 3, description: '3 trunk' }),
  ]);
  expect(kernel.module('inn')?.usage).toMatchObject({ objects: { guest: 2, tea: 1, sign: 1, lamp: 1 }, objectCount: 5, holds: 6 });
});

test('guarantee 2: a hold costs no stack outside the debug build, and has one in it', async () => {
  for (const debug of [false, true]) {
    const kernel = virtualKernel({ debug });
    await kernel.load(makeInn());
    kernel.port(Inn).current.checkIn(new Traveller());
    const stack = kernel.holders('inn')[0]?.stack;
    if (debug) expect(stack).toContain('02-holders-listed.test.ts');
    else expect(stack).toBeUndefined();
  }
});

test('guarantee 2: a description that throws does not break the list', async () => {
  const kernel = virtualKernel();
  await kernel.load(makeInn());
  const guest = kernel.port(Inn).current.checkIn(new Traveller());
  Object.defineProperty(guest, 'words', {
    get: () => {
      throw new Error('shy');
    },
  });
  expect(kernel.holders('inn')[0]?.description).toBe('guest (describe threw: Error: shy)');
});

function holder(some: object): object {
  return { module: 'inn#1', sort: 'root', count: 1, ageMs: 0, ...some };
}
