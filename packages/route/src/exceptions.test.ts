import { DEVICE_EVENT, ERRNO } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { bootRouter, flowTo, where } from './testing/fake-router.ts';

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

test('a million destinations cost no more than may be: the oldest goes', () => {
  const { add, ask, service, router, store, kernel } = bootRouter({ limit: 100 });
  add('10.0.0.0/8 dev eth0');
  const address = (i: number) => `10.1.${i >> 8}.${i & 255}`;
  for (let i = 0; i < 20_000; i++) {
    service.learnMtu(flowTo(address(i)), 1000);
    expect(router.exceptions.count).toBeLessThanOrEqual(100);
  }
  const mtuOf = (i: number) => ask(address(i)).mtuBytes;
  expect([mtuOf(19_999), mtuOf(19_900), mtuOf(19_899)]).toEqual([1000, 1000, 1500]);
  for (const entry of store.entries(2)) store.remove(entry);
  expect([router.exceptions.count, ask('10.0.0.1').error]).toEqual([0, ERRNO.ENETUNREACH]);
  router.close();
  expect(kernel.timers.filter(({ armed }) => armed)).toEqual([]);
});
