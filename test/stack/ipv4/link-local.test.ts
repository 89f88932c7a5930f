import { createHash } from 'node:crypto';
import { NetworkLayer } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import type { NetHost } from '@softnet/testkit';
import { formatIpv4 } from '@softnet/wire';
import { expect, test } from 'vitest';
import { tsharkComplaints } from '../../interop/linux/tshark.ts';
import { Hub } from './hub.ts';
import { addPeer, RawLink, word } from './raw-link.ts';

const INET = 2;
const LINK_LOCAL = { 'net.ipv4.conf.all.link_local': 1 };
/** A claim takes nine seconds at most. */
const LONG_MS = 20_000;

const addressesOf = (host: NetHost): string[] =>
  [...host.kernel.contributions(NetworkLayer).items.findLast(({ family }) => family === INET)!.addresses]
    .filter(({ device, flags }) => device.name !== 'lo' && (flags & 0x48) === 0)
    .map(({ address, prefixLen, scope }) => `${formatIpv4(address[3])}/${prefixLen} ${scope}`);

/** So many hosts choose addresses at once. Returns them, and the capture. */
async function together(count: number, seed: number): Promise<{ addresses: string[]; capture: Buffer }> {
  const hub = await Hub.open(seed);
  const captured = hub.capture();
  for (let i = 0; i < count; i++) await hub.plug(LINK_LOCAL);
  await hub.net.pass(LONG_MS);
  const addresses = hub.hosts.flatMap(addressesOf);
  await hub.net.run(hub.hosts[0]!.ping(addresses.at(-1)!.split('/')[0]!));
  const capture = captured();
  await hub.close();
  return { addresses, capture };
}

test('fifty hosts on one link have fifty addresses, and reach one another', async ({ skip }) => {
  const { addresses, capture } = await together(50, 5);
  expect(addresses.length).toBe(50);
  expect(new Set(addresses).size).toBe(50);
  for (const address of addresses) expect(address).toMatch(/^169\.254\.\d+\.\d+\/16 253$/);
  const reading = await tsharkComplaints(capture);
  if (reading === null) return skip('tshark is not installed: nobody else has read the capture');
  expect(reading.packets).toBeGreaterThan(50 * 5);
  expect(reading.complaints).toEqual([]);
});

test('the same seed gives the same capture, byte for byte; another seed another one', async () => {
  const digest = async (seed: number): Promise<string> =>
    createHash('sha256')
      .update((await together(5, seed)).capture)
      .digest('hex');
  const first = await digest(5);
  expect(await digest(5)).toBe(first);
  expect(await digest(6)).not.toBe(first);
});

test('hosts that would choose the same address agree: the second takes another', async () => {
  const hub = await Hub.open(9);
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
  await hub.plug(LINK_LOCAL, mac);
  await hub.net.pass(LONG_MS);
  const [first] = addressesOf(hub.hosts[0]!);
  // A host of another vendor that has the same idea: here it is given by hand.
  const other = await hub.plug({ 'net.ipv4.conf.all.acd': 1 });
  other.addAddress('eth0', first!.split(' ')[0]!);
  await hub.net.pass(LONG_MS);
  expect(addressesOf(hub.hosts[0]!)).toEqual([first]);
  expect(addressesOf(other)).toEqual([]);
  await hub.close();
});

test('a conflict later is answered once; at the second the next address is chosen (RFC 3927 §2.5)', async () => {
  const link = await RawLink.open([]);
  link.host.kernel.sysctl.set('net.ipv4.conf.eth0.link_local', 1);
  await link.net.pass(LONG_MS);
  const [first] = addressesOf(link.host);
  const address = word(first!.split('/')[0]!);
  link.peer.frames.length = 0;
  link.peer.arp({ sender: address, target: address });
  await link.net.pass(100);
  expect(link.peer.takeArp()).toMatchObject([{ sender: address, target: address }]);
  expect(addressesOf(link.host)).toEqual([first]);
  link.peer.arp({ sender: address, target: address });
  await link.net.pass(LONG_MS);
  const [second, ...more] = addressesOf(link.host);
  expect(more).toEqual([]);
  expect(second).not.toBe(first);
  await link.close();
});

test('is answered for to all (§2.5), and only on its own link', async () => {
  const link = await RawLink.open([]);
  link.host.kernel.sysctl.set('net.ipv4.conf.eth0.link_local', 1);
  await link.net.pass(LONG_MS);
  const address = word(addressesOf(link.host)[0]!.split('/')[0]!);
  link.peer.frames.length = 0;
  link.peer.arp({ sender: word('169.254.9.9'), target: address }, link.peer.mac);
  await link.net.pass(10);
  expect(link.peer.takeArp()).toMatchObject([{ operation: 2, sender: address, to: 'ff:ff:ff:ff:ff:ff' }]);
  await link.close();
});

test('gives way to a routable address, and comes back, the same, when that goes (§1.9)', async () => {
  const link = await RawLink.open([]);
  link.host.kernel.sysctl.set('net.ipv4.conf.eth0.link_local', 1);
  await link.net.pass(LONG_MS);
  const before = addressesOf(link.host);
  expect(before.length).toBe(1);
  link.host.addAddress('eth0', '10.0.0.1/24');
  expect(addressesOf(link.host)).toEqual(['10.0.0.1/24 0']);
  link.host.removeAddress('eth0', '10.0.0.1/24');
  await link.net.pass(LONG_MS);
  expect(addressesOf(link.host)).toEqual(before);
  link.host.down('eth0');
  link.host.up('eth0');
  await link.net.pass(LONG_MS);
  expect(addressesOf(link.host)).toEqual(before);
  link.host.kernel.sysctl.set('net.ipv4.conf.eth0.link_local', 0);
  expect(addressesOf(link.host)).toEqual([]);
  await link.close();
});

test('no router passes packets on that are of a link (§7)', async () => {
  const link = await RawLink.open();
  const other = await addPeer(link.net, link.host, 'eth1', ['169.254.1.1/16']);
  link.host.kernel.sysctl.set('net.ipv4.ip_forward', true);
  link.host.addRoute('192.0.2.0/24', { dev: 'eth1' });
  await link.peer.introduce(link.net);
  expect(await link.dropsOf(() => link.peer.ip({ dst: '169.254.9.9' }))).toEqual({ 'ipv4.link-local': 1 });
  expect(await link.dropsOf(() => link.peer.ip({ src: '169.254.9.9', dst: '192.0.2.1' }))).toEqual({ 'ipv4.link-local': 1 });
  expect(other.frames).toEqual([]);
  await link.close();
});

test.each(['handover', 'drain'] as const)('stays across a replacement by %s, and is still looked after', async (mode) => {
  const link = await RawLink.open([]);
  link.host.kernel.sysctl.set('net.ipv4.conf.eth0.link_local', 1);
  await link.net.pass(LONG_MS);
  const before = addressesOf(link.host);
  const { drained } = await link.net.run(link.host.kernel.replace('ipv4', Ipv4Module, { mode }));
  expect(await link.net.run(drained)).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
  await link.net.pass(1);
  expect(addressesOf(link.host)).toEqual(before);
  link.host.addAddress('eth0', '10.0.0.1/24');
  expect(addressesOf(link.host)).toEqual(['10.0.0.1/24 0']);
  await link.close();
});
