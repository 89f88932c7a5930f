import type { Dst } from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_EVENT, DEVICE_FLAG, DstUse, ERRNO, isFresh, NetError, ROUTE_TYPE, SOURCE_CHECK } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { bootRouter, flowTo, Holder, route, where } from './testing/fake-router.ts';

describe('lookup', () => {
  test('the longest prefix, the table, the type of service and the metric decide', () => {
    const { add, ask } = bootRouter();
    add('10.0.0.0/8 dev eth0');
    add('10.1.0.0/16 dev eth1');
    add('10.1.2.0/24 via 10.1.0.1 dev eth1 metric 10');
    add('10.1.2.0/24 via 10.0.0.1 dev eth0 metric 20');
    add('10.1.2.0/24 dev eth0 tos 16');
    add('0.0.0.0/0 via 10.0.0.254 dev eth0');
    add('8.8.8.8/32 dev eth1 table 100');
    expect(['10.2.0.1', '10.1.9.9', '10.1.2.3', '8.8.8.8'].map((to) => where(ask(to)))).toEqual([
      'eth0',
      'eth1',
      'eth1 via 10.1.0.1',
      'eth0 via 10.0.0.254',
    ]);
    expect(where(ask('10.1.2.3', { tos: 17 }))).toBe('eth0');
    expect(where(ask('10.1.2.3', { oif: 2 }))).toBe('eth0 via 10.0.0.1');
    expect(where(ask('8.8.8.8', { table: 100 }))).toBe('eth1');
    expect(where(ask('8.8.8.9', { table: 100 }))).toBe(`error ${ERRNO.ENETUNREACH}`);
    expect(where(ask('8.8.8.9', { table: 7 }))).toBe(`error ${ERRNO.ENETUNREACH}`);
  });

  test('IPv6 likewise, with gateways of the link, and IPv4 by an IPv6 gateway (RFC 5549)', () => {
    const { add, ask } = bootRouter();
    add('2001:db8::/32 dev eth0');
    add('2001:db8:1::/48 via fe80::1 dev eth1');
    add('::/0 via 2001:db8::9 dev eth0');
    add('10.0.0.0/8 via fe80::2 dev eth1');
    expect(['2001:db8:1::5', '2001:db8:2::5', '2002::', '10.1.1.1'].map((to) => where(ask(to)))).toEqual([
      'eth1 via fe80::1',
      'eth0',
      'eth0 via 2001:db8::9',
      'eth1 via fe80::2',
    ]);
  });

  test('the types without a way are errors; throw goes on with the next table', () => {
    const { add, ask, kernel } = bootRouter();
    add('0.0.0.0/0 dev eth0');
    add(`10.0.0.0/24 type ${ROUTE_TYPE.UNREACHABLE}`);
    add(`10.0.1.0/24 type ${ROUTE_TYPE.PROHIBIT}`);
    add(`10.0.2.0/24 type ${ROUTE_TYPE.BLACKHOLE}`);
    add(`10.0.3.0/24 type ${ROUTE_TYPE.THROW} table 255`);
    const dsts = [0, 1, 2, 3].map((third) => ask(`10.0.${third}.1`));
    expect(dsts.map(where)).toEqual([ERRNO.EHOSTUNREACH, ERRNO.EACCES, ERRNO.EINVAL].map((errno) => `error ${errno}`).concat('eth0'));
    for (const dst of dsts.slice(0, 3)) dst.output(kernel.packet(1));
    expect(kernel.drops()).toEqual({ 'route.unreachable': 1, 'route.prohibit': 1, 'route.blackhole': 1 });
    expect([where(ask('::1')), kernel.pool.idle]).toEqual([`error ${ERRNO.ENETUNREACH}`, true]);
  });

  test('of this host: out by lo, the source is the address itself, or the preferred one', () => {
    const { add, service, lo, eth0 } = bootRouter();
    add(`10.0.0.1/32 dev eth0 type ${ROUTE_TYPE.LOCAL} table 255`);
    add(`10.0.0.2/32 dev eth0 type ${ROUTE_TYPE.LOCAL} table 255 src 10.0.0.1`);
    for (const oif of [0, lo.ifindex, eth0.ifindex]) {
      const flow = flowTo('10.0.0.1', { oif });
      const dst = service.lookup(flow);
      expect([where(dst), flow.src3 === flow.dst3]).toEqual(['2 lo', true]);
      if (oif === 0) expect(flow.oif).toBe(lo.ifindex);
    }
    expect(service.lookup(flowTo('10.0.0.1', { oif: 3 })).error).toBe(ERRNO.ENETUNREACH);
    const flow = flowTo('10.0.0.2');
    service.lookup(flow);
    expect(flow.src3).toBe((10 << 24) | 1);
    eth0.flags &= ~DEVICE_FLAG.UP;
    expect(where(service.lookup(flow))).toBe('2 lo');
  });

  test('fills in device and source where they were not said', () => {
    const { add, service, inet } = bootRouter();
    add('10.0.0.0/8 dev eth1');
    add('11.0.0.0/8 dev eth1 src 10.5.5.5');
    const flow = flowTo('10.0.0.1');
    service.lookup(flow);
    expect([flow.oif, flow.src3]).toEqual([3, (192 << 24) | 3]);
    const bound = flowTo('10.0.0.1', { src2: 0xffff, src3: 5 });
    service.lookup(bound);
    expect([bound.src3, inet.sources]).toEqual([5, 1]);
    const preferred = flowTo('11.0.0.1');
    service.lookup(preferred);
    expect([preferred.src2, preferred.src3]).toEqual([0xffff, (10 << 24) | (5 << 16) | (5 << 8) | 5]);
  });

  test('groups go by the device that was asked for, or that of the route, never by a gateway', () => {
    const { add, ask } = bootRouter();
    expect(where(ask('255.255.255.255'))).toBe(`error ${ERRNO.ENETUNREACH}`);
    expect(where(ask('255.255.255.255', { oif: 2 }))).toBe('3 eth0');
    expect(where(ask('224.0.0.1', { oif: 3 }))).toBe('5 eth1');
    add('10.0.0.0/8 dev eth0');
    add('0.0.0.0/0 via 10.0.0.1 dev eth0');
    expect(where(ask('239.1.1.1'))).toBe('5 eth0');
    expect(ask('239.1.1.1')).toBe(ask('224.0.0.1'));
  });
});

