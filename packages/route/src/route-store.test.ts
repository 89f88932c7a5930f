import { ADDRESS_FAMILY, DEVICE_EVENT, ROUTE_TYPE } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { freezeRoutes, thawRoutes } from './frozen-routes.ts';
import { routeWords } from './route-words.ts';
import { bootRouter, route, where } from './testing/fake-router.ts';

type Net = ReturnType<typeof bootRouter>;

const { INET, INET6 } = ADDRESS_FAMILY;

function lines({ store, kernel }: Net, family: number = INET): string[] {
  return store
    .entries(family)
    .map((entry) => `${entry.table}: ${routeWords(entry, (ifindex) => kernel.traffic.current.byIndex(ifindex)?.name ?? null)}`);
}

describe('a table', () => {
  test('lists its routes by prefix, defaults filled in', () => {
    const net = bootRouter();
    const { add } = net;
    for (const text of [
      '10.1.2.3/16 dev eth0',
      '0.0.0.0/0 via 10.1.0.1 dev eth0 metric 5',
      `10.1.0.9/32 dev eth0 type ${ROUTE_TYPE.LOCAL} table 255 proto 2`,
      '10.1.128.0/17 dev eth0 weight 2 dev eth1',
      `1.0.0.0/8 type ${ROUTE_TYPE.BLACKHOLE} table 9 tos 16`,
    ]) {
      add(text);
    }
    expect(lines(net)).toEqual([
      '9: blackhole 1.0.0.0/8 tos 0x10',
      '254: default via 10.1.0.1 dev eth0 metric 5',
      '254: 10.1.0.0/16 dev eth0',
      '254: 10.1.128.0/17 nexthop dev eth0 nexthop dev eth1',
      '255: local 10.1.0.9/32 dev eth0',
    ]);
    add('fd00::/8 dev eth0');
    add('fe80::/64 dev eth0 proto 2');
    expect(lines(net, INET6)).toEqual(['254: fd00::/8 dev eth0 metric 1024', '254: fe80::/64 dev eth0 metric 256']);
    expect(net.store.entries(7)).toEqual([]);
  });

  test('has one route of a prefix, type of service and metric; replace takes its place', () => {
    const net = bootRouter();
    const { add, store, kernel } = net;
    add('10.0.0.0/24 dev eth0');
    expect(() => add('10.0.0.0/24 dev eth1')).toThrow('EEXIST: table 254 has the route 10.0.0.0/24 dev eth0 already: replace changes it');
    add('10.0.0.0/24 dev eth1 metric 1');
    store.replace(route('10.0.0.0/24 dev eth1', kernel));
    store.replace(route('10.0.1.0/24 dev eth1', kernel));
    expect(lines(net)).toEqual(['254: 10.0.0.0/24 dev eth1', '254: 10.0.0.0/24 dev eth1 metric 1', '254: 10.0.1.0/24 dev eth1']);
  });

  test('has so many of one prefix, and no more', () => {
    const net = bootRouter();
    const { store, kernel, ask, router } = net;
    const edit = (metric: number) => ({ change: 'add', entry: route(`10.0.0.0/24 dev eth0 metric ${metric}`, kernel) }) as const;
    store.apply(Array.from({ length: 2047 }, (_, i) => edit(2048 - i)));
    net.add('10.0.0.0/24 dev eth1 metric 1');
    expect(() => net.add('10.0.0.0/24 dev eth1')).toThrow('ENOBUFS: table 254 has 2048 routes 10.0.0.0/24 already, the most of a prefix');
    expect([store.entries(INET).length, where(ask('10.0.0.1'))]).toEqual([2048, 'eth1']);
    store.replace(route('10.0.0.0/24 dev eth1 metric 2048', kernel));
    store.apply(store.entries(INET).map((entry) => ({ change: 'remove', entry })));
    expect([store.entries(INET), router.hops.count]).toEqual([[], 0]);
  });

  test('has the stack’s own of one prefix for each device', () => {
    const net = bootRouter();
    const { add, store, kernel } = net;
    for (const name of ['eth0', 'eth1']) add(`10.0.0.0/24 dev ${name} proto 2`);
    expect(() => add('10.0.0.0/24 dev eth1 proto 2')).toThrow('EEXIST');
    store.replace(route('10.0.0.0/24 dev eth1 proto 2 mtu 1400', kernel));
    expect(store.entries(INET).map(({ nextHops, metrics }) => [nextHops[0]!.ifindex, metrics?.[2]])).toEqual([
      [2, undefined],
      [3, 1400],
    ]);
    store.remove(route('10.0.0.0/24 dev eth1 proto 2', kernel));
    expect(lines(net)).toEqual(['254: 10.0.0.0/24 dev eth0']);
  });

  test('loses the route that is meant: what is not said does not count', () => {
    const net = bootRouter();
    const { add, store, kernel } = net;
    add('10.0.0.0/24 dev eth0 metric 5');
    add('10.0.0.0/24 via 10.0.0.9 dev eth0 metric 6');
    const remove = (text: string, changes: object = {}) => store.remove({ ...route(text, kernel), ...changes });
    expect(() => remove('10.0.0.0/24 metric 7')).toThrow('ENOENT: table 254 has no route 10.0.0.0/24 metric 7');
    expect(() => remove('10.0.0.0/24 dev eth1')).toThrow('ENOENT');
    expect(() => remove('10.0.0.0/24', { type: ROUTE_TYPE.LOCAL })).toThrow('ENOENT');
    expect(() => remove('10.0.0.0/25')).toThrow('ENOENT');
    expect(() => remove('10.0.0.0/24 table 9')).toThrow('ENOENT');
    remove('10.0.0.0/24 via 10.0.0.9 dev eth0');
    expect(lines(net)).toEqual(['254: 10.0.0.0/24 dev eth0 metric 5']);
    remove('10.0.0.0/24', { type: 0, source: 0 });
    expect([lines(net), net.router.hops.count]).toEqual([[], 0]);
  });
});

