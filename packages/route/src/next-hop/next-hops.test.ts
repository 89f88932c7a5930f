import type { Dst, NextHopMember, NextHopObject } from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_EVENT, DstUse, ERRNO, isFresh } from '@softnet/contract';
import { parseAddress } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import { bootRouter, flowTo, Holder, route, where } from '../testing/fake-router.ts';

const { INET, INET6 } = ADDRESS_FAMILY;

/** `1 via 10.0.0.1 dev 2`. */
function single(id: number, ifindex: number, gateway?: string, family: number = INET): NextHopObject {
  const address = gateway === undefined ? undefined : parseAddress(gateway)!;
  return { id, family, source: 4, hop: { ifindex, ...(address && { gateway: { family: address.family, address: address.words } }) } };
}

function group(id: number, ...members: (number | NextHopMember)[]): NextHopObject {
  return { id, family: 0, source: 4, group: members.map((each) => (typeof each === 'number' ? { id: each } : each)) };
}

/** Networks of eth0 and eth1, two gateways on each: 1 to 4. */
function boot() {
  const net = bootRouter();
  net.add('10.0.0.0/24 dev eth0');
  net.add('10.0.1.0/24 dev eth1');
  const { nextHops } = net.router;
  nextHops.add(single(1, 2, '10.0.0.1'));
  nextHops.add(single(2, 2, '10.0.0.2'));
  nextHops.add(single(3, 3, '10.0.1.1'));
  nextHops.add(single(4, 3, '10.0.1.2'));
  const to = (text: string): string => where(net.ask(text));
  /** Which way each of many flows takes. */
  const flows = (count = 400): string[] => Array.from({ length: count }, (_, srcPort) => where(net.ask('20.0.0.1', { srcPort })));
  return { ...net, nextHops, to, flows };
}

describe('a next-hop object', () => {
  test('is the way of all routes that use it, and changes them at once', () => {
    const { add, to, nextHops, router } = boot();
    for (let i = 0; i < 100; i++) add(`20.0.${i}.0/24 nextHopId 1`);
    const before = router.generation.value;
    expect([to('20.0.0.1'), to('20.0.99.1')]).toEqual(['eth0 via 10.0.0.1', 'eth0 via 10.0.0.1']);
    nextHops.replace(single(1, 3, '10.0.1.9'));
    expect([to('20.0.0.1'), to('20.0.99.1')]).toEqual(['eth1 via 10.0.1.9', 'eth1 via 10.0.1.9']);
    expect(router.generation.value).not.toBe(before);
    nextHops.replace({ id: 1, family: INET, source: 4, blackhole: true });
    expect(to('20.0.0.1')).toBe(`error ${ERRNO.EINVAL}`);
    nextHops.replace(single(1, 2));
    expect([to('20.0.0.1'), router.hops.count]).toEqual(['eth0', 2]);
  });

  test('goes with its routes, and nothing is left', () => {
    const { add, to, nextHops, store, service, router } = boot();
    add('20.0.0.0/24 nextHopId 1');
    add('20.0.0.0/24 nextHopId 2 metric 5');
    expect(store.entries(INET).map(({ nextHopId, nextHops: ways }) => [nextHopId, ways.length])).toEqual([
      ...[
        [undefined, 1],
        [undefined, 1],
      ],
      ...[
        [1, 0],
        [2, 0],
      ],
    ]);
    nextHops.remove(1);
    expect([to('20.0.0.1'), store.entries(INET).length, service.nextHops().map(({ id }) => id)]).toEqual([
      'eth0 via 10.0.0.2',
      3,
      [2, 3, 4],
    ]);
    nextHops.remove(2);
    expect([to('20.0.0.1'), router.hops.count]).toEqual([`error ${ERRNO.ENETUNREACH}`, 2]);
    expect(() => nextHops.remove(2)).toThrow('ENOENT: there is no next hop 2');
  });

  test('of a number that another one had before has nothing of it', () => {
    const { add, to, nextHops } = boot();
    add('20.0.0.0/24 nextHopId 1');
    nextHops.remove(1);
    nextHops.add(single(1, 3, '10.0.1.1'));
    add('20.0.0.0/24 nextHopId 1');
    expect(to('20.0.0.1')).toBe('eth1 via 10.0.1.1');
  });

  test('of IPv6 serves IPv4 routes (RFC 5549), not the other way round', () => {
    const { add, to, nextHops } = boot();
    nextHops.add(single(7, 3, 'fe80::7', INET6));
    add('20.0.0.0/24 nextHopId 7');
    add('2001:db8::/32 nextHopId 7');
    expect([to('20.0.0.1'), to('2001:db8::1')]).toEqual(['eth1 via fe80::7', 'eth1 via fe80::7']);
    expect(() => add('2001:db8:1::/48 nextHopId 1')).toThrow('EINVAL: next hop 1 cannot be so: IPv6 routes go by IPv6 next hops');
    expect(() => nextHops.replace(single(7, 2, '10.0.0.1'))).toThrow('IPv6 routes use it');
    nextHops.add(single(8, 3, 'fe80::8', INET6));
    nextHops.add(group(9, 8));
    add('2001:db9::/32 nextHopId 9');
    expect(() => nextHops.replace(single(8, 2, '10.0.0.1'))).toThrow('IPv6 routes use it');
  });

  test('keeps what its routes say: metrics, the preferred source', () => {
    const { add, ask, service } = boot();
    add('20.0.0.0/24 nextHopId 1 mtu 1300 src 10.0.0.9');
    add('20.0.1.0/24 nextHopId 1');
    const flow = flowTo('20.0.0.1');
    service.lookup(flow);
    expect([ask('20.0.0.1').mtuBytes, ask('20.0.1.1').mtuBytes, flow.src3]).toEqual([1300, 1500, (10 << 24) | 9]);
  });

  test('stacks what it asks for, in a group as well', () => {
    const { add, ask, nextHops, tunnels } = boot();
    const encap = { name: 'mpls', config: 100 };
    const labelled = { ...single(9, 2, '10.0.0.9'), hop: { ...single(9, 2, '10.0.0.9').hop!, encap } };
    expect(() => nextHops.add(labelled)).toThrow('EOPNOTSUPP');
    const stack = (child: Dst): Dst => Object.assign(Object.create(child) as Dst, { child, mtuBytes: child.mtuBytes - 4, uses: null });
    tunnels.set({ name: 'mpls', stack });
    nextHops.add(labelled);
    nextHops.add(group(10, 9));
    add('20.0.0.0/24 nextHopId 9');
    add('20.0.1.0/24 nextHopId 10');
    for (const text of ['20.0.0.1', '20.0.1.1']) expect(ask(text)).toMatchObject({ mtuBytes: 1496, child: { gateway3: (10 << 24) | 9 } });
    expect(ask('20.0.0.1')).toBe(ask('20.0.1.1'));
  });

  test('goes with its device, and with it all that uses it', () => {
    const { add, flows, nextHops, router, eth0, eth1, kernel, store, service } = boot();
    nextHops.add(group(10, 1, 3));
    nextHops.add(group(11, 3, 4));
    add('20.0.0.0/16 nextHopId 10');
    add('21.0.0.0/16 nextHopId 11');
    kernel.devices.splice(2, 1);
    router.deviceChanged(eth1, DEVICE_EVENT.UNREGISTER);
    expect(new Set(flows())).toEqual(new Set(['eth0 via 10.0.0.1']));
    expect([service.nextHops().map(({ id }) => id), store.entries(INET).length]).toEqual([[1, 2, 10], 2]);
    expect(eth0.name).toBe('eth0');
  });
});

