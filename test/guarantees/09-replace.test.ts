import type { AnyToken, Held, ModuleContext, Notice, Owner } from '@softnet/contract';
import { defineService, one } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { nodeEvaluate, readBundle } from '@softnet/kernel/node';
import { describe, expect, test } from 'vitest';
import type { Bend, Guest } from './inn.ts';
import { Inn, makeInn, makeModule, Service, Traveller, virtualKernel } from './inn.ts';

const HOSTEL = readBundle(new URL('./fixtures/inn2.cjs', import.meta.url).href);

/** An owner whose object may be another one tomorrow. */
class Face implements Owner {
  readonly name: string;
  object: Held | null = null;
  readonly notices: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  notice({ sort, object }: Notice): void {
    this.notices.push(sort);
    if (sort === 'moved') this.object = object;
  }
}

async function busyInn(bend: Bend = {}): Promise<{ kernel: Kernel; ann: Face; host: Face }> {
  const kernel = virtualKernel({ evaluate: nodeEvaluate });
  await kernel.load(makeInn(bend));
  const [ann, host] = [new Face('ann'), new Face('host')];
  ann.object = kernel.port(Inn).current.checkIn(ann);
  host.object = kernel.port(Inn).current.hangSign(host);
  await kernel.world.advance(500_000);
  say(kernel, ann);
  return { kernel, ann, host };
}

const say = (kernel: Kernel, face: Face): string => kernel.port(Service).current.say(face.object as Guest, 'hi');
const labels = (kernel: Kernel): string[] =>
  kernel.modules().map(({ name, generation, version, state }) => `${name}#${generation} ${version} ${state}`);

