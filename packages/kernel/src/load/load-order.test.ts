import type { PointToken, Requirement, ServiceToken } from '@softnet/contract';
import { definePoint, defineService, one, optional, some } from '@softnet/contract';
import { describe, expect, it } from 'vitest';
import { loadOrder } from './load-order.ts';
import { checkManifest } from './manifest-check.ts';
import type { Known } from './requirements.ts';
import { findModule } from './requirements.ts';

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
  }, 2_000);

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
