import { Held, ModuleFault, NetError } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Keeper } from './object-list.ts';
import { ObjectList } from './object-list.ts';

class Thing extends Held {
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }
}

const ME = { name: 'me' };

function keeperOf(label: string, debug = false) {
  const log = { holds: 0, released: [] as string[], faults: [] as string[], nowCs: 0, epoch: 0 };
  const keeper: Keeper = {
    label,
    owner: 1,
    debug,
    nowCs: () => log.nowCs,
    counted: (change) => {
      log.holds += change;
    },
    releasing: (_list, object) => void log.released.push((object as Thing).name),
    epoch: () => log.epoch,
    nextEpoch: () => ++log.epoch,
    guard: (hook, call) => {
      try {
        call();
      } catch (error) {
        log.faults.push(`${hook}: ${String(error)}`);
      }
    },
  };
  return { keeper, log };
}

function listOf(drain: 'wait' | 'park' | 'keep' = 'wait', label = 'm#1') {
  const { keeper, log } = keeperOf(label);
  const ended: string[] = [];
  const list = new ObjectList<Thing>(
    'thing',
    { drain, close: (thing) => list.release(thing), ended: ({ name }) => void ended.push(name) },
    keeper,
  );
  return { list, log, ended, keeper };
}

const names = (list: ObjectList<Thing>): string[] => Array.from(list, ({ name }) => name);

