import type { PointToken, Requirement, ServiceToken } from '@softnet/contract';
import { definePoint, defineService, one, optional, some } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dependence } from './dependence.ts';
import { checkManifest } from './manifest-check.ts';
import type { Known } from './requirements.ts';
import { meets } from './requirements.ts';

const dependentsOf = (leaving: Known, known: readonly Known[]): Known[] => new Dependence(known).dependents(leaving);

type Token = ServiceToken<object> | PointToken<object>;

function module(name: string, requires: Requirement[], provides: Token[], state: Known['state'] = 'live'): Known {
  return { name, state, manifest: checkManifest({ name, version: '1.0.0', requires, provides }, name) };
}

const namesOf = (modules: readonly Known[]): string[] => modules.map(({ name }) => name);
const Route = defineService<object>({ name: 'Route', version: '1.0.0' });
const Layer = definePoint<object>({ name: 'NetworkLayer', version: '1.0.0' });
const Tcp = defineService<object>({ name: 'Tcp', version: '1.0.0' });
const route = module('route', [], [Route]);
const ipv4 = module('ipv4', [one(Route)], [Layer]);
const ipv6 = module('ipv6', [one(Route)], [Layer]);
const tcp = module('tcp', [some(Layer)], [Tcp]);
const http = module('http', [one(Tcp), optional(Route)], []);
const stack = [route, ipv4, ipv6, tcp, http];

describe('dependentsOf', () => {
  it('is nobody for what nobody needs', () => {
    expect(dependentsOf(http, stack)).toEqual([]);
  });

  it('takes nobody along while another contributes', () => {
    expect(dependentsOf(ipv6, stack)).toEqual([]);
  });

  it('takes along, in order, all that the last contributor bore', () => {
    expect(namesOf(dependentsOf(ipv4, [route, ipv4, tcp, http]))).toEqual(['http', 'tcp']);
  });

  it('takes along those for whom all contributors go', () => {
    expect(namesOf(dependentsOf(route, stack))).toEqual(['http', 'tcp', 'ipv6', 'ipv4']);
  });

  it('takes nobody along for optional', () => {
    expect(dependentsOf(route, [route, module('shy', [optional(Route)], [])])).toEqual([]);
  });

  it('does not count a contributor that leaves already, but a dependent that does', () => {
    const [leaving6, leavingHttp] = [
      { ...ipv6, state: 'draining' as const },
      { ...http, state: 'withdrawing' as const },
    ];
    expect(namesOf(dependentsOf(ipv4, [route, ipv4, leaving6, tcp, leavingHttp]))).toEqual(['http', 'tcp']);
  });

  it('counts dependents that start, and not those that are gone or offered', () => {
    const known = [
      route,
      { ...ipv4, state: 'starting' as const },
      { ...ipv6, state: 'offered' as const },
      module('old', [one(Route)], [], 'gone'),
    ];
    expect(namesOf(dependentsOf(route, known))).toEqual(['ipv4']);
  });

  it('works for a module that is leaving itself', () => {
    const leaving = { ...route, state: 'withdrawing' as const };
    expect(namesOf(dependentsOf(leaving, [leaving, ipv4]))).toEqual(['ipv4']);
  });

  it('lets a second generation bear what the first one bore', () => {
    const [first, second] = [{ ...route, state: 'draining' as const }, { ...route }];
    expect(dependentsOf(first, [first, ipv4, second])).toEqual([]);
    expect(namesOf(dependentsOf(second, [first, ipv4, second]))).toEqual(['ipv4']);
  });

  it('lets nobody bear itself, and two bear one another', () => {
    const tunnel = module('tunnel', [some(Layer)], [Layer]);
    expect(namesOf(dependentsOf(ipv4, [ipv4, tunnel]))).toEqual(['tunnel']);
    expect(dependentsOf(ipv4, [ipv4, tunnel, module('other', [some(Layer)], [Layer])])).toEqual([]);
  });

  it('lets a contributor go before its last dependent does, as long as another one bears that', () => {
    // tcp is borne by ipv4 and by base's own contribution: it must leave before the last of them only.
    const base = module('base', [], [Route, Layer]);
    expect(namesOf(dependentsOf(base, [base, tcp, ipv4]))).toEqual(['ipv4', 'tcp']);
  });

  it('orders those who hold one another up in a circle too, the youngest first', () => {
    const [A, B] = [definePoint<object>({ name: 'A', version: '1.0.0' }), definePoint<object>({ name: 'B', version: '1.0.0' })];
    const a = module('a', [some(B), one(Route)], [A]);
    const b = module('b', [some(A), one(Route)], [B]);
    expect(namesOf(dependentsOf(route, [route, a, b]))).toEqual(['b', 'a']);
  });

  it('sends whom the break of a circle left bereft before all others', () => {
    const [A, B] = [definePoint<object>({ name: 'A', version: '1.0.0' }), definePoint<object>({ name: 'B', version: '1.0.0' })];
    const a = module('a', [some(B), one(Route)], [A]);
    const serves = module('serves', [one(Route)], [Tcp]);
    const b = module('b', [some(A), one(Route), one(Tcp)], [B]);
    expect(namesOf(dependentsOf(route, [route, a, serves, b]))).toEqual(['b', 'a', 'serves']);
  });
});

