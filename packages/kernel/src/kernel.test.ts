import type { ModuleContext, Objects, Owner, SoftnetModule } from '@softnet/contract';
import { defineService, Held, Module, one } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { Kernel } from './kernel.ts';
import { World } from './time/world.ts';

interface Doorbell {
  ring(owner: Owner): Visitor;
}
const Doorbell = defineService<Doorbell>({ name: 'Doorbell', version: '1.2.0' });

class Visitor extends Held {
  leave: () => void = () => undefined;
}

@Module({ name: 'house', version: '1.0.0', provides: [Doorbell] })
class House implements SoftnetModule {
  visitors!: Objects<Visitor>;
  start(ctx: ModuleContext): void {
    this.visitors = ctx.objects<Visitor>('visitor', { drain: 'wait', close: (visitor) => this.visitors.release(visitor) });
    ctx.door(Doorbell, {
      ring: (owner) => {
        const visitor = new Visitor();
        this.visitors.hold(visitor, owner, 'house.ring');
        visitor.leave = () => this.visitors.release(visitor);
        return visitor;
      },
    });
  }
}

@Module({ name: 'guest', version: '1.0.0', requires: [one(Doorbell)] })
class Guest implements SoftnetModule {
  start(): void {}
}

function makeKernel(): Kernel {
  return new Kernel({ world: new World({ clock: 'virtual' }), name: 'h1' });
}