test('mistakes are said', () => {
  const { add, store, kernel } = bootRouter();
  const mistakes = {
    '10.0.0.0/24 dev 77': 'ENODEV: there is no device with the index 77',
    '10.0.0.0/24': 'EINVAL: the route 10.0.0.0/24 cannot be: it needs a next hop',
    '10.0.0.0/24 via 10.9.9.9 dev eth0':
      'ENETUNREACH: the gateway 10.9.9.9 is not on the link of eth0: give eth0 an address of its network first, add a route to it, or say onlink',
    '10.0.0.0/24 dev eth0 weight 257': 'a next hop weighs 1 to 256, not 257',
    '10.0.0.0/24 dev eth0 type 6': 'a route of that type has no next hop',
    '10.0.0.0/24 dev eth0 type 12': 'there is no type 12',
    '10.0.0.0/24 dev eth0 tos 1': 'its tos is 1',
    '10.0.0.0/24 dev eth0 metric -1': 'its metric is -1',
    '10.0.0.0/24 dev eth0 table -1': 'a table has a number from 1 to 4294967295, not -1',
    '10.0.0.0/24 via 10.9.9.9 dev 0': 'ENETUNREACH: the route goes via 10.9.9.9, which is on no link: say which by dev',
  };
  for (const [text, sentence] of Object.entries(mistakes)) expect(() => add(text), text).toThrow(sentence);
  add('10.0.0.0/24 dev eth0');
  add('11.0.0.0/24 via 10.0.0.1 dev eth0');
  expect(() => add('12.0.0.0/24 via 11.0.0.1 dev eth0'), 'behind another gateway').toThrow('ENETUNREACH');
  add(`10.9.9.9/32 dev eth0 type ${ROUTE_TYPE.LOCAL} table 255`);
  expect(() => add('13.0.0.0/24 via 10.9.9.9 dev eth0')).toThrow('EINVAL: the gateway 10.9.9.9 is an address of this host');
  expect(() => store.add({ ...route('10.0.0.0/24 dev eth0', kernel), prefixLen: 33 })).toThrow('its prefix has 0 to 32 bits, not 33');
  expect(() => store.add({ ...route('10.0.0.0/24 dev eth0', kernel), family: 7 })).toThrow('EAFNOSUPPORT: the route is of family 7');
  expect(store.entries(INET)).toHaveLength(3);
});

