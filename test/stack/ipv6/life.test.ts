import { ADDRESS_FAMILY, Neighbours, NetworkLayer, Route } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { Ipv6Module } from '@softnet/ipv6';
import type { NetHost } from '@softnet/testkit';
import { HOST_STACK, Net } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { formatIpv6 } from '@softnet/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fragment, RawPeer } from './raw-peer.ts';

const modules = HOST_STACK.filter((source) => !String(source).includes('Ipv4Module'));
const { INET6 } = ADDRESS_FAMILY;

let net: Net;
let a: NetHost;
let b: NetHost;
beforeEach(async () => {
  net = new Net({ modules });
  [a, b] = [await net.host('a'), await net.host('b')];
  await net.run(b.kernel.load(UdpEchoModule));
  await net.join({ host: a, device: 'eth0', addresses: ['fd00::1/64'] }, { host: b, device: 'eth0', addresses: ['fd00::2/64'] });
});
afterEach(() => net.dispose());

const left = (): unknown => ({
  routes: a.kernel.port(Route).current.entries(INET6).length,
  neighbours: a.kernel.port(Neighbours).current.entries(INET6).length,
  layers: a.kernel.contributions(NetworkLayer).items.length,
  sysctls: a.kernel.sysctl.list('net.ipv6.conf').length,
});
const NOTHING = Object.freeze({ routes: 0, neighbours: 0, layers: 0, sysctls: 0 });

/** Echoes by a socket that is connected: what is inside goes on. */
async function echo(user: ReturnType<NetHost['open']>): Promise<void> {
  const data = Uint8Array.from({ length: 3000 }, (_, i) => i);
  await net.run(user.send(data));
  expect((await net.run(user.receive())).data).toEqual(data);
}

function connected(): ReturnType<NetHost['open']> {
  const user = a.open();
  user.bind('fd00::1', 0);
  user.connect('fd00::2', 7);
  return user;
}

function addresses(): string[] {
  const all = a.kernel.contributions(NetworkLayer).items.at(-1)!.addresses;
  return [...all].filter(({ device }) => device.name === 'eth0').map(({ address }) => formatIpv6(...address));
}

test('gives back all that it had: routes, neighbours, fragments, addresses; and can be loaded again', async () => {
  await net.run(a.ping('fd00::2'));
  a.kernel.sysctl.set('net.ipv6.conf.all.forwarding', true);
  const report = await net.run(a.kernel.unload('ipv6', { cascade: true }));
  expect(report).toMatchObject({ outcome: 'gone', leaks: [], faults: [], broken: [] });
  expect(left()).toEqual(NOTHING);
  expect(() => a.addAddress('eth0', 'fd00::1/64')).toThrow('EAFNOSUPPORT');
  await expect(net.run(a.ping('fd00::2'))).rejects.toThrow();
  await net.run(a.kernel.load(Ipv6Module));
  await net.pass(1);
  expect(addresses()).toHaveLength(1);
  a.addAddress('eth0', 'fd00::1/64');
  await net.run(a.ping('fd00::2'));
});

test('waits for who goes by it, who goes on meanwhile; nobody new comes in', async () => {
  const user = connected();
  await echo(user);
  const unload = a.kernel.unload('ipv6', { cascade: true });
  await net.pass(60_000);
  expect(a.kernel.module('ipv6')?.state).toBe('draining');
  expect(a.kernel.holders('ipv6').map(({ owner, description }) => `${owner}: ${description}`)).toEqual(['program: by eth0']);
  await echo(user);
  expect(() => a.addAddress('eth0', 'fd00::3/64')).toThrow();
  await net.run(a.kernel.abort('ipv6'));
  a.addAddress('eth0', 'fd00::3/64');
  await echo(user);
  void unload;
  user.close();
  await net.pass(1);
  expect((await net.run(a.kernel.unload('ipv6', { cascade: true }))).leaks).toEqual([]);
  expect(left()).toEqual(NOTHING);
});

test('by force: sockets that go by it are closed with an error', async () => {
  const user = connected();
  await echo(user);
  const report = await net.run(a.kernel.unload('ipv6', { cascade: true, force: true }));
  expect(report).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
  expect(report.broken).toHaveLength(1);
  expect(user.ended?.code).toBe('ECONNABORTED');
  expect(left()).toEqual(NOTHING);
});

