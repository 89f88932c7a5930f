import { ADDRESS_FAMILY, NeighbourTable } from '@softnet/contract';
import { formatIpv6, parseIpv6 } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addressesOf, frames, linkLocal, RouterNet, routersOf } from './router-net.ts';

let net: RouterNet;
beforeEach(async () => {
  net = await RouterNet.open();
});
afterEach(() => net.close());

/** As routers have it at most: 45 s reachable, 5 s of delay, three questions (RFC 4861 §10). */
const NUD_MS = 45_000 + 5000 + 3000;

describe('several routers', () => {
  test('the preferred one is taken; when it dies the other is, within RFC 4861’s times; and back (§6.3.6, RFC 4191 §3.2)', async () => {
    const [low, high] = [await net.router('fd00::1/64'), await net.router('fd00::2/64')];
    net.advertise(low, { preference: -1 });
    net.advertise(high, { preference: 1 });
    const host = await net.host();
    await net.until(() => routersOf(host).length === 2, 3000);
    expect(routersOf(host)).toEqual([`${linkLocal(2)} metric 1024 pref 1`, `${linkLocal(1)} metric 1024 pref -1`]);
    expect(await net.reaches(host)).toBe(true);
    net.hub.hub.down('port2');
    const ms = await net.until(() => net.reaches(host), NUD_MS + 1000, 500);
    expect(ms).toBeLessThanOrEqual(NUD_MS);
    expect(routersOf(host)).toEqual([`${linkLocal(1)} metric 1024 pref -1`, `${linkLocal(2)} metric 1025 pref 1`]);
    net.hub.hub.up('port2');
    await net.until(() => routersOf(host)[0]!.endsWith('1024 pref 1'), 61_000, 500);
    expect(await net.reaches(host)).toBe(true);
  });

  test('while none answers each has its turn', async () => {
    const routers = [await net.router('fd00::1/64'), await net.router('fd00::2/64')];
    for (const router of routers) net.advertise(router, {});
    const host = await net.host();
    await net.until(() => routersOf(host).length === 2, 3000);
    await net.reaches(host);
    for (const port of ['port1', 'port2']) net.hub.hub.down(port);
    const first = new Set<string>();
    for (let i = 0; i < 80; i++) {
      await net.reaches(host, 1000);
      if (routersOf(host).every((text) => !text.includes('metric 1024'))) first.add(routersOf(host)[0]!.split(' ')[0]!);
    }
    expect([...first].sort()).toEqual([linkLocal(1), linkLocal(2)]);
  });

  test('a router whose time is over is none, whatever else it said (RFC 4861 §6.3.5)', async () => {
    const [a, b] = [await net.router('fd00::1/64'), await net.router('fd00::2/64')];
    net.advertise(a, { maxIntervalMs: 4000, lifetimeMs: 12_000, preference: 1 });
    net.advertise(b, {});
    const host = await net.host();
    await net.until(() => routersOf(host).length === 2, 4000);
    net.hub.hub.down('port1');
    const ms = await net.until(() => routersOf(host).length === 1, 20_000);
    expect(ms).toBeLessThanOrEqual(12_000);
    expect(routersOf(host)).toEqual([`${linkLocal(2)} metric 1024 pref 0`]);
  });

  test('renumbering: the new prefix is used for what begins, the old one lives out its time (RFC 4862 §5.5.4)', async () => {
    const router = await net.router('fd00::1/64');
    const [old, young] = [parseIpv6('fd00::')!, parseIpv6('fd0a::')!];
    net.advertise(router, { prefixes: [{ prefix: old, prefixLen: 64 }] });
    const host = await net.host();
    await net.until(() => addressesOf(host).length === 2, 4000);
    net.advertise(router, {
      prefixes: [
        { prefix: old, prefixLen: 64, preferredMs: 0, validMs: 7_200_000 },
        { prefix: young, prefixLen: 64 },
      ],
    });
    await net.until(() => addressesOf(host).length === 3, 4000);
    expect(addressesOf(host).slice(1)).toEqual(['fd00::50:ff:fe00:2', 'fd0a::50:ff:fe00:2']);
    const user = host.open();
    user.connect('fd99::1', 9);
    const { local0, local1, local2, local3 } = user.sock;
    expect(formatIpv6(local0, local1, local2, local3)).toBe('fd0a::50:ff:fe00:2');
    user.close();
  });

  test('routers that say different things are known to one another’s log (RFC 4861 §6.2.7)', async () => {
    const [a, b] = [await net.router('fd00::1/64'), await net.router('fd00::2/64')];
    net.advertise(a, { hopLimit: 64 });
    net.advertise(b, { hopLimit: 63 });
    await net.pass(20_000);
    const heard = a.kernel.logs.map(({ message }) => message).filter((message) => message.includes('the router'));
    expect(heard).toEqual([`the router ${linkLocal(2)} on eth0 says hopLimit 63, not 64`]);
  });
});

