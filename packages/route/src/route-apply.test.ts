import type { RouteEdit, RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_EVENT } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { PrefixTable } from './prefixes/prefix-table.ts';
import { bootRouter, route, where } from './testing/fake-router.ts';

type Net = ReturnType<typeof bootRouter>;

const { INET } = ADDRESS_FAMILY;

function edits({ kernel }: Net, ...lines: string[]): RouteEdit[] {
  return lines.map((line) => {
    const [change, ...words] = line.split(' ');
    return { change: change as RouteEdit['change'], entry: route(words.join(' '), kernel) };
  });
}

/** Where the layers have been looked at. */
function boot(): Net {
  const net = bootRouter();
  net.ask('10.0.0.1');
  return net;
}

function state({ store, router }: Net): unknown {
  return { entries: store.entries(INET), hops: router.hops.count, generation: router.generation.value };
}

describe('many changes are one version', () => {
  test('of which lookups know at once, and by one new generation', () => {
    const net = boot();
    const before = net.router.generation.value;
    net.store.apply(edits(net, 'add 10.0.0.0/24 dev eth0', 'add 11.0.0.0/8 via 10.0.0.9 dev eth0', 'replace 11.0.0.0/8 dev eth1'));
    expect(net.router.generation.value).toBe(before + 1);
    expect([where(net.ask('10.0.0.1')), where(net.ask('11.0.0.1'))]).toEqual(['eth0', 'eth1']);
    net.store.apply([]);
    expect(net.router.generation.value).toBe(before + 1);
  });

  test('or, when one is refused, none; the error says which', () => {
    const net = boot();
    net.add('10.0.0.0/24 dev eth0');
    net.add('10.0.0.0/24 dev eth1 metric 7');
    const before = state(net);
    const bad = edits(
      net,
      'remove 10.0.0.0/24 dev eth0',
      'add 12.0.0.0/8 dev eth1 metric 3',
      'replace 10.0.0.0/24 dev eth0 metric 7',
      'add 13.0.0.0/8 dev eth0 table 77',
      'add 14.0.0.0/8 via 99.0.0.1 dev eth0',
    );
    expect(() => net.store.apply(bad)).toThrow('ENETUNREACH: edit 5 of 5: the gateway 99.0.0.1 is not on the link of eth0');
    expect(state(net)).toEqual(before);
  });

  test('each gateway is checked against what the edits before have made of the tables', () => {
    const net = boot();
    net.add('10.0.0.0/16 dev eth0');
    const many = Array.from({ length: 100 }, (_, i) => `add 20.${i}.0.0/16 via 10.0.0.9 dev eth0`);
    const before = state(net);
    const discard = vi.spyOn(PrefixTable.prototype, 'discard');
    expect(() => net.store.apply(edits(net, ...many, 'remove 10.0.0.0/16 dev eth0', 'add 30.0.0.0/8 via 10.0.0.9 dev eth0'))).toThrow(
      'ENETUNREACH: edit 102 of 102',
    );
    const own = 'add 10.0.0.9/32 dev eth0 type 2 table 255';
    expect(() => net.store.apply(edits(net, ...many, own, 'add 30.0.0.0/8 via 10.0.0.9 dev eth0'))).toThrow('EINVAL: edit 102 of 102');
    expect(state(net)).toEqual(before);
    expect(discard, 'trees of before are there again: of main twice, of local').toHaveBeenCalledTimes(3);
    discard.mockRestore();
    net.store.apply(edits(net, ...many, 'add 30.0.0.0/8 via 10.0.0.9 dev eth0'));
    expect(net.store.entries(INET)).toHaveLength(102);
    expect(where(net.ask('20.7.0.1'))).toBe('eth0 via 10.0.0.9');
  });
});

