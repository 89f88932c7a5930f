import type { Neighbour } from '@softnet/contract';
import { ADDRESS_FAMILY, Devices, DeviceTraffic, DstUse, ERRNO, isFresh, NEIGHBOUR_STATE } from '@softnet/contract';
import { RouteModule } from '@softnet/route';
import { describe, expect, test } from 'vitest';
import { bootRoute, CLEAN, flowTo, sendTo } from './route-host.ts';

const { INET } = ADDRESS_FAMILY;
const TO = (10 << 24) | (1 << 16) | 7;

const states = (entries: readonly Neighbour[]) =>
  entries
    .map(({ address3, state }) => `${address3 & 255} ${Object.entries(NEIGHBOUR_STATE).find(([, number]) => number === state)![0]}`)
    .sort();

test('a packet finds its route, asks for its neighbour, and leaves; nothing is left behind', async () => {
  const { add, route, kernel, net, world, neighbours, end } = await bootRoute();
  add('10.1.0.0/16 dev eth0');
  add('10.2.0.0/16 via 10.1.0.9 dev eth0');
  for (const to of [TO, (10 << 24) | (2 << 16) | 5]) sendTo(kernel, route().lookup(flowTo(to)), to);
  expect(net.sent).toEqual([]);
  await world.advance(1000);
  expect(net.sent.map(({ to }) => to)).toEqual([7, 9]);
  expect([states(neighbours().entries(INET)), net.asked]).toEqual([['7 REACHABLE', '9 REACHABLE'], 2]);
  net.answers = false;
  sendTo(kernel, route().lookup(flowTo(TO + 1)), TO + 1);
  await world.advance(5_000_000);
  expect([net.failed, states(neighbours().entries(INET))]).toEqual([1, ['7 REACHABLE', '8 FAILED', '9 REACHABLE']]);
  expect(await end()).toEqual(CLEAN);
});

describe('a device', () => {
  test('that goes down takes its neighbours; its routes wait, and others serve meanwhile', async () => {
    const { add, route, kernel, net, world, neighbours, drops, end } = await bootRoute();
    const devices = kernel.port(Devices).current;
    add('10.1.0.0/16 dev eth0');
    add('10.0.0.0/8 dev eth1');
    net.answers = false;
    sendTo(kernel, route().lookup(flowTo(TO)), TO);
    devices.close(net.device.get('eth0')!);
    expect([neighbours().entries(INET), drops()]).toEqual([[], { 'neighbour.gone': 1 }]);
    net.answers = true;
    sendTo(kernel, route().lookup(flowTo(TO)), TO);
    await world.advance(1000);
    devices.open(net.device.get('eth0')!);
    sendTo(kernel, route().lookup(flowTo(TO)), TO);
    await world.advance(1000);
    expect(net.sent.map(({ device }) => device)).toEqual(['eth1', 'eth0']);
    expect(await end()).toEqual(CLEAN);
  });

  test('that loses its carrier is avoided where there is another way, and makes cached dsts stale', async () => {
    const { routes, route, kernel, net, program, world, end } = await bootRoute();
    const ifindexes = [...net.device.values()].map(({ ifindex }) => ({ ifindex }));
    routes().add({ family: INET, prefix: [0, 0, 0xffff, 10 << 24], prefixLen: 8, type: 1, source: 4, nextHops: ifindexes });
    const use = new DstUse();
    const holder = program('program');
    const { device } = route().attach(use, flowTo(TO), holder, 'test');
    kernel.port(DeviceTraffic).current.setCarrier(device!, false);
    await world.advance(1000);
    expect(isFresh(use)).toBe(false);
    const other = route().validate(use, flowTo(TO)).device;
    expect([other === device, other?.carrier]).toEqual([false, true]);
    net.programs!.release(holder);
    expect(await end()).toEqual(CLEAN);
  });

  test('is waited for by its driver while a cached dst goes by it; gone, it takes its routes along', async () => {
    const { add, route, kernel, net, program, run, world, counter, end } = await bootRoute();
    add('10.1.0.0/16 dev eth0');
    add('10.0.0.0/8 dev eth1');
    const holder = program('program');
    const use = new DstUse();
    route().attach(use, flowTo(TO), holder, 'test.connect');
    const unload = kernel.unload('test-nic');
    await world.advance(1000);
    expect(kernel.holders('test-nic').map(({ kind, owner, place }) => `${kind} of ${owner} at ${place}`)).toEqual([
      'device-use of program at test.connect',
    ]);
    const late = program('late');
    expect(route().attach(new DstUse(), flowTo(TO), late, 'test').error).toBe(ERRNO.ENETUNREACH);
    sendTo(kernel, route().validate(use, flowTo(TO)), TO);
    await world.advance(1000);
    expect(net.sent).toHaveLength(1);
    for (const each of [holder, late]) net.programs!.release(each);
    expect((await run(unload)).leaks).toEqual([]);
    expect([route().entries(INET), counter('routes-lost'), route().lookup(flowTo(TO)).error]).toEqual([[], 2, ERRNO.ENETUNREACH]);
    expect(await end()).toEqual(CLEAN);
  });
});

