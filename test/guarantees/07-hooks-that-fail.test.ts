import type { ModuleContext } from '@softnet/contract';
import { defineService } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import type { Bend } from './inn.ts';
import { expectNothingLeft, Guest, Inn, makeInn, Traveller, virtualKernel } from './inn.ts';

const never = (): Promise<void> => new Promise(() => undefined);
const thrower = (): void => {
  throw new Error('I fell');
};

/** A start that makes one of everything, so that there is something to leave behind. */
function clutter(ctx: ModuleContext): void {
  ctx.timer(() => undefined, null, 'inn.clock').arm(60_000_000);
  clutterLess(ctx);
}

describe('guarantee 7: a hook that throws or never settles leaves nothing behind', () => {
  const starts: [string, NonNullable<Bend['start']>, string, RegExp][] = [
    ['throws', thrower, 'EIO', /inn#1.*start threw: I fell/],
    ['rejects', async () => thrower(), 'EIO', /inn#1.*I fell/],
    ['throws what is no error', () => Promise.reject('a string'), 'EIO', /inn#1.*a string/],
    ['never settles', never, 'ETIMEDOUT', /inn#1.*start has not settled in 5000 ms/],
  ];
  test.each(starts)('a start that %s', async (_how, bad, code, sentence) => {
    const kernel = virtualKernel();
    let guest: Guest | undefined;
    const start: Bend['start'] = (ctx, inn) => {
      clutter(ctx);
      guest = new Guest();
      inn.guests.hold(guest, new Traveller(), 'inn.early');
      return bad(ctx, inn);
    };
    const load = kernel.load(makeInn({ start }));
    load.catch(() => undefined);
    expect(kernel.port(Inn).present).toBe(false);
    await expect(kernel.world.run(load)).rejects.toMatchObject({ code, message: expect.stringMatching(sentence), module: 'inn#1' });
    expectNothingLeft(kernel);
    expect(guest?.closedBy?.code).toBe('ECANCELED');
    expect(kernel.faults).toMatchObject([{ module: 'inn#1', hook: 'start' }]);
    // The rest goes on, and the name can be used again.
    expect((await kernel.load(makeInn())).generation).toBe(2);
  });

  test.each([
    ['withdraw', 'throws', thrower],
    ['withdraw', 'never settles', never],
    ['stop', 'throws', thrower],
    ['stop', 'never settles', never],
  ] as const)('a %s that %s does not keep the module from going', async (hook, _how, bad) => {
    const kernel = virtualKernel();
    await kernel.load(makeInn({ start: (ctx) => clutterLess(ctx), [hook]: bad }));
    const guest = kernel.port(Inn).current.checkIn(new Traveller());
    const unload = kernel.unload('inn');
    await kernel.world.advance(10_000_000);
    guest.holdKind?.release(guest);
    const report = await kernel.world.run(unload);
    expect(report).toMatchObject({ outcome: 'gone', faults: [{ module: 'inn#1', hook }] });
    expect(report.leaks).toEqual([]);
    expectNothingLeft(kernel);
  });

  test.each([
    ['throws', thrower],
    ['never settles', never],
  ] as const)('an abort that %s: what cannot come back goes, properly', async (_how, abort) => {
    const kernel = virtualKernel();
    await kernel.load(makeInn({ start: clutterLess, abort }));
    const traveller = new Traveller();
    const guest = kernel.port(Inn).current.checkIn(traveller);
    const unload = kernel.unload('inn', { deadlineMs: 10 });
    const report = await kernel.world.run(unload);
    expect(report).toMatchObject({ outcome: 'gone', faults: [{ module: 'inn#1', hook: 'abort' }], broken: [{ kind: 'guest' }] });
    expect(guest.closedBy?.code).toBe('ECONNABORTED');
    expect(traveller.heard).toEqual(['leaving', 'closed']);
    expectNothingLeft(kernel);
  });

  test('a start that publishes less, or other, than it promised', async () => {
    const kernel = virtualKernel();
    await expect(kernel.load(makeInn({ start: (ctx) => ctx.door(Other, {}) }))).rejects.toThrow(
      /EINVAL: inn#1.*publishes Other.*add it to provides/,
    );
    expectNothingLeft(kernel);
  });

  test('what a module armed and never cancelled is taken back, and listed', async () => {
    const kernel = virtualKernel();
    await kernel.load(makeInn({ start: clutter }));
    const report = await kernel.unload('inn');
    expect(report.leaks).toEqual(['timer inn.clock still armed after stop']);
    expectNothingLeft(kernel);
  });

  test('a context that is used after its module is gone says so', async () => {
    const kernel = virtualKernel();
    let ctx: ModuleContext | undefined;
    await kernel.load(
      makeInn({
        start: (given) => {
          ctx = given;
        },
      }),
    );
    const timer = ctx?.timer(() => undefined, null, 'inn.late');
    await kernel.unload('inn');
    expect(() => ctx?.counter('x')).toThrow(/inn#1: is gone, but its context is still used: ctx.counter/);
    expect(() => ctx?.sysctl.define('net.x', { type: 'bool', default: true, summary: '' })).toThrow(/inn#1/);
    expect(() => timer?.arm(1)).toThrow(/inn#1.*inn.late.*gone/);
  });
});

const Other = defineService<object>({ name: 'Other', version: '1.0.0' });

/** As {@link clutter}, but for the timer: that would be a leak of the module's. */
function clutterLess(ctx: ModuleContext): void {
  ctx.poll({ poll: () => 0 }, 'inn.poll').raise();
  ctx.counter('visits').value++;
  ctx.dropReason('inn.drop', 'dropped at the inn');
  ctx.skbSlot('inn');
  ctx.sysctl.define('net.inn.rooms', { type: 'int', default: 4, min: 1, max: 9, summary: 'rooms' });
}
