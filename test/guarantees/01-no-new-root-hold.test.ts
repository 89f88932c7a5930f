import { NetError } from '@softnet/contract';
import { expect, test } from 'vitest';
import { Inn, makeInn, Service, Traveller, virtualKernel } from './inn.ts';

test('guarantee 1: after stage 1 begins no new root hold is given, derived holds of existing holders go on', async () => {
  const kernel = virtualKernel();
  await kernel.load(makeInn());
  const inn = kernel.port(Inn);
  const service = kernel.port(Service);
  const keptDoor = inn.current;
  const early = keptDoor.checkIn(new Traveller('early'));

  const unload = kernel.unload('inn');
  // By the port, and by a provider that somebody kept: both name the module that leaves.
  expect(() => inn.current.checkIn(new Traveller('late'))).toThrow(NetError);
  expect(() => keptDoor.checkIn(new Traveller('late'))).toThrow(/ESHUTDOWN: inn#1 is leaving.*guest.*late/);
  expect(() => keptDoor.hangSign(new Traveller('late'))).toThrow(/inn#1 is leaving/);
  expect(kernel.holders('inn').map(({ owner }) => owner)).toEqual(['early']);

  const tea = service.current.tea(early);
  expect(kernel.holders('inn').map(({ kind, sort, owner }) => [kind, sort, owner])).toEqual([
    ['guest', 'root', 'early'],
    ['tea', 'derived', 'early'],
  ]);
  await kernel.world.advance(1_000_000);
  expect(service.current.say(early, 'still here')).toBe('STILL HERE');

  const [holder] = kernel.holders('inn');
  expect(holder?.ageMs).toBe(1000);
  // Derived holds end with their holder: releasing the guest is enough.
  early.holdKind?.release(early);
  expect(tea.ended).toBe(true);
  expect((await unload).outcome).toBe('gone');
  expect(() => service.current.tea(early)).toThrow(/no module provides Service/);
});

test('guarantee 1: a derived hold of a dead holder is refused, whoever asks', async () => {
  const kernel = virtualKernel();
  await kernel.load(makeInn());
  const guest = kernel.port(Inn).current.checkIn(new Traveller());
  guest.holdKind?.release(guest);
  expect(() => kernel.port(Service).current.tea(guest)).toThrow(/inn#1: inn.tea derives a tea from a dead guest of inn#1/);
});