describe('ObjectList', () => {
  test('keeps objects in the order of their holds, with owner, place and time', () => {
    const { list, log } = listOf();
    const [a, b] = [new Thing('a'), new Thing('b')];
    list.hold(a, ME, 'here');
    log.nowCs = 7;
    list.hold(b, ME, 'there');
    expect(names(list)).toEqual(['a', 'b']);
    expect(b).toMatchObject({ holdOwner: ME, holdPlace: 'there', holdSinceCs: 7 });
    expect(log.holds).toBe(2);
    list.release(a);
    expect(names(list)).toEqual(['b']);
    list.hold(a, ME, 'again');
    expect(names(list)).toEqual(['b', 'a']);
    expect(list.count).toBe(2);
  });

  test.each(['park', 'keep'] as const)('kinds that %s hold nothing up', (drain) => {
    const { list, log } = listOf(drain);
    list.hold(new Thing('a'), ME, 'here');
    expect(list.count).toBe(1);
    expect(log.holds).toBe(0);
  });

  test('a derived object has the owner of its root, and ends with its holder, in depth', () => {
    const { list, log, ended } = listOf();
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => new Thing(name)) as [Thing, Thing, Thing, Thing];
    list.hold(a, ME, 'root');
    list.derive(b, a, 'derived');
    list.derive(c, b, 'derived');
    list.derive(d, a, 'derived');
    expect(c.holdOwner).toBe(ME);
    list.release(d);
    list.release(a);
    expect(ended.sort()).toEqual(['b', 'c']);
    expect(log.holds).toBe(0);
    expect(log.released).toEqual(['d', 'a']);
    expect([a, b, c, d].every((thing) => thing.holdNext === null && thing.holdDerived === null && thing.holdHolder === null)).toBe(true);
  });

  test('an `ended` that throws is the module’s fault, and the rest ends all the same', () => {
    const { keeper, log } = keeperOf('m#1');
    const ended = (thing: Thing): void => {
      throw new Error(thing.name);
    };
    const list: ObjectList<Thing> = new ObjectList<Thing>('thing', { drain: 'wait', close: () => undefined, ended }, keeper);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => new Thing(name)) as [Thing, Thing, Thing];
    list.hold(a, ME, 'root');
    list.derive(b, a, 'derived');
    list.derive(c, a, 'derived');
    list.release(a);
    expect(log.faults).toHaveLength(2);
    expect(log.holds).toBe(0);
  });

  test('a successor takes the place without the count ever being zero, also when the doors are shut', () => {
    const { list, log } = listOf();
    const [a, b] = [new Thing('a'), new Thing('b')];
    list.hold(a, ME, 'connection');
    list.shut();
    expect(() => list.hold(b, ME, 'new')).toThrow(NetError);
    const counts: number[] = [];
    const { holds } = log;
    Object.defineProperty(log, 'holds', { get: () => counts.at(-1) ?? holds, set: (value: number) => void counts.push(value) });
    list.succeed(b, a, 'time-wait');
    expect(counts).toEqual([2, 1]);
    expect(b.holdOwner).toBe(ME);
    expect(() => list.succeed(new Thing('c'), a, 'again')).toThrow(
      /m#1: again puts a thing in the place of a thing of m#1, which it does not hold/,
    );
    const other = listOf('wait', 'n#1');
    other.list.hold(a, ME, 'there');
    expect(() => list.succeed(new Thing('c'), a, 'theirs')).toThrow(ModuleFault);
  });

  test('an object is passed to another owner, with what is derived from it, also when the doors are shut', () => {
    const { list } = listOf();
    const [root, child, grandchild] = [new Thing('root'), new Thing('child'), new Thing('grandchild')];
    list.hold(root, ME, 'listener');
    list.derive(child, root, 'way');
    list.derive(grandchild, child, 'way');
    list.shut();
    const you = { name: 'you' };
    list.passTo(root, you);
    expect([root, child, grandchild].map(({ holdOwner }) => holdOwner)).toEqual([you, you, you]);
    expect(list.count).toBe(3);
    list.release(root);
    expect(() => list.passTo(root, ME)).toThrow(ModuleFault);
  });

  test('who came after stage 1 derives nothing, though a holder; who follows an old holder does', () => {
    const { list, log } = listOf();
    const others = new ObjectList<Thing>('sock', { drain: 'wait', close: () => undefined }, listOf('wait', 'n#1').keeper);
    const [old, young] = [new Thing('old'), new Thing('young')];
    others.hold(old, ME, 'before');
    list.shut();
    young.holdEpoch = 0;
    others.hold(young, ME, 'after');
    young.holdEpoch = log.epoch;
    list.derive(new Thing('way'), old, 'route');
    expect(() => list.derive(new Thing('way'), young, 'route')).toThrow(
      /ESHUTDOWN: m#1 is leaving, so route derives no thing for a sock of n#1 of me/,
    );
    const heir = new Thing('heir');
    others.succeed(heir, old, 'time-wait');
    list.derive(new Thing('way'), heir, 'route');
    list.reopen();
    list.derive(new Thing('way'), young, 'route');
    expect(list.count).toBe(2);
  });

  test('holds that were put off are counted, taken once when it matters, and can be taken back', () => {
    const { list, log } = listOf();
    const sock = new Thing('sock');
    listOf().list.hold(sock, ME, 'open');
    const asked: string[] = [];
    const one = { count: 2, take: () => void asked.push('one') };
    const two = {
      count: 1,
      take: () => {
        list.derive(new Thing('way'), sock, 'route');
        throw new Error('late');
      },
    };
    for (const holds of [one, one, two]) list.defer(holds);
    expect([list.count, list.deferred]).toEqual([0, 3]);
    list.recall(one);
    list.recall(one);
    expect(list.deferred).toBe(1);
    list.takeDeferred();
    list.takeDeferred();
    expect([list.count, list.deferred, asked, log.faults]).toEqual([1, 0, [], ['take: Error: late']]);
    list.shut();
    expect(() => list.defer(one)).toThrow(/m#1: is leaving, but a hold on a thing of it is put off: take it/);
    list.reopen();
    list.defer(one);
    list.takeDeferred();
    expect(asked).toEqual(['one']);
  });

  test('the walk skips what is released on the way, and does not see what is added', () => {
    const { list } = listOf();
    const things = ['a', 'b', 'c', 'd'].map((name) => new Thing(name));
    for (const thing of things) list.hold(thing, ME, 'here');
    const seen: string[] = [];
    for (const thing of list) {
      seen.push(thing.name);
      if (thing.name === 'a') for (const gone of things.slice(0, 3)) list.release(gone);
      list.hold(new Thing(`after ${thing.name}`), ME, 'here');
    }
    expect(seen).toEqual(['a', 'd']);
  });

  test('agrees with a model, whatever is done (property)', () => {
    const step = fc.tuple(fc.constantFrom('hold', 'derive', 'succeed', 'release'), fc.nat(11), fc.nat(11));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { list, log } = listOf();
        const things = Array.from({ length: 12 }, (_, i) => new Thing(`t${i}`));
        const model = new Map<Thing, Thing | null>();
        for (const [what, i, j] of steps) act(list, model, what, things[i] as Thing, things[j] as Thing);
        expect(names(list).sort()).toEqual(Array.from(model.keys(), ({ name }) => name).sort());
        expect([list.count, log.holds]).toEqual([model.size, model.size]);
        for (const thing of things) expect(thing.holdHolder).toBe(model.get(thing) ?? null);
      }),
      { numRuns: 500 },
    );
  });
});

/** Does the same to the list and to the model (object → holder); what the model forbids, the list must refuse. */
function act(list: ObjectList<Thing>, model: Map<Thing, Thing | null>, what: string, a: Thing, b: Thing): void {
  const free = !model.has(a);
  const there = model.has(b);
  const steps: Record<string, [boolean, () => void, () => void]> = {
    hold: [free, () => list.hold(a, ME, 'hold'), () => model.set(a, null)],
    derive: [there && free, () => list.derive(a, b, 'derive'), () => model.set(a, b)],
    release: [!free, () => list.release(a), () => end(model, a)],
    succeed: [
      there && free,
      () => list.succeed(a, b, 'succeed'),
      () => {
        model.set(a, null);
        end(model, b);
      },
    ],
  };
  const [allowed, real, follow] = steps[what] as [boolean, () => void, () => void];
  if (!allowed) {
    expect(real).toThrow(ModuleFault);
    return;
  }
  real();
  follow();
}

function end(model: Map<Thing, Thing | null>, thing: Thing): void {
  model.delete(thing);
  for (const [other, holder] of model) if (holder === thing) end(model, other);
}
