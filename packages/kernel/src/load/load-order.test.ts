import type { PointToken, Requirement, ServiceToken } from '@softnet/contract';
import { definePoint, defineService, NetError, one, optional, some } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadOrder } from './load-order.ts';
import { checkManifest } from './manifest-check.ts';
import type { Known } from './requirements.ts';
import { findModule, meets } from './requirements.ts';

const service = (name: string, version = '1.0.0'): ServiceToken<object> => defineService<object>({ name, version });
const point = (name: string, version = '1.0.0'): PointToken<object> => definePoint<object>({ name, version });

interface Parts {
  readonly requires?: Requirement[];
  readonly provides?: (ServiceToken<object> | PointToken<object>)[];
  readonly state?: Known['state'];
  readonly version?: string;
}

function module(name: string, { state = 'offered', version = '1.0.0', ...parts }: Parts = {}): Known {
  return { name, state, manifest: checkManifest({ name, version, ...parts }, name) };
}

const namesOf = (modules: readonly Known[]): string[] => modules.map(({ name }) => name);

function order(name: string, known: readonly Known[]): string[] {
  return namesOf(loadOrder(findModule(name, known), known));
}

function refusal(name: string, known: readonly Known[]): NetError {
  try {
    order(name, known);
  } catch (error) {
    expect(error).toBeInstanceOf(NetError);
    return error as NetError;
  }
  throw new Error('an order was found');
}

const Route = service('Route', '1.4.0');
const Socket = service('Socket');
const Layer = point('NetworkLayer');
const route = module('route', { provides: [Route] });
const socket = module('socket', { provides: [Socket] });
const ipv4 = module('ipv4', { requires: [one(Route), one(Socket)], provides: [Layer] });
const ipv6 = module('ipv6', { requires: [one(Route)], provides: [Layer] });
const tcp = module('tcp', { requires: [some(Layer), one(Socket)] });
const live = (known: Known): Known => ({ ...known, state: 'live' });

describe('loadOrder', () => {
  it('loads what is required first, each once', () => {
    expect(order('tcp', [tcp, ipv4, ipv6, route, socket])).toEqual(['socket', 'route', 'ipv4', 'tcp']);
  });

  it('loads a module that requires nothing alone', () => {
    expect(order('route', [tcp, route])).toEqual(['route']);
  });

  it('does not load what is live, nor a copy of it that is offered', () => {
    expect(order('ipv4', [live(route), route, socket, ipv4])).toEqual(['socket', 'ipv4']);
  });

  it('takes a live contributor for some, else the first offered', () => {
    expect(order('tcp', [live(ipv6), ipv4, route, live(socket), tcp])).toEqual(['tcp']);
    expect(order('tcp', [ipv6, ipv4, live(route), live(socket), tcp])).toEqual(['ipv6', 'tcp']);
  });

  it('takes for some what is loaded anyway', () => {
    const Both = service('Both');
    const both = module('both', { provides: [Both, Layer] });
    const user = module('user', { requires: [some(Layer), one(Both)] });
    expect(order('user', [module('first', { provides: [Layer] }), both, user])).toEqual(['both', 'user']);
  });

  it('takes the first offered of several providers whose version fits', () => {
    const old = module('old', { provides: [service('Route', '1.0.0')] });
    const newer = module('newer', { provides: [service('Route', '1.9.0')] });
    expect(order('ipv6', [old, newer, route, ipv6])).toEqual(['newer', 'ipv6']);
  });

  it('asks the version of the provider’s own token', () => {
    const wants = module('wants', { requires: [one(service('Route', '1.0.0'), '>=1.4')] });
    expect(order('wants', [route, wants])).toEqual(['route', 'wants']);
  });

  it('loads nothing for optional, but puts it first when it is loaded anyway', () => {
    const shy = module('shy', { requires: [optional(Route), one(Socket)] });
    expect(order('shy', [route, socket, shy])).toEqual(['socket', 'shy']);
    const all = module('all', { requires: [some(point('Shy')), one(Route)] });
    const shyToo = module('shy', { requires: [optional(Route)], provides: [point('Shy')] });
    const slowRoute = module('route', { requires: [one(Socket)], provides: [Route] });
    expect(order('all', [all, shyToo, slowRoute, socket])).toEqual(['socket', 'route', 'shy', 'all']);
  });

  it('puts an optional provider before, though it is found later', () => {
    const [Early, Late] = [service('Early'), service('Late')];
    const early = module('early', { requires: [optional(Late)], provides: [Early] });
    const late = module('late', { provides: [Late] });
    const top = module('top', { requires: [one(Early), one(Late)] });
    expect(order('top', [early, late, top])).toEqual(['late', 'early', 'top']);
  });

  it('takes no longer where many ways lead to one module', () => {
    const floors = Array.from({ length: 20 }, (_, i) => [service(`L${i}`), service(`R${i}`)] as const);
    const known = floors.flatMap(([left, right], i) => {
      const below = floors[i - 1];
      const requires = below === undefined ? [] : [one(below[0]), one(below[1])];
      return [module(`l${i}`, { requires, provides: [left] }), module(`r${i}`, { requires, provides: [right] })];
    });
    expect(order('l19', known)).toHaveLength(39);
  });

  it('forgets an optional wish that would make a circle', () => {
    const A = service('A');
    const a = module('a', { requires: [optional(service('B'))], provides: [A] });
    const b = module('b', { requires: [one(A)], provides: [service('B')] });
    expect(order('b', [a, b])).toEqual(['a', 'b']);
  });

  it('makes a new generation of a provider that leaves, where it is offered', () => {
    expect(order('ipv6', [{ ...route, state: 'draining' }, route, ipv6])).toEqual(['route', 'ipv6']);
  });

  it('prefers a contributor that does not wait for the requirer', () => {
    const T = service('T');
    const circular = module('circular', { requires: [one(T)], provides: [Layer] });
    const free = module('free', { provides: [Layer] });
    const base = module('base', { requires: [some(Layer)], provides: [T] });
    expect(order('circular', [circular, free, base])).toEqual(['free', 'base', 'circular']);
  });
});

