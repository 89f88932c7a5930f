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
