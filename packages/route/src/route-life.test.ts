import type { Change, NextHopObject, RouteEntry, RoutingRule } from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_EVENT, ERRNO, NetworkLayer, RULE_ACTION } from '@softnet/contract';
import { parseAddress } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import { freezeRouter, thawRouter } from './frozen-router.ts';
import { routeWords } from './route-words.ts';
import { bootRouter, flowTo, route, where } from './testing/fake-router.ts';

const { INET, INET6 } = ADDRESS_FAMILY;

/** Kernel ms of `bootRouter`. */
const NOW = 1000;

describe('a route that expires', () => {
  test('goes by itself', () => {
    const { add, ask, kernel, store } = bootRouter();
    add('0.0.0.0/0 dev eth0');
    add(`10.0.0.0/24 dev eth1 expiresMs ${NOW + 5000}`);
    const own = ask('10.0.0.1');
    const { value } = own.generation;
    expect(store.entries(INET)[1]!.expiresMs).toBe(NOW + 5000);
    kernel.advance(4999);
    expect(where(ask('10.0.0.1'))).toBe('eth1');
    kernel.advance(1);
    expect([where(ask('10.0.0.1')), own.generation.value === value]).toEqual(['eth0', false]);
  });

  test('stays when it is replaced in time; taken out, its timer goes', () => {
    const { store, kernel, ask, router } = bootRouter();
    store.add(route(`10.0.0.0/24 dev eth1 expiresMs ${NOW + 5000}`, kernel));
    store.replace(route(`10.0.0.0/24 dev eth1 expiresMs ${NOW + 9000}`, kernel));
    kernel.advance(8999);
    expect(where(ask('10.0.0.1'))).toBe('eth1');
    store.replace(route('10.0.0.0/24 dev eth1', kernel));
    kernel.advance(100_000);
    expect(where(ask('10.0.0.1'))).toBe('eth1');
    store.add(route('10.0.1.0/24 dev eth1 expiresMs 2000000', kernel));
    router.close();
    expect(kernel.timers.filter(({ armed }) => armed)).toEqual([]);
  });

  test.each([
    ['it has more time', '::/0 via fe80::1 dev eth0 proto 9 expiresMs 9000', true],
    ['it has less', '::/0 via fe80::1 dev eth0 proto 9 expiresMs 4000', true],
    ['it stays for ever', '::/0 via fe80::1 dev eth0 proto 9', true],
    ['nothing is another', '::/0 via fe80::1 dev eth0 proto 9 expiresMs 8000', true],
    ['it is preferred less', '::/0 via fe80::1 dev eth0 proto 9 expiresMs 9000 preference -1', false],
    ['it is another’s', '::/0 via fe80::3 dev eth0 proto 9 expiresMs 9000', false],
    ['it has a metric', '::/0 via fe80::1 dev eth0 proto 9 expiresMs 9000 metric 7', false],
  ])('replaced so that %s: it keeps its place among equals and makes no cached dst stale, or not', (_what, text, isSame) => {
    const { add, ask, kernel, store } = bootRouter();
    for (const gateway of ['fe80::1', 'fe80::2']) add(`::/0 via ${gateway} dev eth0 proto 9 expiresMs 8000`);
    const { generation } = ask('2001::');
    const { value } = generation;
    store.replace(route(text, kernel));
    expect(generation.value === value).toBe(isSame);
    const gateways = store.entries(INET6).map(({ nextHops }) => nextHops[0]!.gateway!.address[3]);
    if (isSame) expect([gateways, where(ask('2001::'))]).toEqual([[1, 2], 'eth0 via fe80::1']);
    // Its timer is what was said last.
    kernel.advance(store.entries(INET6)[0]!.expiresMs === undefined ? 10_000 : store.entries(INET6)[0]!.expiresMs! - NOW - 1);
    if (isSame) expect(where(ask('2001::'))).toBe('eth0 via fe80::1');
  });
});

