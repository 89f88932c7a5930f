import { ADDRESS_FAMILY, DEVICE_EVENT, ERRNO } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { bootRouter, flowTo, route, where } from './testing/fake-router.ts';

describe('a path MTU', () => {
  test('makes a dst of its own for one destination; who had cached the shared one asks again', () => {
    const { add, ask, service } = bootRouter();
    add('10.0.0.0/24 dev eth0');
    const shared = ask('10.0.0.1');
    service.learnMtu(flowTo('10.0.0.1'), 1000);
    expect(shared.obsolete).toBe(true);
    const own = ask('10.0.0.1');
    expect([own.mtuBytes, ask('10.0.0.2').mtuBytes, ask('10.0.0.1')]).toEqual([1000, 1500, own]);
    expect(where(own)).toBe('eth0');
  });

  test('only falls, and never below what every link carries', () => {
    const { add, ask, service } = bootRouter();
    add('10.0.0.0/24 dev eth0');
    add('fd00::/8 dev eth0');
    const learn = (to: string, mtu: number) => {
      service.learnMtu(flowTo(to), mtu);
      return ask(to).mtuBytes;
    };
    expect([learn('10.0.0.1', 1500), learn('10.0.0.1', 9000)]).toEqual([1500, 1500]);
    const before = ask('10.0.0.1');
    expect(before.obsolete).toBe(false);
    expect([learn('10.0.0.1', 1000), learn('10.0.0.1', 1200), learn('10.0.0.1', 900), learn('10.0.0.1', 5)]).toEqual([1000, 1000, 900, 68]);
    expect([learn('fd00::1', 1300), learn('fd00::1', 100)]).toEqual([1300, 1280]);
    expect([learn('99.9.9.9', 100), learn('::1', 100)]).toEqual([0, 0]);
  });

  test('is forgotten after ten minutes, also by who has cached it', () => {
    const { add, ask, service, kernel, router } = bootRouter();
    add('10.0.0.0/24 dev eth0');
    service.learnMtu(flowTo('10.0.0.1'), 1000);
    const own = ask('10.0.0.1');
    kernel.advance(300_000);
    service.learnMtu(flowTo('10.0.0.1'), 1000);
    const again = ask('10.0.0.1');
    kernel.advance(599_999);
    expect([own.obsolete, again.obsolete]).toEqual([true, false]);
    kernel.advance(1);
    expect([again.obsolete, ask('10.0.0.1').mtuBytes, router.exceptions.count]).toEqual([true, 1500, 0]);
    expect(kernel.timers.filter(({ armed }) => armed)).toEqual([]);
  });

  test('goes on every way of a route with several', () => {
    const { add, ask, service } = bootRouter();
    add('10.0.0.0/8 dev eth0 dev eth1');
    service.learnMtu(flowTo('10.1.1.1'), 1000);
    const mtus = new Set(Array.from({ length: 50 }, (_, srcPort) => ask('10.1.1.1', { srcPort }).mtuBytes));
    expect([...mtus]).toEqual([1000]);
  });

  test('counts too when the device’s has changed', () => {
    const { add, ask, service, eth0, router } = bootRouter();
    add('10.0.0.0/24 dev eth0');
    service.learnMtu(flowTo('10.0.0.1'), 1000);
    const own = ask('10.0.0.1');
    eth0.mtuBytes = 800;
    router.deviceChanged(eth0, DEVICE_EVENT.MTU);
    expect([own.obsolete, ask('10.0.0.1').mtuBytes]).toEqual([true, 800]);
  });
});