describe('loadOrder refuses', () => {
  it('a requirement that nobody provides', () => {
    const error = refusal('tcp', [tcp, ipv6, socket]);
    expect(error.code).toBe('ENOENT');
    expect(error.module).toBe('ipv6');
    expect(error.message).toMatch(/module 'ipv6' 1\.0\.0 \(to load tcp\) requires a live module to provide the service 'Route' \^1\.4\.0/);
    expect(error.message).toMatch(/no known module does; known are socket, tcp\. Offer or load a module that provides 'Route' \^1\.4\.0/);
  });

  it('a point to which nobody contributes', () => {
    const error = refusal('tcp', [tcp, socket]);
    expect(error.code).toBe('ENOENT');
    expect(error.message).toMatch(/module 'tcp' 1\.0\.0 requires some live module to contribute to the point 'NetworkLayer' \^1\.0\.0/);
    expect(error.message).toMatch(/Offer or load a module that contributes to 'NetworkLayer'/);
  });

  it.each([
    [
      'offered in an older version',
      module('route', { provides: [service('Route', '1.1.0')], version: '3.0.0' }),
      /'route' 3\.0\.0 \(offered\) provides 'Route' 1\.1\.0\. Offer 'route' as/,
    ],
    [
      'live in an older version',
      module('route', { provides: [service('Route', '1.1.0')], state: 'live' }),
      /\(live\) provides 'Route' 1\.1\.0\. Replace 'route' by a build/,
    ],
    ['offered in another major', module('route', { provides: [service('Route', '2.0.0')] }), /provides 'Route' 2\.0\.0/],
    ['offered as a point', module('route', { provides: [point('Route', '1.4.0')] }), /provides 'Route' 1\.4\.0 as a point/],
  ])('a version conflict: %s', (_what, provider, sentence) => {
    const error = refusal('ipv6', [provider, ipv6]);
    expect(error.code).toBe('ELIBBAD');
    expect(error.message).toMatch(/module 'ipv6' 1\.0\.0 requires .*'Route' \^1\.4\.0, but versions conflict/);
    expect(error.message).toMatch(sentence);
    expect(error.message).toMatch(/or take a build of 'ipv6' for what is there/);
  });

  it('another provider beside a live one of a version that does not fit', () => {
    const old = module('old-route', { provides: [service('Route', '1.1.0')], state: 'live' });
    expect(refusal('ipv6', [old, route, ipv6]).message).toMatch(/ELIBBAD.*'old-route' 1\.0\.0 \(live\).*Replace 'old-route'/);
  });

  it('an offered build that fits when another of its name is live', () => {
    const old = module('ipv4', { provides: [point('NetworkLayer', '0.9.0')], state: 'live' });
    const error = refusal('tcp', [old, module('ipv4', { provides: [Layer] }), socket, tcp]);
    expect(error.code).toBe('ELIBBAD');
    expect(error.message).toMatch(
      /\(live\) provides 'NetworkLayer' 0\.9\.0; .*would fit, but another build of that name is in the way\. Replace 'ipv4'/,
    );
  });

  it('a provider that leaves, and is not offered', () => {
    const error = refusal('ipv6', [{ ...route, state: 'withdrawing' }, ipv6]);
    expect(error.code).toBe('ESHUTDOWN');
    expect(error.message).toMatch(/'route', which provides it, is withdrawing\. Abort that unload/);
  });

  it('a provider that is only starting', () => {
    const error = refusal('ipv6', [{ ...route, state: 'starting' }, module('other', { provides: [Route] }), ipv6]);
    expect(error.code).toBe('EAGAIN');
    expect(error.message).toMatch(/'route', which provides it, is only starting\. Await its load/);
  });

  it('a circle, with its path', () => {
    const [A, B, C] = [service('A'), service('B'), point('C')];
    const known = [
      module('top', { requires: [one(A)] }),
      module('a', { requires: [one(B)], provides: [A] }),
      module('b', { requires: [some(C)], provides: [B] }),
      module('c', { requires: [one(A)], provides: [C] }),
    ];
    const error = refusal('top', known);
    expect(error.code).toBe('ELOOP');
    expect(error.message).toMatch(/module 'top' .*a → b → c → a\. 'c' waits for a provider of 'A'.*optional/);
    expect(refusal('b', known).message).toContain('b → c → a → b');
  });

  it('a module that needs itself', () => {
    expect(refusal('a', [module('a', { requires: [some(Layer)], provides: [Layer] })]).message).toMatch(
      /ELOOP.*a → a.*a contributor to 'NetworkLayer'/,
    );
  });

  it('an adapter that requires another major of what it provides, naming nobody as the conflict', () => {
    const adapter = module('adapter', { requires: [one(service('Route', '1.0.0'))], provides: [service('Route', '2.0.0')] });
    expect(refusal('adapter', [adapter]).message).toMatch(/ENOENT.*nothing else is known/);
  });

  it('two modules that provide one service', () => {
    const error = refusal('rival', [live(route), module('rival', { provides: [Route] })]);
    expect(error.code).toBe('EEXIST');
    expect(error.message).toMatch(
      /'route' \(live\) and 'rival' \(offered\) would both provide the service 'Route'.*Replace 'route' by 'rival'/,
    );
    const [X, Y] = [service('X'), service('Y')];
    const known = [
      module('top', { requires: [one(X), one(Y)] }),
      module('x', { provides: [X, Route] }),
      module('y', { provides: [Y, Route] }),
    ];
    expect(refusal('top', known).message).toMatch(/EEXIST.*'x' \(offered\) and 'y' \(offered\) would both/);
  });
});