test('of routers alike the preferred one is asked first (RFC 4191)', () => {
  const { add, ask } = bootRouter();
  add('::/0 via fe80::1 dev eth0 proto 9');
  add('::/0 via fe80::2 dev eth0 proto 9 preference 1');
  add('::/0 via fe80::3 dev eth1 proto 9 preference -1');
  expect([where(ask('2001::')), where(ask('2001::', { oif: 3 }))]).toEqual(['eth0 via fe80::2', 'eth1 via fe80::3']);
  expect(() => add('::/0 via fe80::4 dev eth1 proto 9 preference 2')).toThrow('its preference is -1, 0 or 1');
});

test('ways without carrier are dead where the layer wants it so', () => {
  const { add, ask, eth0, eth1, router, service, layers, inet, inet6 } = bootRouter();
  add('10.0.0.0/24 dev eth0');
  add('10.0.0.0/24 dev eth1 metric 5');
  eth0.carrier = false;
  router.deviceChanged(eth0, DEVICE_EVENT.CHANGE);
  expect(where(ask('10.0.0.1'))).toBe('eth0');
  const wanted = new Set([eth0]);
  layers.set(Object.assign(inet, { needsCarrier: (device: typeof eth0) => wanted.has(device) }) as never, inet6 as never);
  service.changed();
  expect(where(ask('10.0.0.1'))).toBe('eth1');
  wanted.clear();
  service.changed();
  expect(where(ask('10.0.0.1'))).toBe('eth0');
  wanted.add(eth0).add(eth1);
  eth0.carrier = true;
  router.deviceChanged(eth0, DEVICE_EVENT.CHANGE);
  service.changed();
  expect([where(ask('10.0.0.1')), NetworkLayer.name]).toEqual(['eth0', 'network-layer']);
});

/** All that a listener hears, in words, and that it is published already. */
function listen() {
  const net = bootRouter();
  const heard: string[] = [];
  let before = 0;
  const note = (text: string): void => {
    heard.push(net.router.generation.value === before ? `${text}, too early` : text);
  };
  const nameOf = (ifindex: number) => net.kernel.traffic.current.byIndex(ifindex)?.name ?? null;
  net.listeners.set({
    routeChanged: (change: Change, entry: RouteEntry) => note(`${change} ${routeWords(entry, nameOf)}`),
    ruleChanged: (change: Change, { priority }: RoutingRule) => note(`${change} rule ${priority}`),
    nextHopChanged: (change: Change, { id }: NextHopObject) => heard.push(`${change} nexthop ${id}`),
  });
  const during = (act: () => void): string[] => {
    before = net.router.generation.value;
    act();
    return heard.splice(0);
  };
  return { ...net, during };
}