describe('a redirect', () => {
  test('changes the gateway of one destination', () => {
    const { add, ask, service } = bootRouter();
    add('10.0.0.0/24 dev eth0');
    add('0.0.0.0/0 via 10.0.0.1 dev eth0');
    service.learnGateway(flowTo('8.8.8.8', { oif: 2 }), 0, 0, 0xffff, (10 << 24) | 2);
    expect([where(ask('8.8.8.8')), where(ask('8.8.4.4'))]).toEqual(['eth0 via 10.0.0.2', 'eth0 via 10.0.0.1']);
    service.learnMtu(flowTo('8.8.8.8'), 1000);
    expect([where(ask('8.8.8.8')), ask('8.8.8.8').mtuBytes]).toEqual(['eth0 via 10.0.0.2', 1000]);
  });

  test('does nothing to who is on the link, for what is known, or where there is no route', () => {
    const { add, ask, service, router } = bootRouter();
    add('10.0.0.0/24 dev eth0');
    add('11.0.0.0/24 via 10.0.0.1 dev eth0');
    service.learnGateway(flowTo('10.0.0.7'), 0, 0, 0xffff, (10 << 24) | 2);
    service.learnGateway(flowTo('11.0.0.7'), 0, 0, 0xffff, (10 << 24) | 1);
    service.learnGateway(flowTo('12.0.0.7'), 0, 0, 0xffff, (10 << 24) | 1);
    expect([router.exceptions.count, where(ask('10.0.0.7'))]).toEqual([0, 'eth0']);
  });
});

test('a locked path MTU is the dst’s; a later one that is not unlocks it', () => {
  const { add, ask, service } = bootRouter();
  add('10.0.0.0/24 dev eth0');
  const learn = (mtu: number, locked?: boolean) => {
    service.learnMtu(flowTo('10.0.0.1'), mtu, locked);
    const { mtuBytes, mtuLocked } = ask('10.0.0.1');
    return [mtuBytes, mtuLocked];
  };
  expect([learn(1000), learn(552, true), learn(600), learn(500)]).toEqual([
    [1000, false],
    [552, true],
    [552, true],
    [500, false],
  ]);
  expect(ask('10.0.0.2').mtuLocked).toBe(false);
});

test('are listed, the oldest first', () => {
  const { add, service, kernel } = bootRouter();
  add('10.0.0.0/24 dev eth0');
  add('0.0.0.0/0 via 10.0.0.1 dev eth0');
  add('fd00::/8 dev eth1');
  service.learnMtu(flowTo('10.0.0.5'), 1000, true);
  kernel.advance(5000);
  service.learnGateway(flowTo('8.8.8.8'), 0, 0, 0xffff, (10 << 24) | 2);
  service.learnMtu(flowTo('fd00::1'), 1400);
  const four = (last: number) => [0, 0, 0xffff, last];
  const common = { family: ADDRESS_FAMILY.INET, ifindex: 2 };
  expect(service.exceptions(ADDRESS_FAMILY.INET)).toEqual([
    { ...common, destination: four((10 << 24) | 5), mtuBytes: 1000, mtuLocked: true, gateway: null, expiresMs: 601_000 },
    {
      ...{ ...common, destination: four(0x08080808), mtuBytes: 0, mtuLocked: false, expiresMs: 606_000 },
      gateway: { family: ADDRESS_FAMILY.INET, address: four((10 << 24) | 2) },
    },
  ]);
  expect(service.exceptions(ADDRESS_FAMILY.INET6)).toMatchObject([{ ifindex: 3, mtuBytes: 1400 }]);
});

