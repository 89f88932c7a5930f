import type { ModuleClass, ModuleContext, Objects, Owner, SoftnetModule } from '@softnet/contract';
import { defineService, Held, Module } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { describe, expect, test } from 'vitest';
import { held, Traveller, virtualKernel } from './inn.ts';
import { DeviceModule, Layer4, Layer6, Sockets, TransportModule } from './town.ts';

async function town(): Promise<Kernel> {
  const kernel = virtualKernel();
  for (const module of [DeviceModule, Layer4, Layer6, TransportModule]) await kernel.load(module);
  return kernel;
}

describe('what derives in another module that leaves', () => {
  test('one who came after stage 1 derives nothing there, so that the drain ends', async () => {
    const kernel = await town();
    kernel.port(Sockets).current.connect({ name: 'early' }, 6);
    const unload = kernel.unload('layer6');
    await kernel.world.advance(0);
    expect(() => kernel.port(Sockets).current.connect({ name: 'late' }, 6)).toThrow(
      /^ESHUTDOWN: layer6#1 is leaving, so layer.route derives no dst-use for a sock of transport#1 of late, who came after that/,
    );
    expect(kernel.holders('layer6')).toMatchObject([{ kind: 'dst-use', sort: 'derived', owner: 'early' }]);
    // The transport goes on by the other family.
    kernel.port(Sockets).current.connect({ name: 'late' }, 4);
    void kernel.unload('layer6', { force: true });
    expect(await kernel.world.run(unload)).toMatchObject({ outcome: 'gone', broken: [{ kind: 'sock', owner: 'early' }], faults: [] });
  });

  test('the owner of what holds it up by that is told, with the object of his own; and that it stays after all', async () => {
    const kernel = await town();
    const early = new Traveller('early');
    const sock = kernel.port(Sockets).current.connect(early, 6);
    const unload = kernel.unload('layer6');
    expect(early.notices).toMatchObject([{ sort: 'leaving', module: 'layer6#1' }]);
    expect(early.notices[0]!.object).toBe(sock);
    await kernel.world.advance(0);
    await kernel.abort('layer6');
    expect(early.heard).toEqual(['leaving', 'back']);
    expect((await unload).outcome).toBe('live');
  });

  test('the owner of a parked object that derives from his own hears nothing: his own lives on', async () => {
    const kernel = await town();
    const host = new Traveller('host');
    const listener = kernel.port(Sockets).current.listen(host, [4, 6]);
    expect(await kernel.unload('layer6')).toMatchObject({ outcome: 'gone', broken: [], faults: [], leaks: [] });
    expect(host.heard).toEqual([]);
    expect(listener.holdNext).not.toBeNull();
    expect(listener.halves.map(({ family, holdNext }) => `${family} ${holdNext !== null}`)).toEqual(['4 true', '6 false']);
  });
});

interface Shop {
  /** Takes a thing, and a part that derives from it. */
  buy(owner: Owner): void;
}
const Shop = defineService<Shop>({ name: 'Shop', version: '1.0.0' });
class Thing extends Held {}

/** A module whose kinds, declared in the order given, all freeze and thaw. */
function makeShop(kinds: readonly string[], log: string[]): ModuleClass {
  class ShopAsMade implements SoftnetModule {
    start(ctx: ModuleContext): void {
      const lists = new Map(kinds.map((kind) => [kind, declare(ctx, kind, log)]));
      const buy = (owner: Owner): void => {
        const thing = held(lists.get('thing') as Objects<Thing>, new Thing(), owner, 'shop.thing');
        lists.get('part')?.derive(new Thing(), thing, 'shop.part');
      };
      ctx.door(Shop, { buy });
    }
  }
  Module({ name: 'shop', version: '1.0.0', provides: [Shop] })(ShopAsMade);
  return ShopAsMade;
}

function declare(ctx: ModuleContext, kind: string, log: string[]): Objects<Thing> {
  const list: Objects<Thing> = ctx.objects<Thing>(kind, {
    drain: 'wait',
    close: (thing) => list.release(thing),
    ended: () => void log.push(`${kind} of ${list.module} ended`),
    freeze: () => ({ version: 1, data: null }),
    thaws: [1],
    thaw: () => new Thing(),
    settle: () => void log.push(`${kind} of ${list.module} settled`),
  });
  return list;
}

test.each([
  ['thing', 'part'],
  ['part', 'thing'],
])('a hand-over moves roots; what derives from them ends before they settle, whatever is declared first (%s, %s)', async (...kinds) => {
  const kernel = virtualKernel();
  const log: string[] = [];
  await kernel.load(makeShop(kinds, log));
  kernel.port(Shop).current.buy(new Traveller('ann'));
  const { adopted, drained } = await kernel.replace('shop', makeShop(kinds, log));
  expect(adopted).toEqual({ thing: 1 });
  expect(log).toEqual(['part of shop#1 ended', 'thing of shop#2 settled']);
  expect(await drained).toMatchObject({ outcome: 'gone', broken: [], faults: [], leaks: [] });
  expect(kernel.holders()).toMatchObject([{ module: 'shop#2', kind: 'thing', owner: 'ann' }]);
});