describe('the control plane is told', () => {
  test('of routes and rules, once they are published', () => {
    const { during, add, store, router, kernel } = listen();
    const text = '10.0.0.0/24 dev eth0';
    expect(during(() => add(text))).toEqual([`add ${text}`]);
    expect(during(() => store.replace(route(`${text} mtu 1400`, kernel)))).toEqual([`replace ${text}`]);
    expect(during(() => store.replace(route('10.0.1.0/24 dev eth0', kernel)))).toEqual(['add 10.0.1.0/24 dev eth0']);
    expect(during(() => store.remove(route(text, kernel)))).toEqual([`remove ${text}`]);
    const rule: RoutingRule = { family: INET, priority: 7, action: RULE_ACTION.NOP, source: 3 };
    expect(during(() => router.rules.add(rule))).toEqual(['add rule 7']);
    expect(during(() => router.rules.remove(rule))).toEqual(['remove rule 7']);
  });

  test('of next hops, and what goes along', () => {
    const { during, add, router } = listen();
    const { nextHops } = router;
    const hop = (id: number, ifindex: number): NextHopObject => ({ id, family: INET, source: 4, hop: { ifindex } });
    expect(during(() => nextHops.add(hop(1, 2)))).toEqual(['add nexthop 1']);
    nextHops.add(hop(2, 3));
    nextHops.add({ id: 9, family: 0, source: 4, group: [{ id: 1 }, { id: 2 }] });
    add('10.0.0.0/24 nextHopId 1');
    add('10.0.1.0/24 nextHopId 9');
    during(() => {});
    expect(during(() => nextHops.replace(hop(1, 3)))).toEqual(['replace nexthop 1']);
    expect(during(() => nextHops.remove(1))).toEqual(['remove 10.0.0.0/24', 'replace nexthop 9', 'remove nexthop 1']);
    expect(during(() => nextHops.remove(2))).toEqual(['remove 10.0.1.0/24', 'remove nexthop 2', 'remove nexthop 9']);
  });

  test('of what goes by itself or with its device; a next hop that is only dead is no change', () => {
    const { during, add, router, kernel, eth0, eth1 } = listen();
    add(`10.0.0.0/24 dev eth0 expiresMs ${NOW + 100}`);
    add('10.0.1.0/24 dev eth1');
    add('10.0.2.0/24 dev eth0 dev eth1');
    router.nextHops.add({ id: 1, family: INET, source: 4, hop: { ifindex: 3 } });
    during(() => {});
    expect(during(() => kernel.advance(100))).toEqual(['remove 10.0.0.0/24 dev eth0']);
    eth1.flags = 0;
    expect(during(() => router.deviceChanged(eth1, DEVICE_EVENT.DOWN))).toEqual([]);
    kernel.devices.splice(2, 1);
    expect(during(() => router.deviceChanged(eth1, DEVICE_EVENT.UNREGISTER))).toEqual(['remove nexthop 1', 'remove 10.0.1.0/24 dev if3']);
    expect(eth0.name).toBe('eth0');
  });

  test('all of it, though one of them throws', () => {
    const { listeners, add, kernel } = bootRouter();
    const heard: string[] = [];
    const bad = {
      routeChanged: () => {
        throw new Error('mine');
      },
    };
    listeners.set(bad as never, { routeChanged: () => heard.push('heard') } as never);
    expect(() => add('10.0.0.0/24 dev eth0')).toThrow('mine');
    expect([heard, kernel.current.id]).toEqual([['heard'], listeners.owners[0]]);
  });

  test('when all is done: whatever a listener does then, the rest of it goes too', () => {
    const net = bootRouter();
    const { add, store, router, kernel, listeners, eth1, ask } = net;
    for (const metric of [1, 2]) add(`10.0.0.0/24 dev eth0 metric ${metric} expiresMs ${NOW + 100}`);
    add('10.0.0.0/24 dev eth0 metric 3');
    router.nextHops.add({ id: 1, family: INET, source: 4, hop: { ifindex: 3 } });
    add('10.0.1.0/24 dev eth1');
    let says = 0;
    const busy = () => {
      if (says++ === 0) store.remove(route('10.0.0.0/24 dev eth0', kernel));
      throw new Error('mine');
    };
    listeners.set({ routeChanged: busy, nextHopChanged: busy } as never);
    expect(() => kernel.advance(100)).toThrow('mine');
    expect([store.entries(INET).length, where(ask('10.0.0.1'))]).toEqual([1, `error ${ERRNO.ENETUNREACH}`]);
    kernel.devices.splice(2, 1);
    expect(() => router.deviceChanged(eth1, DEVICE_EVENT.UNREGISTER)).toThrow('mine');
    expect([store.entries(INET), router.nextHops.entries(), router.hops.count, says]).toEqual([[], [], 0, 5]);
  });
});

test('what the last generation had is handed over, whatever this one would say of it', () => {
  const [old, next] = [bootRouter(), bootRouter()];
  old.add('::/0 via fe80::1 dev eth0');
  old.add('::/0 via fe80::2 dev eth0 proto 9 preference 1');
  old.add('10.0.0.0/8 dev eth0 dev eth1');
  for (const { kernel } of [old, next]) kernel.devices.splice(2, 1);
  old.router.deviceChanged(old.eth1, DEVICE_EVENT.UNREGISTER);
  thawRouter(freezeRouter(old.router), next.router);
  expect(next.store.entries(INET6)).toEqual(old.store.entries(INET6));
  expect([where(next.ask('2001::')), where(next.ask('10.0.0.1'))]).toEqual(['eth0 via fe80::2', 'eth0']);
});