describe('guarantee 9: replace', () => {
  test('by hand-over: a separately built bundle with other classes and a newer layout adopts the objects, with their ages', async () => {
    const { kernel, ann, host } = await busyInn();
    const old = ann.object;
    const { drained, ...report } = await kernel.replace('inn', HOSTEL);
    expect(report).toEqual({ from: 'inn#1', to: 'inn#2', mode: 'handover', adopted: { guest: 1, sign: 1 } });
    expect(ann.object).not.toBe(old);
    expect(ann.notices).toEqual(['moved']);
    expect(host.object).toMatchObject({ lit: true });
    expect(say(kernel, ann)).toBe('HI');
    expect(kernel.holders()).toMatchObject([
      { module: 'inn#2', owner: 'ann', place: 'inn.check-in', ageMs: 500, description: 'a lodger who said 2 words' },
    ]);
    expect(await drained).toMatchObject({ outcome: 'gone', gone: ['inn#1'], broken: [], faults: [], leaks: [] });
    expect(labels(kernel)).toEqual(['inn#2 2.0.0 live']);

    // And once more, by a build whose objects come from layout 2.
    await kernel.replace('inn', HOSTEL);
    expect(kernel.holders()).toMatchObject([{ module: 'inn#3', ageMs: 500, description: 'a lodger who said 2 words' }]);
    expect((await kernel.unload('inn', { force: true })).broken).toHaveLength(1);
  });

  test('by draining: the new one takes new work in the same tick, the old one goes when its last guest does', async () => {
    const { kernel, ann, host } = await busyInn();
    const seen: string[] = [];
    kernel.on(() => seen.push(`${labels(kernel).join(', ')}: ${kernel.port(Inn).present}`));
    const { drained, mode, adopted } = await kernel.replace('inn', HOSTEL, { mode: 'drain' });
    // There is no moment without an inn that takes guests.
    expect(seen.every((line) => line.endsWith('true'))).toBe(true);
    expect({ mode, adopted }).toEqual({ mode: 'drain', adopted: { sign: 1 } });
    await kernel.world.advance(0);
    expect(labels(kernel)).toEqual(['inn#1 1.0.0 draining', 'inn#2 2.0.0 live']);
    expect(ann.notices).toEqual(['leaving']);
    expect(host.notices).toEqual(['moved']);
    const lodger = kernel.port(Inn).current.checkIn(new Traveller('bob'));
    expect(lodger.holdKind?.module).toBe('inn#2');
    const guest = ann.object as Guest;
    expect(guest.holdKind?.module).toBe('inn#1');
    guest.holdKind?.release(guest);
    expect(await drained).toMatchObject({ outcome: 'gone', module: 'inn#1' });
  });

  test.each([false, true])(
    'loaded beside one that leaves, the new one has what is inherited (%s); the old one cannot come back, and goes with its last guest',
    async (bequeaths) => {
      const { kernel, ann, host } = await busyInn({ bequeaths });
      const unload = kernel.unload('inn');
      await kernel.world.advance(0);
      expect(host.object).toMatchObject({ lit: false });
      await kernel.load(HOSTEL);
      expect(labels(kernel)).toEqual(['inn#1 1.0.0 draining', 'inn#2 2.0.0 live']);
      expect([host.notices, (host.object as Guest).holdKind?.module]).toEqual(
        bequeaths ? [['leaving', 'moved'], 'inn#2'] : [['leaving'], 'inn#1'],
      );
      const guest = ann.object as Guest;
      expect(guest.holdKind?.module).toBe('inn#1');
      await expect(kernel.abort('inn#1')).rejects.toMatchObject({ code: 'EBUSY' });
      guest.holdKind?.release(guest);
      expect(await unload).toMatchObject({ outcome: 'gone', gone: ['inn#1'], leaks: [], faults: [] });
      expect(host.notices).toEqual(bequeaths ? ['leaving', 'moved'] : ['leaving', 'closed']);
    },
  );

  test('a drain can be given an end', async () => {
    const { kernel, ann } = await busyInn();
    const { drained } = await kernel.replace('inn', HOSTEL, { mode: 'drain', forceAfterMs: 100 });
    expect(await kernel.world.run(drained)).toMatchObject({ outcome: 'gone', broken: [{ owner: 'ann' }] });
    expect(ann.notices).toEqual(['leaving', 'closed']);
    expect(labels(kernel)).toEqual(['inn#2 2.0.0 live']);
  });

  test('a value set by hand survives, where the new build takes it', async () => {
    const kernel = virtualKernel();
    const define =
      (max: number) =>
      (ctx: ModuleContext): void => {
        ctx.sysctl.define('net.inn.rooms', { type: 'int', default: 4, min: 1, max, summary: 'rooms' });
      };
    await kernel.load(makeInn({ start: define(99) }));
    kernel.sysctl.set('net.inn.rooms', 50);
    await kernel.replace('inn', makeInn({ start: define(60) }));
    expect(kernel.sysctl.get('net.inn.rooms')).toBe(50);
    await kernel.replace('inn', makeInn({ start: define(9) }));
    expect(kernel.sysctl.get('net.inn.rooms')).toBe(4);
    expect(kernel.logs.at(-1)?.message).toMatch(/net.inn.rooms was set to '50'/);
  });
});