const TOKENS = 3;
const services = Array.from({ length: TOKENS }, (_, i) => defineService<object>({ name: `S${i}`, version: '1.0.0' }));
const points = Array.from({ length: TOKENS }, (_, i) => definePoint<object>({ name: `P${i}`, version: '1.0.0' }));
const indexes = fc.uniqueArray(fc.nat(TOKENS - 1), { maxLength: 2 });

/** Live modules, each with its requirements met, in an order in which they could have been loaded. */
const liveModules: fc.Arbitrary<Known[]> = fc
  .array(fc.record({ ones: indexes, somes: indexes, offers: indexes, adds: indexes }), { minLength: 2, maxLength: 8 })
  .map((rows) => {
    const modules: Known[] = [];
    for (const [i, row] of rows.entries()) {
      const requires = [...row.ones.map((t) => one(services[t]!)), ...row.somes.map((t) => some(points[t]!))];
      const free = row.offers.filter((t) => !modules.some(({ manifest }) => manifest.provides.includes(services[t]!)));
      const next = module(`m${i}`, requires, [...free.map((t) => services[t]!), ...row.adds.map((t) => points[t]!)]);
      if (satisfied(next, modules)) {
        modules.push(next);
      }
    }
    return modules;
  });

const shuffled = (modules: Known[]): fc.Arbitrary<Known[]> =>
  fc.shuffledSubarray(modules, { minLength: modules.length, maxLength: modules.length });

function satisfied(known: Known, present: readonly Known[]): boolean {
  return known.manifest.requires.every((requirement) => present.some((other) => other !== known && meets(other, requirement)));
}

/** Brute force: of all sets without `leaving` in which everybody is satisfied, the union (which is one of them). */
function survivors(leaving: Known, modules: readonly Known[]): Set<Known> {
  const others = modules.filter((known) => known !== leaving);
  const union = new Set<Known>();
  for (let bits = 0; bits < 1 << others.length; bits++) {
    const set = others.filter((_, i) => (bits >> i) & 1);
    if (set.every((known) => satisfied(known, set))) {
      for (const known of set) {
        union.add(known);
      }
    }
  }
  return union;
}

describe('dependentsOf, for any live modules', () => {
  it('names exactly those who are in no satisfied set without it', () => {
    let dependentCount = 0;
    fc.assert(
      fc.property(liveModules, fc.nat(), (modules, pick) => {
        fc.pre(modules.length > 1);
        const leaving = modules[pick % modules.length]!;
        const stay = survivors(leaving, modules);
        const expected = modules.filter((known) => known !== leaving && !stay.has(known));
        const found = dependentsOf(leaving, modules);
        dependentCount += found.length;
        expect(new Set(found)).toEqual(new Set(expected));
        expect(found).toHaveLength(expected.length);
      }),
      { numRuns: 1500 },
    );
    expect(dependentCount).toBeGreaterThan(300);
  });

  it('gives an order in which each leaves while nobody who stays needs it, if there is one', () => {
    fc.assert(
      // In any order: a provider that was replaced is younger than its dependents.
      fc.property(liveModules.chain(shuffled), fc.nat(), (modules, pick) => {
        fc.pre(modules.length > 1);
        const leaving = modules[pick % modules.length]!;
        const bearable = (rest: readonly Known[]): boolean => rest.every((known) => satisfied(known, rest));
        const going = dependentsOf(leaving, modules);
        for (const [i, next] of going.entries()) {
          const present = modules.filter((known) => !going.slice(0, i).includes(known));
          const possible = going.slice(i).some((known) => bearable(present.filter((other) => other !== known)));
          expect(bearable(present.filter((known) => known !== next))).toBe(possible);
        }
      }),
      { numRuns: 1500 },
    );
  });
});