describe('several ways', () => {
  test('share by weight, each flow stays on its way, and a dead one is taken over', () => {
    const { store, kernel, service, eth1, router } = bootRouter();
    store.add(route('10.0.0.0/8 dev eth0 weight 3 dev eth1 weight 1', kernel));
    const counts = (): Record<string, number> => {
      const all: Record<string, number> = {};
      for (let port = 0; port < 4000; port++) {
        const flow = { dstPort: 80, srcPort: port, protocol: 6 };
        const dst = service.lookup(flowTo('10.1.2.3', flow));
        expect(service.lookup(flowTo('10.1.2.3', { ...flow, src2: 0xffff, src3: 77 }))).toBe(dst);
        all[where(dst)] = (all[where(dst)] ?? 0) + 1;
      }
      return all;
    };
    const { eth0: first, eth1: second } = counts();
    expect(first! / second!).toBeGreaterThan(2.5);
    expect(first! / second!).toBeLessThan(3.5);
    eth1.carrier = false;
    router.deviceChanged(eth1, DEVICE_EVENT.CHANGE);
    expect(counts()).toEqual({ eth0: 4000 });
    const eth0 = kernel.devices[1]!;
    eth0.flags = 0;
    router.deviceChanged(eth0, DEVICE_EVENT.DOWN);
    expect(counts(), 'without carrier, but better than nothing').toEqual({ eth1: 4000 });
    expect(where(service.lookup(flowTo('10.1.2.3', { oif: 2 })))).toBe(`error ${ERRNO.ENETUNREACH}`);
  });
});