test('fragments that wait are dropped', async () => {
  const peer = await RawPeer.boot();
  const { kernel } = peer.host;
  peer.packet({ payload: new Uint8Array(40), headers: [fragment(0, true)] });
  await peer.net.pass(1);
  expect(kernel.holders('skb').map(({ count, kind }) => [kind, count])).toEqual([['skb', 1]]);
  expect(await peer.net.run(kernel.unload('ipv6', { cascade: true }))).toMatchObject({ outcome: 'gone', leaks: [] });
  expect(kernel.holders('skb')).toEqual([]);
  expect(peer.drops()).toContain('ipv6.fragment-limit');
  await peer.end();
});

test('what a generation that drains knew of addresses is not in its hands any more', async () => {
  a.addAddress('eth0', 'fd00::3/64');
  const user = connected();
  const { drained } = await net.run(a.kernel.replace('ipv6', Ipv6Module, { mode: 'drain' }));
  await net.pass(1);
  a.removeAddress('eth0', 'fd00::3/64');
  const before = a.kernel.port(Route).current.entries(INET6);
  await net.run(a.kernel.load(Ipv4Module));
  await net.pass(1);
  expect(a.kernel.module('ipv6#1')?.state).toBe('draining');
  expect(a.kernel.port(Route).current.entries(INET6)).toEqual(before);
  user.close();
  await net.run(drained);
});

test.each(['handover', 'drain'] as const)('replaced by %s: addresses and routes are there throughout, and sockets go on', async (mode) => {
  const user = connected();
  await echo(user);
  const before = [addresses().sort(), a.kernel.port(Route).current.entries(INET6)];
  const { drained } = await net.run(a.kernel.replace('ipv6', Ipv6Module, { mode }));
  await net.pass(1);
  expect([addresses().sort(), a.kernel.port(Route).current.entries(INET6)]).toEqual(before);
  for (let i = 0; i < 3; i++) {
    await echo(user);
    await net.pass(20_000);
  }
  await net.run(a.ping('fd00::2'));
  await net.run(b.ping('fd00::1'));
  user.close();
  expect((await net.run(drained)).leaks).toEqual([]);
  await net.run(b.ping('fd00::1'));
  expect([addresses().sort(), a.kernel.port(Route).current.entries(INET6)]).toEqual(before);
  a.removeAddress('eth0', 'fd00::1/64');
  expect(addresses()).toHaveLength(1);
  expect((await net.run(a.kernel.unload('ipv6', { cascade: true }))).leaks).toEqual([]);
  expect(left()).toEqual(NOTHING);
});

test.each(['handover', 'drain'] as const)(
  'replaced by %s, again and again at once: each device has the settings that it had',
  async (mode) => {
    const { sysctl } = a.kernel;
    sysctl.set('net.ipv6.conf.eth0.hop_limit', 33);
    const settings = (): unknown => sysctl.list('net.ipv6.conf.eth0').map(({ name, text }) => `${name} ${text}`);
    const before = settings();
    for (let i = 0; i < 3; i++) await net.run(a.kernel.replace('ipv6', Ipv6Module, { mode }));
    await net.pass(1);
    expect(settings()).toEqual(before);
    expect([sysctl.get('net.ipv6.conf.eth0.hop_limit'), sysctl.get('net.ipv6.conf.eth0.accept_dad')]).toEqual([33, 0]);
  },
);

test('a new one beside an old one that drains has its addresses, which may be given again, and keeps them when the old one goes', async () => {
  const user = connected();
  await echo(user);
  void a.kernel.unload('ipv6', { cascade: true }).report.catch(() => {});
  await net.pass(1);
  await net.run(a.kernel.load(Ipv6Module));
  await net.pass(1);
  expect(addresses()).toHaveLength(2);
  await echo(user);
  a.addAddress('eth0', 'fd00::1/64');
  expect(() => a.addAddress('eth0', 'fd00::1/64')).toThrow('EEXIST');
  await echo(user);
  user.close();
  await net.pass(1);
  expect(
    a.kernel
      .modules()
      .filter(({ name }) => name === 'ipv6')
      .map(({ generation, state }) => `${generation} ${state}`),
  ).toEqual(['2 live']);
  await net.run(a.ping('fd00::2'));
  await net.run(b.ping('fd00::1'));
});