describe('findModule', () => {
  it('refuses an unknown name, and lists the known', () => {
    expect(() => findModule('tpc', [tcp, live(route), { ...socket, state: 'gone' }])).toThrow(
      "ENOENT: module 'tpc' is unknown; known are route, tcp. Offer it first (kernel.offer), or load its class or bundle.",
    );
    expect(() => findModule('tcp', [])).toThrow(/no module is known at all/);
  });

  it('takes what lives before what is offered before what leaves', () => {
    const [draining, alive] = [{ ...route, state: 'draining' as const }, live(route)];
    expect(findModule('route', [draining, route, alive])).toBe(alive);
    expect(findModule('route', [draining, route])).toBe(route);
    expect(findModule('route', [draining])).toBe(draining);
  });
});

/** Any graph of modules over few tokens, so that they have much to do with one another. */
const TOKENS = 4;
const services = Array.from({ length: TOKENS }, (_, i) => service(`S${i}`));
const points = Array.from({ length: TOKENS }, (_, i) => point(`P${i}`));
const indexes = fc.uniqueArray(fc.nat(TOKENS - 1), { maxLength: 2 });

/** `unique`: service `i` is provided by module `i` alone, and point `i` too, so that nothing can be chosen. */
const graph = (unique: boolean): fc.Arbitrary<Known[]> =>
  fc
    .array(fc.record({ ones: indexes, somes: indexes, optionals: indexes, offers: indexes, adds: indexes, live: fc.boolean() }), {
      minLength: 1,
      maxLength: 6,
    })
    .map((rows) =>
      rows.map((row, i) => {
        const requires = [
          ...row.ones.map((t) => one(services[t]!)),
          ...row.somes.map((t) => some(points[t]!)),
          ...row.optionals.filter((t) => !row.ones.includes(t)).map((t) => optional(services[t]!)),
        ];
        const [own, ownPoint] = [services[i], points[i]];
        const provides = unique
          ? [...(own ? [own] : []), ...(ownPoint ? [ownPoint] : [])]
          : [...row.offers.map((t) => services[t]!), ...row.adds.map((t) => points[t]!)];
        return module(`m${i}`, { requires, provides, state: row.live ? 'live' : 'offered' });
      }),
    )
    .map(settle);