describe('a module in a kernel', () => {
  test('is loaded, used, drained and gone', async () => {
    const kernel = makeKernel();
    await kernel.load(House);
    const visitor = kernel.port(Doorbell).current.ring({ name: 'me' });
    expect(kernel.holders('house')).toMatchObject([{ kind: 'visitor', owner: 'me', place: 'house.ring', module: 'house#1' }]);
    const unload = kernel.unload('house');
    expect(() => kernel.port(Doorbell).current.ring({ name: 'you' })).toThrow(/house#1 is leaving/);
    const steps: string[] = [];
    const watching = (async () => {
      for await (const step of unload) steps.push(`${step.state} ${step.remaining}/${step.initial}`);
    })();
    await kernel.world.advance(1000);
    expect(kernel.module('house')?.state).toBe('draining');
    visitor.leave();
    expect(await unload).toMatchObject({ outcome: 'gone', module: 'house#1', gone: ['house#1'], faults: [], leaks: [] });
    await watching;
    expect(steps.at(-1)).toBe('gone 0/1');
    expect(kernel.modules()).toEqual([]);
    expect(() => kernel.port(Doorbell).current.ring({ name: 'you' })).toThrow(/no module provides Doorbell/);
  });

  test('is needed by its dependents, which go first', async () => {
    const kernel = makeKernel();
    kernel.offer(House, Guest);
    await kernel.load('guest');
    expect(kernel.modules().map(({ name }) => name)).toEqual(['house', 'guest']);
    await expect(kernel.unload('house')).rejects.toThrow(/needed by guest#1/);
    expect(kernel.dryRun('house', { cascade: true })).toMatchObject({ order: ['guest#1', 'house#1'], refusal: undefined });
    expect(await kernel.unload('house', { cascade: true })).toMatchObject({ gone: ['guest#1', 'house#1'] });
  });
});

describe('a kernel', () => {
  test('calls programs after some of its time, in order, unless they call it off; what they throw is a fault', async () => {
    const kernel = makeKernel();
    const calls: string[] = [];
    kernel.after(200, () => calls.push(`b ${kernel.clock.nowUs}`), 'test');
    kernel.after(100, () => calls.push(`a ${kernel.clock.nowUs}`), 'test');
    const off = kernel.after(150, () => calls.push('never'), 'test');
    const bad = (): void => {
      throw new Error('mine');
    };
    kernel.after(50, bad, 'program');
    off();
    await kernel.world.advance(1000);
    off();
    expect(calls).toEqual(['a 100', 'b 200']);
    expect(kernel.faults).toMatchObject([{ module: 'kernel', message: expect.stringContaining('program: ') }]);
  });

  test('that is shut down says what was open, closes it, and leaves its World', async () => {
    const kernel = makeKernel();
    kernel.offer(House, Guest);
    await kernel.load('guest');
    kernel.port(Doorbell).current.ring({ name: 'me' });
    const slow = kernel.shutdown({ deadlineMs: 100 });
    await kernel.world.advance(99_000);
    expect(kernel.modules()).toHaveLength(2);
    const report = await kernel.world.run(slow);
    expect(report).toMatchObject({ gone: ['guest#1', 'house#1'], broken: [{ owner: 'me' }], faults: [], leaks: [] });
    expect(kernel.world.executives).toEqual([]);
    expect(await kernel.shutdown()).toBe(report);
    await expect(kernel.load(House)).rejects.toThrow(/ESHUTDOWN: h1 is shut down/);
  });

  test('that is shut down waits for all, also for one that stops slowly', async () => {
    const kernel = makeKernel();
    const stop = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
    class Slow extends Other {}
    Object.assign(Slow.prototype, { stop });
    Module({ name: 'slow', version: '1.0.0' })(Slow);
    await kernel.load(Slow);
    await kernel.load(Other);
    expect((await kernel.shutdown()).gone).toEqual(['other#1', 'slow#1']);
    expect(kernel.modules()).toEqual([]);
  });

  test('that is shut down waits for loads, and joins unloads under way', async () => {
    const kernel = makeKernel();
    await kernel.load(House);
    kernel.port(Doorbell).current.ring({ name: 'me' });
    const unload = kernel.unload('house');
    const load = kernel.load(Other);
    const report = await kernel.world.run(kernel.shutdown());
    expect((await load).name).toBe('other');
    expect(report.gone).toEqual(['house#1', 'other#1']);
    expect(await unload).toMatchObject({ outcome: 'gone', broken: [{ owner: 'me' }] });
    expect(kernel.modules()).toEqual([]);
  });

  test('in real time needs nobody to move its World, and does not keep the process alive', async () => {
    const kernel = new Kernel();
    await kernel.load(House);
    kernel.port(Doorbell).current.ring({ name: 'me' });
    expect(await kernel.unload('house', { deadlineMs: 20 })).toMatchObject({ outcome: 'live', reason: 'deadline' });
    expect(kernel.world.idle()).toBe(true);
    await kernel.shutdown();
  });

  test('on virtual time refuses real drivers', async () => {
    class Tap extends House {}
    Module({ name: 'tap', version: '1.0.0', realTime: true, provides: [Doorbell] })(Tap);
    await expect(makeKernel().load(Tap)).rejects.toThrow(/EOPNOTSUPP: tap drives a real device, and this World's time is virtual/);
    expect((await new Kernel().load(Tap)).state).toBe('live');
  });

  test('tells what happens to whoever listens', async () => {
    const kernel = makeKernel();
    const events: string[] = [];
    const stop = kernel.on((event) => events.push(event.sort === 'state' ? `${event.module} ${event.from}→${event.to}` : event.fault.hook));
    await kernel.load(House);
    await kernel.unload('house');
    stop();
    await kernel.load(House);
    expect(events).toEqual(['house#1 starting→live', 'house#1 live→withdrawing', 'house#1 withdrawing→draining', 'house#1 draining→gone']);
  });

  test('a refused unload that nobody awaits is no unhandled rejection', async () => {
    const kernel = makeKernel();
    kernel.unload('nothing');
    await new Promise((resolve) => setImmediate(resolve));
    const iterate = async (): Promise<void> => {
      for await (const _step of kernel.unload('nothing')) throw new Error('no step was expected');
    };
    await expect(iterate()).rejects.toThrow(/ENOENT: no module nothing is loaded/);
  });

  test('a load by a name that was not offered, twice, or while it starts', async () => {
    const kernel = makeKernel();
    await expect(kernel.load('house')).rejects.toMatchObject({ code: 'ENOENT' });
    const load = kernel.load(House);
    await expect(kernel.load(House)).rejects.toMatchObject({ code: 'EALREADY' });
    await load;
    await expect(kernel.load(House)).rejects.toMatchObject({
      code: 'EEXIST',
      message: expect.stringContaining('unload it first, or replace it'),
    });
  });
});

@Module({ name: 'other', version: '1.0.0' })
class Other implements SoftnetModule {
  start(): void {}
}