describe('neighbours of routers', () => {
  test('a host is told of the shorter way, and takes it (RFC 4861 §8)', async () => {
    const [far, near] = [await net.router('fd00::1/64'), await net.router('fd00::2/64')];
    far.removeAddress('lo', 'fd99::1/128');
    far.addRoute('fd99::1/128', { via: linkLocal(2), dev: 'eth0' });
    net.advertise(far, {});
    const host = await net.host();
    await net.until(() => addressesOf(host).length === 2, 4000);
    const stop = net.hub.capture();
    for (let i = 0; i < 3; i++) expect(await net.reaches(host)).toBe(true);
    const seen = frames(stop());
    const redirects = seen.filter(({ type }) => type === 137);
    expect(redirects).toHaveLength(1);
    // Requests: the first by both routers, the others by the nearer one only.
    expect(seen.filter(({ type }) => type === 128)).toHaveLength(4);
    void near;
  });

  test('who does not heed it is told six times, and then once a second', async () => {
    const [far] = [await net.router('fd00::1/64'), await net.router('fd00::2/64')];
    far.removeAddress('lo', 'fd99::1/128');
    far.addRoute('fd99::1/128', { via: linkLocal(2), dev: 'eth0' });
    net.advertise(far, {});
    const host = await net.host();
    host.kernel.sysctl.set('net.ipv6.conf.eth0.accept_redirects', false);
    await net.until(() => addressesOf(host).length === 2, 4000);
    const stop = net.hub.capture();
    for (let i = 0; i < 20; i++) expect(await net.reaches(host)).toBe(true);
    await net.pass(1000);
    await net.reaches(host);
    expect(frames(stop()).filter(({ type }) => type === 137)).toHaveLength(7);
  });

  test('a proxy answers for who cannot be heard, later, and overrides nothing (RFC 4861 §7.2.8)', async () => {
    const router = await net.router('fd00::1/64');
    const host = await net.host();
    host.addAddress('eth0', 'fd00::9/64');
    router.removeAddress('lo', 'fd99::1/128');
    router.addAddress('lo', 'fd00::77/128');
    // What is its own is no proxy's matter: the address moves behind the router.
    expect(await net.hub.net.run(host.ping('fd00::77', { timeoutMs: 4000 })).catch(() => 'no')).toBe('no');
    router.kernel.sysctl.set('net.ipv6.conf.eth0.proxy_ndp', true);
    router.kernel.port(NeighbourTable).current.addProxy(router.device('eth0'), ADDRESS_FAMILY.INET6, parseIpv6('fd00::77')!);
    const stop = net.hub.capture();
    const user = host.open();
    await net.hub.net.run(user.send(Uint8Array.of(1), 'fd00::77', 9));
    await net.pass(900);
    const [answer] = frames(stop()).filter(({ type }) => type === 136);
    expect(answer).toMatchObject({ type: 136, flags: 0xc });
    user.close();
  });
});