/** Live are only those that could be: whose requirements live ones meet; others are offered. */
function settle(modules: readonly Known[]): Known[] {
  const wished = modules.filter(({ state }) => state === 'live');
  const able = reachable(wished, []);
  return modules.map((known) => ({ ...known, state: able.includes(known) ? 'live' : 'offered' }));
}

/** Brute force: all that can be live when whatever can start does, from `base` on. */
function reachable(modules: readonly Known[], base: readonly Known[]): Known[] {
  const able = [...base];
  for (let grown = true; grown; ) {
    const next = modules.filter((known) => !able.includes(known) && satisfied(known, able));
    able.push(...next);
    grown = next.length > 0;
  }
  return able;
}

function satisfied(known: Known, present: readonly Known[]): boolean {
  return known.manifest.requires.every(
    (requirement) => requirement.need === 'optional' || present.some((other) => meets(other, requirement)),
  );
}

function attempt(known: readonly Known[]): Known[] | NetError {
  try {
    return loadOrder(known[0] as Known, known);
  } catch (error) {
    expect(error).toBeInstanceOf(NetError);
    return error as NetError;
  }
}

describe('loadOrder, for any graph', () => {
  it('gives an order in which each can start, without doubles, with the target last, all of it offered', () => {
    fc.assert(
      fc.property(graph(false), (known) => {
        const target = known[0] as Known;
        fc.pre(target.state === 'offered');
        const found = attempt(known);
        if (found instanceof NetError) {
          expect(['ENOENT', 'ELOOP', 'EEXIST']).toContain(found.code);
          return;
        }
        expect(found.at(-1)).toBe(target);
        expect(new Set(found).size).toBe(found.length);
        const present = known.filter(({ state }) => state === 'live');
        for (const next of found) {
          expect(next.state).toBe('offered');
          expect(satisfied(next, present)).toBe(true);
          present.push(next);
        }
        expect(found.every((next) => next === target || isUsed(next, found))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('finds an order exactly when brute force does, where there is nothing to choose', () => {
    let [foundCount, refusedCount] = [0, 0];
    fc.assert(
      fc.property(graph(true), (known) => {
        const target = known[0] as Known;
        fc.pre(target.state === 'offered');
        const able = reachable(
          known,
          known.filter(({ state }) => state === 'live'),
        );
        const found = attempt(known);
        expect(!(found instanceof NetError)).toBe(able.includes(target));
        if (found instanceof NetError) {
          refusedCount++;
        } else {
          foundCount++;
        }
      }),
      { numRuns: 2000 },
    );
    // The property is worth something only where both happen.
    expect(Math.min(foundCount, refusedCount)).toBeGreaterThan(100);
  });

  it('says ELOOP exactly for a circle, whose path is one of requirements', () => {
    fc.assert(
      fc.property(graph(true), (known) => {
        fc.pre(known[0]?.state === 'offered');
        const found = attempt(known);
        if (!(found instanceof NetError) || found.code !== 'ELOOP') {
          return;
        }
        const path = /circle: ([^.]+)\./.exec(found.message)?.[1]?.split(' → ') ?? [];
        expect(path.length).toBeGreaterThan(1);
        expect(path[0]).toBe(path.at(-1));
        for (const [index, name] of path.slice(0, -1).entries()) {
          const [from, to] = [findModule(name, known), findModule(path[index + 1] as string, known)];
          expect(from.manifest.requires.some((requirement) => requirement.need !== 'optional' && meets(to, requirement))).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('puts an optional provider first unless it needs the requirer', () => {
    fc.assert(
      fc.property(graph(true), (known) => {
        fc.pre(known[0]?.state === 'offered');
        const found = attempt(known);
        if (found instanceof NetError) {
          return;
        }
        // With one wish in the plan, nothing but the provider's own needs can stand against it.
        const wishes = found.flatMap((from) =>
          from.manifest.requires
            .filter(({ need }) => need === 'optional')
            .flatMap((requirement) => found.filter((to) => to !== from && meets(to, requirement)).map((to) => [from, to] as const)),
        );
        fc.pre(wishes.length === 1);
        const [[from, to]] = wishes as [[Known, Known]];
        const without = reachable(
          found.filter((other) => other !== from),
          known.filter(({ state }) => state === 'live'),
        );
        expect(found.indexOf(to) < found.indexOf(from)).toBe(without.includes(to));
      }),
      { numRuns: 2000 },
    );
  });
});

function isUsed(provider: Known, plan: readonly Known[]): boolean {
  return plan.some(
    (other) =>
      other !== provider && other.manifest.requires.some((requirement) => requirement.need !== 'optional' && meets(provider, requirement)),
  );
}