test('one next hop may not have them all: its own oldest goes', () => {
  const { add, service, router, store, kernel } = bootRouter({ limit: 100, limitOfHop: 10 });
  add('10.0.0.0/8 dev eth0');
  add('11.0.0.0/8 dev eth1');
  service.learnMtu(flowTo('11.0.0.1'), 1000);
  for (let i = 1; i <= 50; i++) service.learnMtu(flowTo(`10.0.0.${i}`), 1000);
  const { INET } = ADDRESS_FAMILY;
  const last = service.exceptions(INET).map(({ destination }) => destination[3] & 255);
  expect(last).toEqual([1, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50]);
  for (let i = 45; i <= 50; i++) service.learnMtu(flowTo(`10.0.0.${i}`), 900);
  service.learnMtu(flowTo('10.0.0.99'), 1000);
  expect(service.exceptions(INET).map(({ destination }) => destination[3] & 255)).toEqual([1, 42, 43, 44, 45, 46, 47, 48, 49, 50, 99]);
  expect(router.exceptions.count).toBe(11);
  service.learnMtu(flowTo('10.0.0.45'), 800);
  for (let i = 101; i <= 108; i++) service.learnMtu(flowTo(`10.0.0.${i}`), 1000);
  expect(service.exceptions(INET).map(({ destination }) => destination[3] & 255)).toEqual([
    1, 99, 45, 101, 102, 103, 104, 105, 106, 107, 108,
  ]);
  store.remove(route('10.0.0.0/8 dev eth0', kernel));
  expect(router.exceptions.count).toBe(1);
});

test.each([
  ['of its next hop', { limit: 1000, limitOfHop: 100 }],
  ['of all', { limit: 100, limitOfHop: 1000 }],
])('who is asked for stays, whatever comes after, where those %s are too many; few are looked at for each', (_, limits) => {
  const { add, ask, service, router, exceptionsVisited } = bootRouter(limits);
  add('10.0.0.0/8 dev eth0');
  const users = Array.from({ length: 40 }, (_, i) => `10.9.9.${i}`);
  for (const user of users) service.learnMtu(flowTo(user), 1000);
  // A connection that has cached its dst asks again once that is obsolete, and not else.
  const cached = users.map((user) => ask(user));
  const flow = flowTo('10.0.0.0');
  let most = 0;
  for (let i = 0; i < 20_000; i++) {
    flow.dst3 = (10 << 24) | i;
    const { value } = exceptionsVisited;
    service.learnMtu(flow, 1200);
    most = Math.max(most, exceptionsVisited.value - value);
    if (i % 10 === 0) for (const [at, user] of users.entries()) if (cached[at]!.obsolete) cached[at] = ask(user);
  }
  expect([router.exceptions.count, most]).toEqual([100, 41]);
  expect(new Set(users.map((user) => ask(user).mtuBytes))).toEqual(new Set([1000]));
  // Each once a round, as the hand goes by, and not for each stranger.
  expect(exceptionsVisited.value).toBeLessThan(2 * 20_000);
});

test('the youngest is found even where none may be: one is always room for', () => {
  const { add, ask, service, router } = bootRouter({ limit: 0, limitOfHop: 0 });
  add('10.0.0.0/8 dev eth0');
  for (const last of [1, 2]) service.learnMtu(flowTo(`10.0.0.${last}`), 1000);
  expect([router.exceptions.count, ask('10.0.0.1').mtuBytes, ask('10.0.0.2').mtuBytes]).toEqual([1, 1500, 1000]);
});

test('200,000 destinations cost no more than may be: the oldest goes', () => {
  const { add, ask, service, router, store, kernel } = bootRouter({ limit: 100 });
  add('10.0.0.0/8 dev eth0');
  const address = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
  const flow = flowTo('10.0.0.0');
  let most = 0;
  for (let i = 0; i < 200_000; i++) {
    flow.dst3 = (10 << 24) | i;
    service.learnMtu(flow, 1000);
    most = Math.max(most, router.exceptions.count);
  }
  expect([most, router.hops.count]).toEqual([100, 1]);
  const mtuOf = (i: number) => ask(address(i)).mtuBytes;
  expect([mtuOf(199_999), mtuOf(199_900), mtuOf(199_899)]).toEqual([1000, 1000, 1500]);
  for (const entry of store.entries(2)) store.remove(entry);
  expect([router.exceptions.count, ask('10.0.0.1').error]).toEqual([0, ERRNO.ENETUNREACH]);
  router.close();
  expect(kernel.timers.filter(({ armed }) => armed)).toEqual([]);
});