describe('input', () => {
  test('finds what is for this host, for others, for groups', () => {
    const { add, service } = bootRouter();
    add(`10.0.0.1/32 dev eth0 type ${ROUTE_TYPE.LOCAL} table 255`);
    add('10.0.0.0/24 dev eth0');
    const from = (to: string, iif: number) => where(service.lookupInput(flowTo(to, { iif })));
    expect(from('10.0.0.1', 3)).toBe('2 lo');
    expect(from('10.0.0.7', 3)).toBe('eth0');
    expect(from('224.0.0.1', 3)).toBe('5 eth1');
    expect(from('255.255.255.255', 2)).toBe('3 eth0');
    expect(from('11.0.0.1', 2)).toBe(`error ${ERRNO.ENETUNREACH}`);
  });

  test('what means something on one link only is looked for there (RFC 4007)', () => {
    const { add, service, lo } = bootRouter();
    add(`fe80::1/128 dev eth0 type ${ROUTE_TYPE.LOCAL} table 255 proto 2`);
    for (const name of ['eth0', 'eth1']) add(`ff00::/8 dev ${name} type ${ROUTE_TYPE.MULTICAST} table 255 proto 2`);
    const from = (to: string, iif: number) => where(service.lookupInput(flowTo(to, { iif })));
    expect([from('fe80::1', 2), from('fe80::1', 3), from('fe80::1', lo.ifindex)]).toEqual(['2 lo', `error ${ERRNO.ENETUNREACH}`, '2 lo']);
    expect([from('ff02::1', 2), from('ff02::1', 3), from('ff02::1', lo.ifindex)]).toEqual(['5 eth0', '5 eth1', '5 eth0']);
  });

  test('sources are checked where it is wanted (RFC 3704)', () => {
    const { add, service } = bootRouter();
    add('10.0.0.0/24 dev eth0');
    add('10.0.1.0/24 dev eth1');
    const from = (last: number, iif: number, check?: number) =>
      where(service.lookupInput(flowTo('10.0.1.7', { iif, src2: 0xffff, src3: (10 << 24) | last }), check));
    const refused = `error ${ERRNO.EXDEV}`;
    const { NONE, STRICT, LOOSE } = SOURCE_CHECK;
    expect([from(5, 2, STRICT), from(5, 3, STRICT), from(5, 3, LOOSE), from(0x020000, 3, LOOSE)]).toEqual([
      'eth1',
      refused,
      'eth1',
      refused,
    ]);
    expect([from(5, 3), from(0x020000, 3, NONE)]).toEqual(['eth1', 'eth1']);
    // A worse route by the device that it came in by does not count.
    add('0.0.0.0/0 dev eth0');
    expect([from(0x000109, 2, STRICT), from(0x000109, 2, LOOSE), from(0x020000, 2, STRICT)]).toEqual([refused, 'eth1', 'eth1']);
  });

  test('a source behind several ways may come in by each of them', () => {
    const { add, service } = bootRouter();
    add('10.0.1.0/24 dev eth1');
    add('11.0.0.0/8 dev eth0 dev eth1');
    const from = (iif: number) =>
      where(service.lookupInput(flowTo('10.0.1.7', { iif, src2: 0xffff, src3: (11 << 24) | 5 }), SOURCE_CHECK.STRICT));
    expect([from(2), from(3), from(4)]).toEqual(['eth1', 'eth1', `error ${ERRNO.EXDEV}`]);
  });
});

describe('dsts', () => {
  test('are shared by all who go one way, and made once (rows R1, R2)', () => {
    const { add, ask, inet, router } = bootRouter();
    add('10.0.0.0/24 dev eth0');
    for (let i = 0; i < 500; i++) add(`11.${i >> 8}.${i & 255}.0/24 via 10.0.0.1 dev eth0`);
    const dsts = new Set<Dst>();
    for (let i = 0; i < 500; i++) for (let j = 0; j < 4; j++) dsts.add(ask(`11.${i >> 8}.${i & 255}.${j}`));
    expect([dsts.size, inet.prepared.length, router.hops.count]).toEqual([1, 1, 2]);
    expect([...dsts][0]).toMatchObject({ headroomBytes: 34, mtuBytes: 1500, error: 0 });
  });

  test('a million flows by one next hop share one, and nothing is kept of any (rows R1, R2)', () => {
    const { add, service, inet, router } = bootRouter();
    add('10.0.0.0/24 dev eth0');
    add('0.0.0.0/0 via 10.0.0.1 dev eth0');
    const flow = flowTo('1.0.0.0');
    const first = service.lookup(flow);
    for (let i = 0; i < 1_000_000; i++) {
      flow.dst3 = (0x01000000 + i) | 0;
      flow.src3 = flow.oif = 0;
      flow.srcPort = i & 0xffff;
      if (service.lookup(flow) !== first) throw new Error(`another dst for flow ${i}`);
    }
    expect([inet.prepared.length, router.hops.count, router.exceptions.count]).toEqual([1, 2, 0]);
  });

  test('a metric makes another, and lowers the MTU', () => {
    const { add, ask } = bootRouter();
    add('10.0.0.0/24 dev eth0');
    add('10.0.1.0/24 dev eth0 mtu 1400');
    add('10.0.2.0/24 dev eth0 mtu 9000');
    expect([0, 1, 2].map((third) => ask(`10.0.${third}.1`).mtuBytes)).toEqual([1500, 1400, 1500]);
  });

  test('are made anew when the MTU changes, the layer goes and comes; the old one is obsolete', () => {
    const { add, ask, eth0, router, layers, inet } = bootRouter();
    add('10.0.0.0/24 dev eth0');
    const first = ask('10.0.0.1');
    eth0.mtuBytes = 900;
    router.deviceChanged(eth0, DEVICE_EVENT.MTU);
    const second = ask('10.0.0.1');
    expect([first.obsolete, second.mtuBytes, second.obsolete]).toEqual([true, 900, false]);
    const before = second.generation.value;
    layers.set();
    const error = ask('10.0.0.1');
    expect([where(error), second.obsolete, second.generation.value]).toEqual([`error ${ERRNO.EAFNOSUPPORT}`, true, before + 1]);
    layers.set(inet as never);
    expect(where(ask('10.0.0.1'))).toBe('eth0');
    expect([ask('10.0.0.1').obsolete, error.obsolete], 'an error is for everybody, and stays').toEqual([false, false]);
  });

  test('are stacked by the encapsulation that the route asks for', () => {
    const { add, ask, tunnels } = bootRouter();
    expect(() => add('10.0.0.0/24 dev eth0 encap mpls')).toThrow("EOPNOTSUPP: no module offers the encapsulation 'mpls'");
    tunnels.set({ name: 'mpls', stack: (child) => Object.assign(Object.create(child) as Dst, { child, mtuBytes: child.mtuBytes - 4 }) });
    add('10.0.0.0/24 dev eth0 encap mpls');
    expect(ask('10.0.0.1')).toMatchObject({ mtuBytes: 1496, child: { mtuBytes: 1500 } });
    tunnels.set({
      name: 'mpls',
      stack: () => {
        throw new NetError('EINVAL', 'a label is a number');
      },
    });
    expect(() => add('10.0.1.0/24 dev eth0 encap mpls')).toThrow('EINVAL: a label is a number');
  });
});

