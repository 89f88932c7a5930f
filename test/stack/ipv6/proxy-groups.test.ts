import { ADDRESS_FAMILY, LinkGroups, NeighbourTable } from '@softnet/contract';
import { Ipv6Module } from '@softnet/ipv6';
import { RouteModule } from '@softnet/route';
import { formatMac, parseIpv6 } from '@softnet/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RawPeer } from './raw-peer.ts';

const { INET6 } = ADDRESS_FAMILY;
/** All nodes and the host's own; on a router those of routers, and of the subnet-router address. */
const HOST_MACS = ['33:33:00:00:00:01', '33:33:ff:00:00:01'];
const ROUTER_MACS = ['33:33:00:00:00:01', '33:33:00:00:00:02', '33:33:ff:00:00:00', '33:33:ff:00:00:01'];
const PROXIED = '33:33:ff:00:12:34';

let peer: RawPeer;
beforeEach(async () => {
  peer = await RawPeer.boot();
});
afterEach(() => peer.end());

async function listens(): Promise<string[]> {
  await peer.net.pass(1);
  const { host } = peer;
  const all = host.kernel.port(LinkGroups).current.of(host.device('eth0'));
  return all.map((address) => formatMac(address)).sort();
}

test('solicited-node groups of addresses that are answered for are joined, while they are (RFC 4861 §7.2.8)', async () => {
  const { kernel } = peer.host;
  const { sysctl } = kernel;
  const eth0 = peer.host.device('eth0');
  const table = (): NeighbourTable => kernel.port(NeighbourTable).current;
  const [one, alike, other] = ['fd00::1234', 'fd09::1234', 'fd00::5678'].map((text) => parseIpv6(text)!);
  table().addProxy(eth0, INET6, one!);
  expect(await listens()).toEqual(HOST_MACS);
  sysctl.set('net.ipv6.conf.eth0.proxy_ndp', true);
  expect(await listens()).toEqual(HOST_MACS);
  sysctl.set('net.ipv6.conf.eth0.forwarding', true);
  expect(await listens()).toEqual([...ROUTER_MACS, PROXIED]);
  // Another of the same group, and one on every device.
  table().addProxy(eth0, INET6, alike!);
  table().addProxy(null, INET6, other!);
  expect(await listens()).toEqual([...ROUTER_MACS, PROXIED, '33:33:ff:00:56:78']);
  table().removeProxy(eth0, INET6, one!);
  table().removeProxy(null, INET6, other!);
  expect(await listens()).toEqual([...ROUTER_MACS, PROXIED]);
  sysctl.set('net.ipv6.conf.eth0.proxy_ndp', false);
  expect(await listens()).toEqual(ROUTER_MACS);
  sysctl.set('net.ipv6.conf.eth0.proxy_ndp', true);
  expect(await listens()).toEqual([...ROUTER_MACS, PROXIED]);
  for (const [name, source] of [
    ['route', RouteModule],
    ['ipv6', Ipv6Module],
  ] as const) {
    await peer.net.run(kernel.replace(name, source, { mode: 'handover' }));
    expect(await listens()).toEqual([...ROUTER_MACS, PROXIED]);
  }
  table().removeProxy(eth0, INET6, alike!);
  expect(await listens()).toEqual(ROUTER_MACS);
});
