import { ADDRESS_FAMILY, NameServers, Neighbours } from '@softnet/contract';
import { Ipv6Module } from '@softnet/ipv6';
import type { NetHost } from '@softnet/testkit';
import { formatIpv6, parseIpv6 } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addressesOf, frames, linkLocal, RouterNet, routersOf } from './router-net.ts';

let net: RouterNet;
beforeEach(async () => {
  net = await RouterNet.open();
});
afterEach(() => net.close());

describe('a host and a router', () => {
  test('who asks is answered within a second and a half, has an address and a way, and learns more (RFC 4861 §6.3.7, §6.2.6)', async () => {
    const router = await net.router('fd00::1/64');
    net.advertise(router, {
      nameServers: [parseIpv6('fd00::53')!],
      searchDomains: ['example.org'],
      hopLimit: 33,
      reachableMs: 20_000,
      retransMs: 500,
    });
    await net.pass(60_000);
    const host = await net.host();
    const ms = await net.until(() => routersOf(host).length > 0, 2000);
    expect(ms).toBeLessThanOrEqual(1500);
    expect(routersOf(host)).toEqual([`${linkLocal(1)} metric 1024 pref 0`]);
    expect(addressesOf(host)).toEqual([linkLocal(2), 'fd00::50:ff:fe00:2']);
    expect(await net.reaches(host)).toBe(true);
    const [known] = host.kernel.contributions(NameServers).items;
    expect(known!.servers.map(({ address }) => formatIpv6(...address))).toEqual(['fd00::53']);
    expect(known!.searchDomains.map(({ name }) => name)).toEqual(['example.org']);
    const neighbour = host.kernel
      .port(Neighbours)
      .current.entries(ADDRESS_FAMILY.INET6)
      .find(({ address0 }) => address0 >>> 16 === 0xfe80);
    expect(neighbour!.isRouter).toBe(true);
  });

  test('goes on asking while what it sends is lost (RFC 7559), and stops when it is answered', async () => {
    const router = await net.router('fd00::1/64');
    const host = await net.host();
    const stop = net.hub.capture();
    await net.pass(60_000);
    net.advertise(router, {});
    await net.pass(400_000);
    const solicitations = frames(stop()).filter(({ type }) => type === 133);
    // About 0.5, 4.5, 12.5, 28.5 s; then the router comes by itself.
    expect(solicitations.length).toBeGreaterThanOrEqual(4);
    expect(solicitations.length).toBeLessThanOrEqual(5);
    expect(routersOf(host)).toHaveLength(1);
  });

  test.each<[string, (router: NetHost) => unknown]>([
    ['it is told to say nothing', (router) => net.advertise(router, null)],
    ['it forwards no more', (router) => router.kernel.sysctl.set('net.ipv6.conf.all.forwarding', false)],
    ['its device goes down', (router) => router.down('eth0')],
    ['its layer is unloaded', (router) => router.kernel.unload('ipv6', { cascade: true })],
  ])('a router says farewell when %s (RFC 4861 §6.2.5)', async (_name, end) => {
    const router = await net.router('fd00::1/64');
    net.advertise(router, {});
    const host = await net.host();
    await net.until(() => routersOf(host).length > 0, 2000);
    void end(router);
    await net.pass(10);
    expect(routersOf(host)).toEqual([]);
    // The prefix is still on the link, the address still the host's.
    expect(addressesOf(host)).toHaveLength(2);
  });

  test('one whose unloading is called off speaks again', async () => {
    const router = await net.router('fd00::1/64');
    net.advertise(router, {});
    const host = await net.host();
    await net.until(() => addressesOf(host).length === 2, 4000);
    const user = router.open();
    user.connect(addressesOf(host)[1]!, 9);
    void router.kernel.unload('ipv6', { cascade: true });
    await net.pass(10);
    expect(routersOf(host)).toEqual([]);
    await net.hub.net.run(router.kernel.abort('ipv6'));
    await net.until(() => routersOf(host).length === 1, 4000);
    user.close();
  });

  test('says it three times, where it can, and begins anew if it is told so', async () => {
    const router = await net.router('fd00::1/64');
    net.advertise(router, {});
    await net.pass(40_000);
    const stop = net.hub.capture();
    net.advertise(router, null);
    await net.pass(10_000);
    net.advertise(router, { lifetimeMs: 0, maxIntervalMs: 600_000 });
    await net.pass(1000);
    expect(frames(stop()).map(({ type, lifetimeS }) => [type, lifetimeS])).toEqual([
      [134, 0],
      [134, 0],
      [134, 0],
      [134, 0],
    ]);
  });

  test('a router that is replaced says nothing, and goes on; a host that is replaced asks nobody, and keeps what it knows', async () => {
    const router = await net.router('fd00::1/64');
    net.advertise(router, { nameServers: [parseIpv6('fd00::53')!] });
    const host = await net.host();
    await net.until(() => routersOf(host).length > 0, 2000);
    await net.pass(60_000);
    const stop = net.hub.capture();
    await net.hub.net.run(Promise.all([host.kernel.replace('ipv6', Ipv6Module), router.kernel.replace('ipv6', Ipv6Module)]));
    await net.pass(5000);
    expect(frames(stop())).toEqual([]);
    expect(routersOf(host)).toEqual([`${linkLocal(1)} metric 1024 pref 0`]);
    expect(host.kernel.contributions(NameServers).items.at(-1)!.servers).toHaveLength(1);
    expect(await net.reaches(host)).toBe(true);
    net.advertise(router, null);
    await net.pass(10);
    expect(routersOf(host)).toEqual([]);
    net.advertise(router, {});
    await net.pass(60_000);
    const after = net.hub.capture();
    await net.pass(700_000);
    expect(frames(after()).length).toBeGreaterThanOrEqual(1);
    expect(routersOf(host)).toHaveLength(1);
    net.advertise(router, null);
    await net.pass(10);
    expect(routersOf(host)).toEqual([]);
  });

  test('who is replaced while he asks goes on asking', async () => {
    const host = await net.host();
    await net.pass(1000);
    await net.hub.net.run(host.kernel.replace('ipv6', Ipv6Module));
    const stop = net.hub.capture();
    await net.pass(15_000);
    expect(frames(stop()).map(({ type }) => type)).toEqual([133, 133]);
  });

  test('while the layer of a host drains, its routers are heard, and their time runs', async () => {
    const router = await net.router('fd00::1/64');
    net.advertise(router, { maxIntervalMs: 10_000, lifetimeMs: 20_000 });
    const host = await net.host();
    await net.until(() => routersOf(host).length > 0, 2000);
    await net.until(() => addressesOf(host).length === 2, 2000);
    const user = host.open();
    user.bind(addressesOf(host)[1]!, 0);
    user.connect('fd99::1', 9);
    void host.kernel.unload('ipv6', { cascade: true });
    await net.pass(60_000);
    expect([host.kernel.module('ipv6')?.state, routersOf(host).length]).toEqual(['draining', 1]);
    net.hub.hub.down('port1');
    await net.pass(21_000);
    expect(routersOf(host)).toEqual([]);
    user.close();
  });
});

test('the same seed, the same frames', async () => {
  const run = async (): Promise<string> => {
    const other = await RouterNet.open(7);
    const stop = other.hub.capture();
    const router = await other.router('fd00::1/64');
    other.advertise(router, { maxIntervalMs: 10_000 });
    const host = await other.host();
    await other.pass(60_000);
    await other.reaches(host);
    await other.close();
    return stop().toString('hex');
  };
  expect(await run()).toBe(await run());
});