describe('guarantee 9: a replace that fails leaves the old generation as if nothing had been', () => {
  const Bar = defineService<object>({ name: 'Bar', version: '1.0.0' });
  const thaw = (code: string) => ({ code: HOSTEL.code.replace('thaw: ({ version, data }) =>', code), filename: 'bad.cjs' });
  const cases: [string, () => Parameters<Kernel['replace']>[1], RegExp][] = [
    [
      'its start throws',
      () => ({ ...HOSTEL, code: HOSTEL.code.replace("'function'", "'fun'") }),
      /EIO: inn#2 was not loaded: start threw: no sysctl/,
    ],
    [
      'its thaw throws',
      () => thaw('thaw: () => { throw new Error("too cold"); }, other: ({ version, data }) =>'),
      /EBUSY: .*inn#2 failed to thaw a guest of layout 1.*too cold/,
    ],
    [
      'its thaw returns nothing',
      () => thaw('thaw: () => undefined, other: ({ version, data }) =>'),
      /EBUSY: inn#2 was not loaded: thaw of a guest returned nothing/,
    ],
    [
      'it does not know the layout',
      () => ({ ...HOSTEL, code: HOSTEL.code.replace('thaws: [1, 2]', 'thaws: [2]') }),
      /EBUSY: .*layout 1.*inn#2 thaws 2/,
    ],
    ['it cannot thaw', () => makeInn(), /EBUSY: .*hand-over is impossible: inn#2 cannot thaw a guest/],
    ['it is another module', () => makeModule('bar'), /EINVAL: inn#1 can be replaced by another inn, but this is bar/],
    ['it does not parse', () => ({ code: 'class {', filename: 'torn.cjs' }), /EINVAL: torn.cjs.* does not parse/],
    ['it misses a requirement', () => makeModule('inn', [one(Bar)], [Inn, Service]), /ENOENT: .*Bar/],
  ];
  test.each(cases)('%s', async (_why, source, sentence) => {
    const { kernel, ann, host } = await busyInn();
    await expect(kernel.replace('inn', source(), { mode: 'handover' })).rejects.toThrow(sentence);
    expect(labels(kernel)).toEqual(['inn#1 1.0.0 live']);
    expect(ann.notices).toEqual([]);
    expect(host.object).toMatchObject({ lit: true });
    expect(say(kernel, ann)).toBe('HI');
    kernel.port(Inn).current.checkIn(new Traveller());
    expect(kernel.modules()[0]?.usage).toMatchObject({ objects: { guest: 2, sign: 1 } });
    // The name of the next generation is another one, so that nobody takes the failed one for it.
    await (await kernel.replace('inn', HOSTEL)).drained;
    expect(labels(kernel)).toMatchObject([expect.stringMatching(/^inn#[23] 2.0.0 live$/)]);
  });

  test('it would leave a dependent without what it requires', async () => {
    const { kernel } = await busyInn();
    await kernel.load(makeModule('tour', [one(Service)]));
    const less = (provides: AnyToken[]) => makeModule('inn', [], provides);
    await expect(kernel.replace('inn', less([Inn]))).rejects.toMatchObject({
      code: 'EBUSY',
      message: expect.stringMatching(/tour#1 requires Service \^1.0.0, but inn 1.0.0 provides none/),
    });
    const Service2 = defineService<object>({ name: 'Service', version: '2.0.0' });
    await expect(kernel.replace('inn', less([Inn, Service2]))).rejects.toThrow(
      /tour#1 requires Service \^1.0.0, but inn 1.0.0 provides 2.0.0/,
    );
    expect(labels(kernel)).toEqual(['inn#1 1.0.0 live', 'tour#1 1.0.0 live']);
  });

  test('an owner of a registry that cannot hand over is refused', async () => {
    const { kernel, ann } = await busyInn({ registry: true });
    await expect(kernel.replace('inn', makeInn({ registry: true }))).rejects.toMatchObject({
      code: 'EBUSY',
      message: expect.stringContaining('cannot thaw a guest'),
    });
    await expect(kernel.replace('inn', HOSTEL, { mode: 'drain' })).rejects.toMatchObject({
      code: 'EBUSY',
      message: expect.stringContaining('owns a registry'),
    });
    expect((await kernel.replace('inn', HOSTEL)).mode).toBe('handover');
    expect(ann.notices).toEqual(['moved']);
  });

  test('it was unloaded while its successor was starting', async () => {
    const { kernel } = await busyInn();
    let letGo: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const replace = kernel.replace('inn', makeInn({ start: () => waiting }));
    const unload = kernel.unload('inn#1');
    letGo();
    await expect(replace).rejects.toMatchObject({ code: 'EBUSY' });
    expect((await kernel.unload('inn', { force: true })).outcome).toBe('gone');
    expect((await unload).outcome).toBe('gone');
    expect(kernel.modules()).toEqual([]);
  });
});