describe('a group', () => {
  test('shares by weight; a member that goes moves its own flows only, and the last takes the group along', () => {
    const { add, flows, nextHops, service } = boot();
    nextHops.add(group(10, 1, { id: 2, weight: 2 }, 3));
    add('20.0.0.0/16 nextHopId 10');
    const before = flows();
    const second = before.filter((way) => way.endsWith('.0.2')).length;
    expect(second).toBeGreaterThan(150);
    expect(second).toBeLessThan(250);
    nextHops.remove(1);
    const after = flows();
    for (const [index, way] of before.entries()) if (!way.endsWith('0.0.1')) expect(after[index]).toBe(way);
    expect(service.nextHops().at(-1)).toMatchObject({
      id: 10,
      group: [
        { id: 2, weight: 2 },
        { id: 3, weight: 1 },
      ],
    });
    nextHops.remove(2);
    nextHops.remove(3);
    expect([service.nextHops().map(({ id }) => id), flows(1)]).toEqual([[4], [`error ${ERRNO.ENETUNREACH}`]]);
  });

  test('a member that is given another gateway keeps its flows, and the others theirs', () => {
    const { add, flows, nextHops } = boot();
    nextHops.add(group(10, 1, 2, 3));
    add('20.0.0.0/16 nextHopId 10');
    const before = flows();
    nextHops.replace(single(2, 3, '10.0.1.77'));
    expect(flows()).toEqual(before.map((way) => (way === 'eth0 via 10.0.0.2' ? 'eth1 via 10.0.1.77' : way)));
  });

  test('a plain route of several ways is as stable when it is replaced', () => {
    const { store, kernel, flows } = boot();
    store.add(route('20.0.0.0/16 via 10.0.0.1 dev eth0 via 10.0.0.2 dev eth0 via 10.0.1.1 dev eth1', kernel));
    const before = flows();
    store.replace(route('20.0.0.0/16 via 10.0.1.1 dev eth1 via 10.0.0.1 dev eth0', kernel));
    const after = flows();
    for (const [index, way] of before.entries()) if (!way.endsWith('0.0.2')) expect(after[index]).toBe(way);
    expect(before.filter((way) => way.endsWith('0.0.2')).length).toBeGreaterThan(80);
  });

  test('that is resilient moves flows only when their buckets are idle; a dead member’s go elsewhere meanwhile', () => {
    const { add, flows, nextHops, router, kernel, eth1 } = boot();
    nextHops.add({ ...group(10, 1, 2), resilient: { buckets: 32, idleMs: 1000, unbalancedMs: 0 } });
    add('20.0.0.0/16 nextHopId 10');
    const before = flows();
    nextHops.replace({ ...group(10, 1, 2, 3), resilient: { buckets: 32, idleMs: 1000 } });
    expect(flows()).toEqual(before);
    const { value } = router.generation;
    kernel.advance(1000);
    expect(router.generation.value, 'who has cached a dst asks again').not.toBe(value);
    const after = flows();
    const third = after.filter((way) => way === 'eth1 via 10.0.1.1').length;
    expect(third).toBeGreaterThan(80);
    expect(third).toBeLessThan(190);
    for (const [index, way] of after.entries()) if (way.startsWith('eth0')) expect(before[index]).toBe(way);
    eth1.flags = 0;
    router.deviceChanged(eth1, DEVICE_EVENT.DOWN);
    for (const [index, way] of flows().entries()) if (after[index]!.startsWith('eth0')) expect(way).toBe(after[index]);
    nextHops.remove(10);
    expect(kernel.timers.filter(({ armed }) => armed)).toEqual([]);
  });

  test('who has cached a dst of a member notices each change', () => {
    const { add, nextHops, service, uses } = boot();
    nextHops.add(group(10, 1));
    add('20.0.0.0/16 nextHopId 10');
    const holder = new Holder();
    uses.hold(holder as never, { name: 'program' }, 'test');
    const use = new DstUse();
    const asked = () => [isFresh(use), where(service.validate(use, flowTo('20.0.0.1')))];
    service.attach(use, flowTo('20.0.0.1'), holder, 'test');
    nextHops.replace(group(10, 3));
    expect(asked()).toEqual([false, 'eth1 via 10.0.1.1']);
    nextHops.replace(single(3, 3, '10.0.1.5'));
    expect(asked()).toEqual([false, 'eth1 via 10.0.1.5']);
    service.learnMtu(flowTo('20.0.0.1'), 1000);
    expect([...asked(), use.dst!.mtuBytes]).toEqual([false, 'eth1 via 10.0.1.5', 1000]);
    nextHops.remove(3);
    expect(asked()).toEqual([false, `error ${ERRNO.ENETUNREACH}`]);
  });
});