describe('what a way was checked for is remembered', () => {
  const way = 'via 10.0.0.9 dev eth0';

  test('until a route of its gateway, a rule, or a device changes', () => {
    for (const change of ['route', 'device', 'failure'] as const) {
      const net = boot();
      net.add('10.0.0.0/16 dev eth0');
      net.add(`11.0.0.0/8 ${way}`);
      net.add(`12.0.0.0/8 ${way}`);
      const link = edits(net, 'remove 10.0.0.0/16 dev eth0');
      if (change === 'route') net.store.apply(link);
      else if (change === 'device') {
        net.kernel.devices.splice(net.kernel.devices.indexOf(net.eth0), 1);
        net.router.deviceChanged(net.eth0, DEVICE_EVENT.UNREGISTER);
      } else {
        net.store.apply(link);
        // It is on the link, and then it is not: all is taken back.
        const bad = edits(net, 'add 10.0.0.0/16 dev eth0', `add 13.0.0.0/8 ${way}`, 'add 14.0.0.0/8 via 99.0.0.1 dev eth0');
        expect(() => net.store.apply(bad)).toThrow('edit 3 of 3');
      }
      expect(() => net.add(`15.0.0.0/8 ${way}`), change).toThrow(change === 'device' ? 'ENODEV' : 'ENETUNREACH');
    }
  });

  test('as it was given, not as who gave it has changed it since', () => {
    const net = boot();
    const hop = { ifindex: 2, weight: 1 };
    const entry = { ...route('11.0.0.0/8 dev eth0', net.kernel), nextHops: [{ ifindex: 3 }, hop] };
    net.store.add(entry);
    hop.ifindex = 3;
    net.store.replace(entry);
    expect(net.store.entries(INET)[0]!.nextHops.map(({ ifindex }) => ifindex)).toEqual([3, 3]);
    net.store.replace(entry);
    hop.ifindex = 2;
    net.store.replace(entry);
    expect(net.store.entries(INET)[0]!.nextHops.map(({ ifindex }) => ifindex)).toEqual([3, 2]);
  });

  test('and is checked anew when the route of its gateway expires', () => {
    const net = boot();
    net.add('10.0.0.0/16 dev eth0');
    net.add(`11.0.0.0/8 ${way}`);
    const [link] = net.store.entries(INET);
    const table = net.store.tablesOf(INET)[0]!;
    net.store.expire(table, link!, [table.chain(link!.prefix, link!.prefixLen)!]);
    expect(() => net.add(`12.0.0.0/8 ${way}`)).toThrow('ENETUNREACH');
  });

  test('and keeps nothing alive', () => {
    const net = boot();
    for (let i = 0; i < 5000; i++)
      net.store.apply([{ change: 'replace', entry: route(`11.0.0.0/8 dev eth0 tos ${(i & 63) << 2}`, net.kernel) }]);
    for (const entry of net.store.entries(INET)) net.store.remove(entry);
    expect([net.store.entries(INET), net.router.hops.count]).toEqual([[], 0]);
    net.add('11.0.0.0/8 dev eth0 tos 16');
    expect(net.router.hops.count, 'what has gone is made anew').toBe(1);
  });
});

test('whatever is applied, it is what the changes come to one by one; what is refused changes nothing', () => {
  const edit = fc.record({
    change: fc.constantFrom('add', 'replace', 'remove'),
    first: fc.integer({ min: 0, max: 3 }),
    len: fc.integer({ min: 6, max: 8 }),
    metric: fc.integer({ min: 1, max: 2 }),
    device: fc.constantFrom('eth0', 'eth1', 'eth0 dev eth1', 'eth0 tos 16'),
  });
  fc.assert(
    fc.property(fc.array(fc.array(edit, { minLength: 1, maxLength: 5 }), { maxLength: 12 }), fc.boolean(), (groups, many) => {
      const [whole, single] = [boot(), boot()];
      for (const group of groups) {
        const list = group.map(
          ({ change, first, len, metric, device }) => `${change} ${first}.0.0.0/${len} dev ${device} metric ${metric}`,
        );
        // As many as are worth remembering.
        if (many) list.push(...Array.from({ length: 70 }, (_, i) => `replace 77.${i}.0.0/16 dev eth1`));
        const before = state(whole);
        const kept: readonly RouteEntry[] = single.store.entries(INET);
        let fine = true;
        try {
          for (const { change, entry } of edits(single, ...list)) single.store[change](entry);
        } catch {
          fine = false;
          for (const entry of single.store.entries(INET)) single.store.remove(entry);
          for (const entry of kept) single.store.add(entry);
        }
        if (fine) whole.store.apply(edits(whole, ...list));
        else {
          expect(() => whole.store.apply(edits(whole, ...list))).toThrow(/edit \d+ of/);
          expect(state(whole)).toEqual(before);
        }
        expect(whole.store.entries(INET)).toEqual(single.store.entries(INET));
      }
      for (const entry of whole.store.entries(INET)) whole.store.remove(entry);
      expect([whole.store.entries(INET), whole.router.hops.count]).toEqual([[], 0]);
    }),
    { numRuns: 60 },
  );
});
