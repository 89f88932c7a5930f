import { ADDRESS_FAMILY, ROUTE_SCOPE, ROUTE_TYPE } from '@softnet/contract';
import { expect, test } from 'vitest';
import { bootRouter, where } from './testing/fake-router.ts';

test('scopes are Linux’s where none is said', () => {
  const { add, store } = bootRouter();
  add('10.0.0.0/24 dev eth0');
  add('11.0.0.0/24 via 10.0.0.1 dev eth0');
  add(`10.0.0.9/32 dev eth0 type ${ROUTE_TYPE.LOCAL} table 255`);
  add(`10.0.0.255/32 dev eth0 type ${ROUTE_TYPE.BROADCAST} table 255`);
  add(`12.0.0.0/24 type ${ROUTE_TYPE.BLACKHOLE}`);
  add('13.0.0.0/24 dev eth0 dev eth1');
  add('14.0.0.0/24 dev eth0 scope 200');
  add('fd00::/8 dev eth0');
  const scopes = (family: number) => store.entries(family).map(({ scope }) => scope);
  const { UNIVERSE, SITE, LINK, HOST } = ROUTE_SCOPE;
  expect(scopes(ADDRESS_FAMILY.INET)).toEqual([LINK, UNIVERSE, UNIVERSE, UNIVERSE, SITE, HOST, LINK]);
  expect(scopes(ADDRESS_FAMILY.INET6)).toEqual([UNIVERSE]);
});

test('a gateway is nearer than what is behind it', () => {
  const { add, ask } = bootRouter();
  add('10.0.0.0/24 dev eth0');
  add('10.1.0.0/24 dev eth0 scope 0');
  add('11.0.0.0/24 via 10.0.0.1 dev eth0 scope 200');
  expect(() => add('12.0.0.0/24 via 10.1.0.1 dev eth0')).toThrow('ENETUNREACH: the gateway 10.1.0.1 is not on the link of eth0');
  expect(() => add('12.0.0.0/24 via 11.0.0.1 dev eth0')).toThrow('ENETUNREACH');
  expect(() => add('12.0.0.0/24 via 10.0.0.1 dev eth0 scope 253')).toThrow('what is behind a gateway is farther away than the link');
  expect(() => add(`12.0.0.1/32 dev eth0 type ${ROUTE_TYPE.LOCAL} scope 253`)).toThrow('its scope is wider than its type');
  expect(() => add('12.0.0.0/24 dev eth0 scope 255')).toThrow('a scope is 0 to 254');
  expect(where(ask('11.0.0.7'))).toBe('eth0 via 10.0.0.1');
});

test('what leads to it may stand in the route’s own table', () => {
  const { add, ask } = bootRouter();
  add('10.0.0.0/24 dev eth0 table 100');
  add('0.0.0.0/0 via 10.0.0.1 dev eth0 table 100');
  expect(where(ask('1.2.3.4', { table: 100 }))).toBe('eth0 via 10.0.0.1');
  expect(() => add('0.0.0.0/0 via 10.0.0.1 dev eth0')).toThrow('ENETUNREACH');
});

test('onlink: it is there, whatever routes say; but not an address of this host, nor without a device', () => {
  const { add, ask, store } = bootRouter();
  add('0.0.0.0/0 via 99.0.0.1 dev eth1 onlink 1');
  expect([where(ask('1.2.3.4')), store.entries(ADDRESS_FAMILY.INET)[0]!.nextHops[0]!.onLink]).toEqual(['eth1 via 99.0.0.1', true]);
  add(`10.0.0.9/32 dev eth0 type ${ROUTE_TYPE.LOCAL} table 255`);
  expect(() => add('20.0.0.0/24 via 10.0.0.9 dev eth0 onlink 1')).toThrow('EINVAL: the gateway 10.0.0.9 is an address of this host');
  expect(() => add('20.0.0.0/24 via 10.0.0.1 dev 0 onlink 1')).toThrow('ENETUNREACH: the route names no device');
});
