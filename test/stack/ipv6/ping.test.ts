import { Devices, Route } from '@softnet/contract';
import type { NetHost } from '@softnet/testkit';
import { HOST_STACK, Net, routedHosts } from '@softnet/testkit';
import { afterEach, expect, test } from 'vitest';

const modules = HOST_STACK.filter((source) => !String(source).includes('Ipv4Module'));

let net: Net;
afterEach(() => net.dispose());

test('two hosts and their links: every size, by global and link-local addresses, and to themselves', async () => {
  net = new Net({ modules });
  const [a, b] = [await net.host('a'), await net.host('b')];
  // Devices are shown to a layer in a batch after it was loaded.
  await net.pass(1);
  await net.run(a.ping('::1'));
  await net.join({ host: a, device: 'eth0', addresses: ['fd00::1/64'] }, { host: b, device: 'eth0', addresses: ['fd00::2/64'] });
  for (const lenBytes of [0, 1, 1440, 1452, 1453, 1500, 20_000, 65_527]) {
    expect(await net.run(a.ping('fd00::2', { lenBytes }))).toMatchObject({ address: 'fd00::2', lenBytes });
  }
  await net.run(a.ping('fd00::1', { lenBytes: 20_000 }));
  const own = linkLocal(b.device('eth0').address);
  await net.run(a.ping(own, { ifindex: a.device('eth0').ifindex }));
  await net.run(a.ping(linkLocal(a.device('eth0').address), { ifindex: a.device('eth0').ifindex }));
  expect(a.kernel.faults).toEqual([]);
  await toOwnLink(a);
});

test('through a router, whose second link is narrower: the path MTU is learnt', async () => {
  const routed = await routedHosts();
  net = routed.net;
  const { a, r, b } = routed;
  await net.run(a.ping('fd00:2::2', { lenBytes: 60_000 }));
  r.kernel.port(Devices).current.setMtu(r.device('eth1'), 1300);
  b.kernel.port(Devices).current.setMtu(b.device('eth0'), 1300);
  // The first is lost: the router refuses it.
  await expect(net.run(a.ping('fd00:2::2', { lenBytes: 1400 }))).rejects.toThrow();
  await net.run(a.ping('fd00:2::2', { lenBytes: 1400 }));
  await net.run(a.ping('fd00:2::2', { lenBytes: 30_000 }));
  expect(r.kernel.dropReasons().find(({ name }) => name === 'ipv6.too-big')?.count).toBe(1);
  expect(a.kernel.port(Route).present).toBe(true);
});

test('nobody there, and no way there', async () => {
  net = new Net({ modules });
  const [a, b] = [await net.host('a'), await net.host('b')];
  await net.join({ host: a, device: 'eth0', addresses: ['fd00::1/64'] }, { host: b, device: 'eth0' });
  await expect(net.run(a.ping('fd00::77', { timeoutMs: 10_000 }))).rejects.toThrow(/EHOSTUNREACH|ETIMEDOUT/);
  await expect(net.run(a.ping('2001:db8::1'))).rejects.toThrow('ENETUNREACH');
});

/** What loops back belongs to the link of its address (RFC 4007 §6): a socket that is bound there gets it. */
async function toOwnLink(host: NetHost): Promise<void> {
  const { address, ifindex } = host.device('eth0');
  const [server, client] = [host.open(), host.open()];
  server.bind(linkLocal(address), 9, ifindex);
  await net.run(client.send(Uint8Array.of(1, 2, 3), linkLocal(address), 9, ifindex));
  expect((await net.run(server.receive())).data).toEqual(Uint8Array.of(1, 2, 3));
  server.close();
  client.close();
}

function linkLocal(mac: Uint8Array): string {
  const hex = (high: number, low: number): string => ((high << 8) | low).toString(16);
  return `fe80::${hex(mac[0]! ^ 2, mac[1]!)}:${hex(mac[2]!, 0xff)}:${hex(0xfe, mac[3]!)}:${hex(mac[4]!, mac[5]!)}`;
}
