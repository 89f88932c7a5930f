import type { PointToken, Requirement, ServiceToken } from '@softnet/contract';
import { definePoint, defineService, NetError, one, some } from '@softnet/contract';
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
const ipv6 = module('ipv6', { requires: [one(Route)], provides: [Layer] });
const tcp = module('tcp', { requires: [some(Layer), one(Socket)] });
const live = (known: Known): Known => ({ ...known, state: 'live' });

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
