import type {
  AnyToken,
  Frozen,
  ModuleClass,
  ModuleContext,
  NetError,
  Notice,
  Objects,
  Owner,
  Requirement,
  SoftnetModule,
  Tally,
} from '@softnet/contract';
import { defineService, Held, Module } from '@softnet/contract';
import type { KernelOptions } from '@softnet/kernel';
import { Kernel, World } from '@softnet/kernel';
import { expect } from 'vitest';

/** The way in: a door. */
export interface Inn {
  checkIn(owner: Owner): Guest;
  /** Hangs out a sign: the inn's listener. */
  hangSign(owner: Owner): Sign;
  light(owner: Owner): Lamp;
}
export const Inn = defineService<Inn>({ name: 'Inn', version: '1.0.0' });

/** What guests use: a corridor. */
export interface Service {
  /** A derived hold of a guest. */
  tea(guest: Held): Tea;
  /** Moves bytes: returns what was said, while the guest is in. */
  say(guest: Guest, words: string): string;
  readonly luggage: Tally;
}
export const Service = defineService<Service>({ name: 'Service', version: '1.0.0' });

export class Guest extends Held {
  words = 0;
  closedBy: NetError | null = null;
}
export class Tea extends Held {
  ended = false;
}
class Sign extends Held {
  lit = true;
}
class Lamp extends Held {}

/** How a test bends the inn. */
export interface Bend {
  readonly name?: string;
  readonly requires?: readonly Requirement[];
  readonly start?: (ctx: ModuleContext, inn: InnModule) => void | Promise<void>;
  readonly withdraw?: (ctx: ModuleContext) => void | Promise<void>;
  readonly abort?: (ctx: ModuleContext) => void | Promise<void>;
  readonly stop?: (ctx: ModuleContext) => void | Promise<void>;
  readonly close?: (guest: Guest, why: NetError) => void;
  /** How it takes over the guests of the inn that it replaces; without it, it cannot. */
  readonly thaw?: (frozen: Frozen, inn: InnModule) => Guest;
  readonly registry?: boolean;
  /** Its signs are for who is loaded beside it while it leaves. */
  readonly bequeaths?: boolean;
}

export interface InnModule extends SoftnetModule {
  ctx: ModuleContext;
  guests: Objects<Guest>;
  teas: Objects<Tea>;
  signs: Objects<Sign>;
  lamps: Objects<Lamp>;
}

/** A small module with an object of every drain policy; `bend` makes it misbehave. */
export function makeInn(bend: Bend = {}): ModuleClass {
  const { name = 'inn', requires = [], registry = false } = bend;
  class InnAsMade implements InnModule {
    ctx!: ModuleContext;
    guests!: Objects<Guest>;
    teas!: Objects<Tea>;
    signs!: Objects<Sign>;
    lamps!: Objects<Lamp>;

    start(ctx: ModuleContext): void | Promise<void> {
      this.ctx = ctx;
      declareKinds(this, ctx, bend);
      ctx.door(Inn, {
        checkIn: (owner) => held(this.guests, new Guest(), owner, 'inn.check-in'),
        hangSign: (owner) => held(this.signs, new Sign(), owner, 'inn.sign'),
        light: (owner) => held(this.lamps, new Lamp(), owner, 'inn.lamp'),
      });
      ctx.corridor(Service, this.#service(ctx));
      return bend.start?.(ctx, this);
    }

    withdraw(): void | Promise<void> {
      return bend.withdraw?.(this.ctx);
    }

    abort(): void | Promise<void> {
      return bend.abort?.(this.ctx);
    }

    stop(): void | Promise<void> {
      return bend.stop?.(this.ctx);
    }

    #service(ctx: ModuleContext): Service {
      return {
        luggage: ctx.tally('trunk', 'inn.cellar'),
        tea: (guest) => {
          const tea = new Tea();
          this.teas.derive(tea, guest, 'inn.tea');
          return tea;
        },
        say: (guest, words) => {
          this.guests.check(guest);
          guest.words++;
          return words.toUpperCase();
        },
      };
    }
  }
  Module({ name, version: '1.0.0', requires, provides: [Inn, Service], registry })(InnAsMade);
  return InnAsMade;
}

