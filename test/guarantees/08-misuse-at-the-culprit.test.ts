import type { ModuleContext, ObjectSpec, Objects } from '@softnet/contract';
import { ModuleFault } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { describe, expect, test } from 'vitest';
import type { InnModule } from './inn.ts';
import { Guest, Inn, makeInn, makeModule, Service, Tea, Traveller, virtualKernel } from './inn.ts';

/** A kernel whose second generation of the inn is live; the first is gone. */
async function secondInn(): Promise<{ kernel: Kernel; inn: InnModule }> {
  const kernel = virtualKernel();
  await kernel.load(makeInn());
  await kernel.unload('inn');
  let inn = {} as InnModule;
  await kernel.load(
    makeInn({
      start: (_ctx, self) => {
        inn = self;
      },
    }),
  );
  return { kernel, inn };
}

describe('guarantee 8: double release, release of another’s hold, use of a dead object', () => {
  test('each is an error at the culprit, naming module and generation', async () => {
    const { kernel, inn } = await secondInn();
    const guest = kernel.port(Inn).current.checkIn(new Traveller());
    const tea = kernel.port(Service).current.tea(guest);

    expect(() => inn.guests.hold(guest, new Traveller(), 'inn.again')).toThrow(
      /inn#2: inn.again holds a guest twice.*taken at inn.check-in/,
    );
    expect(() => inn.guests.release(tea as unknown as Guest)).toThrow(/inn#2: expected one of its guest objects, got a tea of inn#2/);
    expect(() => inn.guests.release(new Guest())).toThrow(/inn#2.*never held/);
    inn.guests.release(guest);
    expect(() => inn.guests.release(guest)).toThrow(/inn#2: this guest is dead: it was released before \(taken at inn.check-in\)/);
    expect(() => inn.teas.release(tea)).toThrow(/inn#2: this tea is dead/);
    expect(() => kernel.port(Service).current.say(guest, 'boo')).toThrow(ModuleFault);
    expect(kernel.module('inn')?.usage.objectCount).toBe(0);
  });

  test('another generation’s object', async () => {
    const kernel = virtualKernel();
    const inns: InnModule[] = [];
    const start = (_ctx: unknown, inn: InnModule): void => void inns.push(inn);
    await kernel.load(makeInn({ start }));
    const guest = kernel.port(Inn).current.checkIn(new Traveller());
    const unload = kernel.unload('inn');
    await kernel.world.advance(0);
    await kernel.load(makeInn({ start }));
    const [first, second] = inns as [InnModule, InnModule];
    expect(() => second.guests.release(guest)).toThrow(/inn#2: expected one of its guest objects, got a guest of inn#1/);
    first.guests.release(guest);
    await unload;
    expect(() => first.guests.release(guest)).toThrow(/inn#1: this guest is dead/);
  });

  test('a tally that goes below zero', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn());
    const { luggage } = kernel.port(Service).current;
    luggage.add(2);
    expect(() => luggage.sub(3)).toThrow(/inn#1: inn.cellar takes 3 off a tally of 2 trunk/);
  });

  test('a provider that somebody kept and uses after its module is gone (debug kernels)', async () => {
    const kernel = virtualKernel({ debug: true });
    await kernel.load(makeInn());
    const kept = kernel.port(Inn).current;
    await kernel.unload('inn');
    expect(() => kept.checkIn(new Traveller())).toThrow(/inn#1: is gone, but its Inn is still used \(checkIn\)/);
  });

  test('a hold by a module that is gone, in any kernel', async () => {
    const kernel = virtualKernel();
    let inn = {} as InnModule;
    await kernel.load(
      makeInn({
        start: (_ctx, self) => {
          inn = self;
        },
      }),
    );
    let others: Objects<Guest> | undefined;
    const spec: ObjectSpec<Guest> = { drain: 'wait', close: (guest) => others?.release(guest) };
    const declare = (ctx: ModuleContext): void => {
      others = ctx.objects<Guest>('guest', spec);
    };
    await kernel.load(makeModule('other', [], [], declare));
    const alive = new Guest();
    others?.hold(alive, new Traveller(), 'other.hold');
    await kernel.unload('inn');
    expect(() => inn.guests.hold(new Guest(), new Traveller(), 'inn.late')).toThrow(
      /inn#1: is gone, but inn.late still takes a hold on a guest of it/,
    );
    expect(() => inn.teas.derive(new Tea(), alive, 'inn.late')).toThrow(/inn#1: is gone, but inn.late still takes a hold on a tea of it/);
  });
});