test('mistakes are said', () => {
  const { nextHops, add } = boot();
  nextHops.add(group(10, 1, 2));
  nextHops.add({ id: 20, family: INET, source: 4, blackhole: true });
  add('20.0.0.0/24 nextHopId 10');
  const mistakes: [NextHopObject, string][] = [
    [single(1, 2), 'EEXIST: there is a next hop 1 already: replace changes it'],
    [single(0, 2), 'EINVAL: next hop 0 cannot be so: numbers go from 1'],
    [{ ...single(30, 2), blackhole: true }, 'EINVAL: next hop 30 cannot be so: it is one way, a blackhole, or a group'],
    [{ id: 30, family: INET, source: 4 }, 'it is one way, a blackhole, or a group'],
    [{ ...single(30, 2), resilient: {} }, 'only groups are resilient'],
    [single(30, 2, undefined, 7), 'EAFNOSUPPORT: next hop 30 is of family 7'],
    [single(30, 9), 'ENODEV: there is no device with the index 9'],
    [single(30, 2, '99.0.0.1'), 'ENETUNREACH: the gateway 99.0.0.1 is not on the link of eth0'],
    [group(30), 'a group has members'],
    [group(30, 1, 1), 'a member stands there twice'],
    [group(30, 1, 77), 'ENOENT: there is no next hop 77 for group 30'],
    [group(30, 10), '10 is a group: groups have no groups'],
    [group(30, 20, 1), '20 is a blackhole: it stands alone'],
    [group(30, { id: 1, weight: 257 }), 'a member weighs 1 to 256, not 257'],
    [{ ...group(30, 1), family: INET }, 'a group has no family'],
    [{ ...group(30, 1), resilient: { buckets: 65_536 } }, 'a resilient group has 1 to 65535 buckets'],
    [{ ...group(30, 1), resilient: { idleMs: -1 } }, 'timers run 0 to'],
  ];
  for (const [object, text] of mistakes) expect(() => nextHops.add(object)).toThrow(text);
  expect(() => nextHops.replace(single(10, 2))).toThrow('a group stays a group');
  expect(() => nextHops.replace({ ...group(10, 1), resilient: {} })).toThrow('a group stays resilient, or not');
  expect(() => nextHops.replace({ id: 1, family: INET, source: 4, blackhole: true })).toThrow('it is one of several in a group');
  expect(() => add('21.0.0.0/24 nextHopId 5')).toThrow('EINVAL: there is no next hop 5 for the route to use');
  expect(() => add('21.0.0.0/24 dev eth0 nextHopId 1')).toThrow('its next hops are those of a next-hop object');
});