/** Holds a new object for somebody, and gives it. */
export function held<T extends Held>(objects: Objects<T>, object: T, owner: Owner, place: string): T {
  objects.hold(object, owner, place);
  return object;
}

/** Somebody lets go of an object, by the module that manages it. */
export function release(object: Held): void {
  object.holdKind?.release(object);
}

function declareKinds(inn: InnModule, ctx: ModuleContext, bend: Bend): void {
  const { thaw } = bend;
  inn.guests = ctx.objects<Guest>('guest', {
    drain: 'wait',
    close: (guest, why) => {
      if (bend.close !== undefined) return bend.close(guest, why);
      guest.closedBy = why;
      inn.guests.release(guest);
    },
    describe: (guest) => `a guest who said ${guest.words} words`,
    freeze: (guest): Frozen => ({ version: 1, data: { words: guest.words } }),
    ...(thaw === undefined ? {} : { thaws: [1], thaw: (frozen) => thaw(frozen, inn) }),
  });
  inn.teas = ctx.objects<Tea>('tea', {
    drain: 'wait',
    close: (tea) => inn.teas.release(tea),
    ended: (tea) => {
      tea.ended = true;
    },
  });
  inn.signs = ctx.objects<Sign>('sign', {
    drain: 'park',
    inherited: bend.bequeaths === true,
    park: (sign) => {
      sign.lit = false;
    },
    resume: (sign) => {
      sign.lit = true;
    },
    close: (sign) => inn.signs.release(sign),
    freeze: (): Frozen => ({ version: 1, data: null }),
  });
  inn.lamps = ctx.objects<Lamp>('lamp', { drain: 'keep', close: (lamp) => inn.lamps.release(lamp) });
}

/** An owner that remembers what it was told. */
export class Traveller implements Owner {
  readonly name: string;
  readonly notices: Notice[] = [];

  constructor(name = 'traveller') {
    this.name = name;
  }

  notice(notice: Notice): void {
    this.notices.push(notice);
  }

  get heard(): string[] {
    return this.notices.map(({ sort }) => sort);
  }
}

/** A kernel on virtual time. */
export function virtualKernel(options: KernelOptions = {}): Kernel {
  return new Kernel({ world: new World({ clock: 'virtual' }), ...options });
}

/** A module of a name that needs and provides what it is told to, and does nothing. */
export function makeModule(
  name: string,
  requires: readonly Requirement[] = [],
  provides: readonly AnyToken[] = [],
  start: (ctx: ModuleContext) => void | Promise<void> = () => undefined,
  hooks: Pick<SoftnetModule, 'withdraw' | 'abort' | 'stop'> = {},
): ModuleClass {
  class Made implements SoftnetModule {
    start(ctx: ModuleContext): void | Promise<void> {
      for (const token of provides) {
        if (token.sort === 'service') ctx.corridor(token, {});
        else ctx.contribute(token, {}, 'corridor');
      }
      return start(ctx);
    }
  }
  Object.assign(Made.prototype, hooks);
  Module({ name, version: '1.0.0', requires, provides })(Made);
  return Made;
}

/** A hook that waits until it is let go. */
export function gate(): { readonly letGo: () => void; readonly hook: () => Promise<void> } {
  let letGo: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return { letGo: () => letGo(), hook: () => promise };
}

/** 'inn#1 live', of each generation. */
export function statesOf(kernel: Kernel): string[] {
  return kernel.modules().map(({ name, generation, state }) => `${name}#${generation} ${state}`);
}

export function expectNothingLeft(kernel: Kernel): void {
  expect(kernel.modules()).toEqual([]);
  expect(kernel.holders()).toEqual([]);
  expect(kernel.port(Inn).present).toBe(false);
  expect(kernel.port(Service).present).toBe(false);
  expect(kernel.sysctl.list()).toEqual([]);
  expect(kernel.counters()).toEqual([]);
  expect(kernel.world.idle()).toBe(true);
}