test('a gateway without a device is looked for', () => {
  const net = bootRouter();
  net.add('10.0.0.0/24 dev eth1');
  net.add('11.0.0.0/8 via 10.0.0.9 dev 0');
  expect(lines(net)[1]).toBe('254: 11.0.0.0/8 via 10.0.0.9 dev eth1');
});

test('a device that goes takes its routes along; of those with several ways, one way', () => {
  const net = bootRouter();
  const { add, kernel, eth1, router, ask } = net;
  add('10.0.0.0/24 dev eth0');
  add('10.0.1.0/24 dev eth1');
  add('10.0.2.0/24 dev eth0 dev eth1');
  add('11.0.0.0/8 via 10.0.1.1 dev eth1');
  ask('224.0.0.1', { oif: eth1.ifindex });
  kernel.devices.splice(2, 1);
  router.deviceChanged(eth1, DEVICE_EVENT.UNREGISTER);
  expect(lines(net)).toEqual(['254: 10.0.0.0/24 dev eth0', '254: 10.0.2.0/24 nexthop dev eth0 nexthop dev if3']);
  for (let port = 0; port < 20; port++) expect(where(ask('10.0.2.1', { srcPort: port }))).toBe('eth0');
  expect(router.hops.count, 'eth0, and one that is dead: eth1 in the route with two').toBe(2);
});

test('routes survive as plain data', () => {
  const net = bootRouter();
  net.add('10.0.0.0/24 dev eth0 mtu 1400 src 10.0.0.1');
  net.add('10.0.1.0/24 dev eth1');
  net.add('11.0.0.0/8 via 10.0.0.9 dev eth0 weight 7 via 10.0.1.8 dev eth1 metric 3 tos 8');
  net.add(`1.2.3.4/32 type ${ROUTE_TYPE.LOCAL} table 255`);
  net.add('fe80::/64 dev eth0 proto 2');
  const young = bootRouter();
  thawRoutes(structuredClone(freezeRoutes(net.store)), young.store);
  for (const family of [INET, INET6]) expect(young.store.entries(family)).toEqual(net.store.entries(family));
});

describe('whatever is added, replaced and removed', () => {
  const change = fc.record({
    does: fc.constantFrom('add', 'replace', 'remove'),
    first: fc.integer({ min: 0, max: 3 }),
    len: fc.integer({ min: 6, max: 8 }),
    metric: fc.integer({ min: 0, max: 1 }),
    device: fc.constantFrom('eth0', 'eth1'),
  });

  test('lists and lookups are those of a model, and nothing is left of what is gone', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const { store, kernel, ask, router } = bootRouter();
        const model = new Map<string, { prefix: number; len: number; metric: number; device: string }>();
        for (const { does, first, len, metric, device } of changes) {
          const prefix = first & (0xff << (8 - len));
          const key = `${prefix}/${len} ${metric}`;
          const entry = route(`${first}.0.0.0/${len} dev ${device} metric ${metric}`, kernel);
          if (does === 'remove') {
            // A metric of 0 is none: the first is meant.
            const found = [0, 1].find(
              (each) => model.get(`${prefix}/${len} ${each}`)?.device === device && (metric === 0 || each === metric),
            );
            if (found === undefined) expect(() => store.remove(entry)).toThrow('ENOENT');
            else {
              store.remove(entry);
              model.delete(`${prefix}/${len} ${found}`);
            }
          } else if (does === 'add' && model.has(key)) expect(() => store.add(entry)).toThrow('EEXIST');
          else {
            store[does as 'add' | 'replace'](entry);
            model.set(key, { prefix, len, metric, device });
          }
        }
        expect(store.entries(INET)).toHaveLength(model.size);
        for (let first = 0; first < 4; first++) {
          const [best] = [...model.values()]
            .filter(({ prefix, len }) => (first & (0xff << (8 - len))) === prefix)
            .sort((a, b) => b.len - a.len || a.metric - b.metric);
          expect(where(ask(`${first}.0.0.1`))).toBe(best?.device ?? 'error 101');
        }
        for (const entry of store.entries(INET)) store.remove(entry);
        expect([store.entries(INET), router.hops.count]).toEqual([[], 0]);
      }),
      { numRuns: 150 },
    );
  });
});