describe('a layer', () => {
  test('that leaves serves those inside, and takes nobody new; gone, nothing of it is kept', async () => {
    const { add, route, kernel, net, program, run, world, neighbours, end } = await bootRoute();
    add('10.1.0.0/16 dev eth0');
    const holder = program('program');
    const use = new DstUse();
    const dst = route().attach(use, flowTo(TO), holder, 'test.connect');
    sendTo(kernel, dst, TO);
    await world.advance(1000);
    const unload = kernel.unload('test-layer');
    await world.advance(1000);
    route().changed();
    expect(route().validate(use, flowTo(TO))).toBe(dst);
    sendTo(kernel, dst, TO);
    expect(net.sent).toHaveLength(2);
    net.programs!.release(holder);
    expect((await run(unload)).outcome).toBe('gone');
    await world.advance(1);
    expect([dst.obsolete, neighbours().entries(INET)]).toEqual([true, []]);
    expect(route().lookup(flowTo(TO)).error).toBe(ERRNO.EAFNOSUPPORT);
    expect(await end()).toEqual(CLEAN);
  });
});

describe('replaced by hand-over', () => {
  test('routes, neighbours and cached dsts go on, and so does what waits', async () => {
    const { add, route, routes, table, kernel, net, program, run, world, neighbours, drops, end } = await bootRoute();
    add('10.1.0.0/16 dev eth0');
    add('10.2.0.0/16 via 10.1.0.9 dev eth0');
    const device = net.device.get('eth0')!;
    table().set(device, INET, [0, 0, 0xffff, (10 << 24) | (1 << 16) | 9], Uint8Array.of(2, 0, 0, 0, 0, 99));
    const holder = program('program');
    const use = new DstUse();
    const old = route().attach(use, flowTo(TO), holder, 'test.connect');
    sendTo(kernel, old, TO);
    await world.advance(1000);
    net.answers = false;
    sendTo(kernel, old, TO + 1);
    table().addProxy(device, INET, [0, 0, 0xffff, TO + 2]);
    table().addProxy(null, INET, [0, 0, 0xffff, TO + 3]);
    const before = routes() && route().entries(INET);
    const report = await run(kernel.replace('route', RouteModule));
    expect([report.mode, report.adopted]).toEqual(['handover', { neighbour: 3, proxy: 2 }]);
    expect((await run(report.drained)).leaks).toEqual([]);
    expect(route().entries(INET)).toEqual(before);
    expect(states(neighbours().entries(INET))).toEqual(['7 REACHABLE', '8 INCOMPLETE', '9 PERMANENT']);
    expect(
      neighbours()
        .entries(INET)
        .map(({ gatewayOf }) => gatewayOf)
        .sort(),
    ).toEqual([0, 0, 1]);
    expect([TO + 2, TO + 3, TO + 4].map((last) => neighbours().isProxied(device, INET, 0, 0, 0xffff, last))).toEqual([true, true, false]);
    expect([isFresh(use), old.obsolete, drops(), net.asked]).toEqual([false, true, {}, 2]);
    net.answers = true;
    const dst = route().validate(use, flowTo(TO));
    expect([dst === old, isFresh(use), net.uses!.count]).toEqual([false, true, 1]);
    for (const to of [TO, TO + 1]) sendTo(kernel, dst, to);
    sendTo(kernel, route().lookup(flowTo((10 << 24) | (2 << 16))), 5);
    // He is asked again when it is time, and not before.
    await world.advance(998_000);
    expect(net.asked).toBe(2);
    await world.advance(3000);
    expect(net.sent.map(({ to }) => to)).toEqual([7, 7, 99, 8, 8]);
    net.programs!.release(holder);
    expect(await end()).toEqual(CLEAN);
  });
});

test('limits are settings, and take effect at once', async () => {
  const { add, route, kernel, net, neighbours, drops, end } = await bootRoute();
  add('10.1.0.0/16 dev eth0');
  kernel.sysctl.set('net.ipv4.neigh.default.gc_thresh3', 5);
  kernel.sysctl.set('net.ipv4.neigh.eth0.unres_qlen', 2);
  net.answers = false;
  for (let i = 0; i < 10; i++) sendTo(kernel, route().lookup(flowTo(TO + i)), TO + i);
  for (let i = 0; i < 3; i++) sendTo(kernel, route().lookup(flowTo(TO)), TO);
  expect([neighbours().entries(INET).length, drops()]).toEqual([5, { 'neighbour.table-full': 6, 'neighbour.queue-full': 1 }]);
  kernel.sysctl.set('net.ipv4.neigh.default.gc_thresh3', 100_000);
  for (let i = 0; i < 2000; i++) sendTo(kernel, route().lookup(flowTo(TO + i)), TO + i);
  expect(neighbours().entries(INET).length).toBe(2000);
  kernel.sysctl.set('net.route.max_exceptions', 1);
  for (let i = 0; i < 3; i++) route().learnMtu(flowTo(TO + i), 1000);
  expect([0, 1, 2].map((i) => route().lookup(flowTo(TO + i)).mtuBytes)).toEqual([1500, 1500, 1000]);
  expect(await end()).toEqual(CLEAN);
});