describe('a use', () => {
  function attached() {
    const net = bootRouter();
    const { add, eth0, service } = net;
    eth0.uses = net.uses.constructor as never;
    eth0.uses = new (net.uses.constructor as new (kind: string) => typeof net.uses)('device-use');
    add('10.0.0.0/24 dev eth0');
    const holder = new Holder();
    net.uses.hold(holder as never, { name: 'program' }, 'test');
    const use = new DstUse();
    const dst = service.attach(use, flowTo('10.0.0.1'), holder, 'test.connect');
    return { ...net, holder, use, dst, deviceUses: eth0.uses as typeof net.uses };
  }

  test('holds the layer and the device; detached, neither', () => {
    const { inet, deviceUses, service, use, dst } = attached();
    expect([use.dst, isFresh(use), use.holdPlace]).toEqual([dst, true, 'test.connect']);
    expect([inet.uses.count, deviceUses.count]).toEqual([1, 1]);
    service.detach(use);
    service.detach(use);
    expect([inet.uses.count, deviceUses.count, use.dst]).toEqual([0, 0, null]);
  });

  test('that is stale is looked up again; the same answer costs no new hold', () => {
    const { inet, deviceUses, service, use, dst, holder } = attached();
    service.changed();
    expect(isFresh(use)).toBe(false);
    expect(service.validate(use, flowTo('10.0.0.1'))).toBe(dst);
    expect([isFresh(use), inet.uses.count, deviceUses.count, use.holdHolder]).toEqual([true, 1, 1, holder]);
  });

  test('moves with the route, to an error and back', () => {
    const { store, kernel, inet, deviceUses, service, uses, use, add } = attached();
    store.remove(route('10.0.0.0/24 dev eth0', kernel));
    expect(service.validate(use, flowTo('10.0.0.1')).error).toBe(ERRNO.ENETUNREACH);
    expect([inet.uses.count, deviceUses.count, uses.count, isFresh(use)]).toEqual([0, 0, 2, true]);
    add('10.0.0.0/24 dev eth1');
    expect(where(service.validate(use, flowTo('10.0.0.1')))).toBe('eth1');
    expect([inet.uses.count, deviceUses.count, uses.count, use.holdPlace]).toEqual([1, 0, 1, 'test.connect']);
  });

  test('is refused where the layer or the driver leaves: nobody new', () => {
    const { inet, deviceUses, service, use, uses } = attached();
    for (const list of [inet.uses, deviceUses]) {
      service.detach(use);
      list.refuses = true;
      const holder = [...uses].find((each) => (each as unknown) instanceof Holder)!;
      expect(service.attach(use, flowTo('10.0.0.1'), holder, 'test.connect').error).toBe(ERRNO.ENETUNREACH);
      expect([inet.uses.count, deviceUses.count]).toEqual([0, 0]);
      list.refuses = false;
    }
  });

  test('of a stack holds all of it', () => {
    const { inet, service, use, holder, policy, uses } = attached();
    service.detach(use);
    const stacked = new (uses.constructor as new (kind: string) => typeof uses)('bundle');
    policy.provide({ stack: (child) => Object.assign(Object.create(child) as Dst, { child, uses: stacked }), admit: () => true });
    service.attach(use, flowTo('10.0.0.1'), holder, 'test.connect');
    expect([stacked.count, inet.uses.count, use.holdKind]).toEqual([1, 1, stacked]);
    stacked.release(use);
    expect(inet.uses.count).toBe(0);
  });
});

test('everybody asks again when the module has stopped', () => {
  const { add, ask, router } = bootRouter();
  add('10.0.0.0/24 dev eth0');
  const all = [ask('10.0.0.1'), ask('11.0.0.1')];
  const before = all[0]!.generation.value;
  router.close();
  expect(all.map(({ obsolete }) => obsolete)).toEqual([true, true]);
  expect(all[0]!.generation.value).not.toBe(before);
  expect(ADDRESS_FAMILY.INET).toBe(2);
});
