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