test('all of it is handed over as plain data: nothing known of a destination is forgotten, and flows stay on their ways', () => {
  const old = bootRouter();
  const { rules, nextHops } = old.router;
  old.add('10.0.0.0/24 dev eth0');
  nextHops.add({
    id: 9,
    family: INET,
    source: 4,
    hop: { ifindex: 2, gateway: { family: INET, address: parseAddress('10.0.0.1')!.words } },
  });
  nextHops.add({ id: 5, family: 0, source: 4, group: [{ id: 9 }], resilient: { buckets: 8 } });
  nextHops.add({ id: 8, family: INET, source: 4, hop: { ifindex: 3 } });
  nextHops.add({ id: 6, family: 0, source: 4, group: [{ id: 8 }, { id: 9 }], resilient: { buckets: 8 } });
  // Another history than a new group has.
  for (const group of [[{ id: 9 }], [{ id: 9 }, { id: 8 }]])
    nextHops.replace({ id: 6, family: 0, source: 4, group, resilient: { buckets: 8 } });
  old.add('10.3.0.0/16 nextHopId 5');
  old.add('10.4.0.0/16 nextHopId 6');
  old.add('10.1.0.0/16 dev eth0 dev eth1 weight 2');
  old.add(`fd00::/8 dev eth1 expiresMs ${NOW + 700_000} preference 1`);
  rules.remove({ family: INET, priority: 32_767, action: 0, source: 0 });
  rules.add({ family: INET, priority: 5, action: RULE_ACTION.TABLE, table: 254, mark: 6, realms: 3, source: 3 });
  old.service.learnMtu(flowTo('10.0.0.5'), 900, true);
  old.service.learnMtu(flowTo('10.0.0.6', { mark: 6 }), 800);
  old.service.learnGateway(flowTo('10.3.0.1'), 0, 0, 0xffff, (10 << 24) | 2);
  old.kernel.advance(1000);

  const next = bootRouter();
  next.router.fib.seed = 99;
  next.kernel.nowUs = old.kernel.nowUs;
  thawRouter(structuredClone(freezeRouter(old.router)), next.router);
  for (const family of [INET, INET6]) {
    expect(next.service.entries(family)).toEqual(old.service.entries(family));
    expect(next.service.rules(family)).toEqual(old.service.rules(family));
    expect(next.service.exceptions(family)).toEqual(old.service.exceptions(family));
  }
  expect(next.service.nextHops()).toEqual(old.service.nextHops());
  expect(next.service.exceptions(INET)).toHaveLength(3);
  expect(next.ask('10.0.0.5')).toMatchObject({ mtuBytes: 900, mtuLocked: true });
  expect(next.ask('10.0.0.6', { mark: 6 })).toMatchObject({ mtuBytes: 800, mtuLocked: false, realms: 3 });
  expect(where(next.ask('10.3.0.1'))).toBe('eth0 via 10.0.0.2');
  const ways = ({ ask }: typeof old, to: string) => Array.from({ length: 100 }, (_, srcPort) => where(ask(to, { srcPort })));
  for (const to of ['10.1.1.1', '10.4.1.1']) expect(ways(next, to)).toEqual(ways(old, to));
  next.kernel.advance(599_000);
  expect([next.ask('10.0.0.5').mtuBytes, next.ask('fd00::1').error]).toEqual([1500, 0]);
  next.kernel.advance(100_000);
  expect(next.ask('fd00::1').error).toBe(ERRNO.ENETUNREACH);
  expect(() => thawRouter({ version: 1, data: [] }, next.router)).toThrow('layout 1');
});
