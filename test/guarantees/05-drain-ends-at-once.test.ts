import { expect, test } from 'vitest';
import { Inn, makeInn, Service, Traveller, virtualKernel } from './inn.ts';

test('guarantee 5: draining ends at the moment of the last release, without polling', async () => {
  const kernel = virtualKernel();
  const { world } = kernel;
  await kernel.load(makeInn());
  const guest = kernel.port(Inn).current.checkIn(new Traveller());
  const { luggage } = kernel.port(Service).current;
  luggage.add();
  const unload = kernel.unload('inn');
  await world.advance(3_600_000_000);
  // An hour went by and nothing at all was scheduled: it does not poll.
  expect(world.idle()).toBe(true);
  guest.holdKind?.release(guest);
  await world.advance(0);
  expect(kernel.module('inn')?.state).toBe('draining');
  luggage.sub();
  expect((await unload).outcome).toBe('gone');
  expect(kernel.clock.nowUs).toBe(3_600_000_000);
});

test('guarantee 5: the last release within a batch does not pull the corridor from under it', async () => {
  const kernel = virtualKernel();
  await kernel.load(makeInn());
  const guest = kernel.port(Inn).current.checkIn(new Traveller());
  const service = kernel.port(Service);
  const unload = kernel.unload('inn');
  await kernel.world.advance(0);
  guest.holdKind?.release(guest);
  expect(service.present).toBe(true);
  await unload;
  expect(service.present).toBe(false);
});
