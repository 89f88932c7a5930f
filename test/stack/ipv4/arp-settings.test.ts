import { Neighbours, NeighbourTable } from '@softnet/contract';
import type { ArpPacket } from '@softnet/ipv4';
import { formatIpv4 } from '@softnet/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RawPeer } from './raw-link.ts';
import { addPeer, HOST, mac, PEER, PEER_MAC, RawLink, word } from './raw-link.ts';

const INET = 2;
/** eth0 with 10.0.0.1/24, and eth1 with 10.0.1.1/24, and the ends of both. */
let link: RawLink;
let other: RawPeer;
beforeEach(async () => {
  link = await RawLink.open();
  other = await addPeer(link.net, link.host, 'eth1', ['10.0.1.1/24']);
});
afterEach(async () => {
  await link.close();
});

const set = (name: string, value: number): void => link.host.kernel.sysctl.set(`net.ipv4.conf.${name}`, value);
const known = (): string[] =>
  link.host.kernel
    .port(Neighbours)
    .current.entries(INET)
    .filter(({ device }) => device.name === 'eth0')
    .map(({ address3 }) => formatIpv4(address3));
/** Whom the host answers for, of those asked. */
async function answers(packet: Partial<ArpPacket>, waitMs = 1): Promise<string[]> {
  link.peer.frames.length = 0;
  link.peer.arp(packet);
  await link.net.pass(waitMs);
  return link.peer.takeArp().map(({ operation, sender }) => `${operation} ${formatIpv4(sender)}`);
}

describe('arp_ignore', () => {
  test.each<[mode: number, target: string, sender: string, answered: boolean]>([
    [0, HOST, PEER, true],
    [0, '10.0.1.1', PEER, true],
    [1, HOST, PEER, true],
    [1, '10.0.1.1', PEER, false],
    [1, HOST, '192.168.1.1', true],
    [2, HOST, PEER, true],
    [2, HOST, '192.168.1.1', false],
    [2, HOST, '0.0.0.0', true],
    [2, '10.0.1.1', PEER, false],
    [3, '10.0.1.1', PEER, true],
    [3, '10.99.0.1', PEER, false],
    [8, HOST, PEER, false],
    [8, HOST, '0.0.0.0', false],
  ])('%i: for %s asked by %s', async (mode, target, sender, answered) => {
    link.host.addAddress('lo', '10.99.0.1/32', { scope: 254 });
    set('all.arp_ignore', mode);
    expect(await answers({ target: word(target), sender: word(sender) })).toEqual(answered ? [`2 ${target}`] : []);
    expect(known()).toEqual(answered && sender !== '0.0.0.0' ? [sender] : []);
  });
});

test('arp_filter: answered only where the way to the asker leads by this device', async () => {
  set('eth0.arp_filter', 1);
  expect(await answers({})).toEqual([`2 ${HOST}`]);
  expect(await link.dropsOf(() => link.peer.arp({ sender: word('10.0.1.9') }))).toEqual({ 'arp.filtered': 1 });
  expect(await link.dropsOf(() => link.peer.arp({ sender: word('8.8.8.8') }))).toEqual({ 'arp.filtered': 1 });
});

describe('arp_announce', () => {
  // A program that is bound to eth1's address sends by eth0; and one that is bound to the secondary of two subnets.
  test.each<[mode: number, from: string, announced: string]>([
    [0, '10.0.1.1', '10.0.1.1'],
    [1, '10.0.1.1', HOST],
    [2, '10.0.1.1', HOST],
    [0, '10.0.0.2', '10.0.0.2'],
    [1, '10.0.0.2', '10.0.0.2'],
    [2, '10.0.0.2', HOST],
  ])('%i: a packet from %s is asked for as from %s', async (mode, from, announced) => {
    link.host.addAddress('eth0', '10.0.0.2/24');
    set('eth0.arp_announce', mode);
    const user = link.host.open({ family: INET });
    user.bind(from, 9);
    await link.net.run(user.send(Uint8Array.of(1), '10.0.0.50', 9));
    await link.net.pass(1);
    expect(link.peer.takeArp().map(({ sender }) => formatIpv4(sender))).toEqual([announced]);
    user.close();
  });
});

describe('arp_accept', () => {
  test.each<[mode: number, what: string, packet: Partial<ArpPacket>, made: boolean]>([
    [0, 'an announcement', { target: word(PEER) }, false],
    [1, 'an announcement', { target: word(PEER) }, true],
    [1, 'an announcement by reply', { operation: 2, target: word(PEER) }, true],
    [1, 'an announcement of a stranger', { sender: word('8.8.8.8'), target: word('8.8.8.8') }, true],
    [1, 'a request for another', { target: word('10.0.0.7') }, false],
    [2, 'an announcement', { target: word(PEER) }, true],
    [2, 'an announcement of a stranger', { sender: word('8.8.8.8'), target: word('8.8.8.8') }, false],
  ])('%i: %s', async (mode, _what, packet, made) => {
    set('eth0.arp_accept', mode);
    expect(await answers(packet)).toEqual([]);
    expect(known()).toEqual(made ? [formatIpv4(packet.sender ?? word(PEER))] : []);
  });
});

test('drop_gratuitous_arp: announcements are not listened to', async () => {
  await link.peer.introduce(link.net);
  set('eth0.drop_gratuitous_arp', 1);
  const moved = { target: word(PEER), senderLink: mac('02:00:00:00:00:77') };
  expect(await link.dropsOf(() => link.peer.arp(moved))).toEqual({ 'arp.gratuitous': 1 });
  expect(await link.dropsOf(() => link.peer.arp({ ...moved, operation: 2 }))).toEqual({ 'arp.gratuitous': 1 });
  const [entry] = link.host.kernel
    .port(Neighbours)
    .current.entries(INET)
    .filter(({ device }) => device.name === 'eth0');
  expect([...entry!.linkAddress]).toEqual([...mac(PEER_MAC)]);
});

describe('proxy ARP (RFC 1027)', () => {
  const BEHIND = word('10.0.1.9');
  const delay = (ticks: number): void => link.host.kernel.sysctl.set('net.ipv4.neigh.default.proxy_delay', ticks);
  beforeEach(() => {
    link.host.kernel.sysctl.set('net.ipv4.ip_forward', true);
    delay(0);
  });

  test.each<[what: string, settings: Record<string, number>, target: string, answered: boolean]>([
    ['off', {}, '10.0.1.9', false],
    ['for whom there is a way elsewhere', { 'eth0.proxy_arp': 1 }, '10.0.1.9', true],
    ['not where nobody is to be passed on', { 'eth0.proxy_arp': 1, 'eth0.forwarding': 0 }, '10.0.1.9', false],
    ['not for whom is on the same link', { 'eth0.proxy_arp': 1 }, '10.0.0.7', false],
    ['not for whom there is no way', { 'eth0.proxy_arp': 1 }, '172.16.0.1', false],
    ['not for a broadcast', { 'eth0.proxy_arp': 1 }, '10.0.1.255', false],
    ['pvlan: for whom is on the same link', { 'eth0.proxy_arp_pvlan': 1 }, '10.0.0.7', true],
    ['pvlan: not for whom is elsewhere', { 'eth0.proxy_arp_pvlan': 1 }, '10.0.1.9', false],
    ['on another device only', { 'eth1.proxy_arp': 1 }, '10.0.1.9', false],
  ])('%s', async (_what, settings, target, answered) => {
    for (const [name, value] of Object.entries(settings)) set(name, value);
    expect(await answers({ target: word(target) })).toEqual(answered ? [`2 ${target}`] : []);
    expect(known()).toEqual(answered ? [PEER] : []);
  });

  test('not to a probe: who looks for a conflict is not to be misled', async () => {
    set('eth0.proxy_arp', 1);
    expect(await answers({ sender: 0, target: BEHIND })).toEqual([]);
  });

  test('by hand, for single addresses', async () => {
    const table = link.host.kernel.port(NeighbourTable).current;
    table.addProxy(link.host.device('eth0'), INET, [0, 0, 0xffff, BEHIND]);
    expect(await answers({ target: BEHIND })).toEqual(['2 10.0.1.9']);
    expect(await answers({ target: word('10.0.1.8') })).toEqual([]);
    table.removeProxy(link.host.device('eth0'), INET, [0, 0, 0xffff, BEHIND]);
    expect(await answers({ target: BEHIND })).toEqual([]);
  });

  test('waits within proxy_delay, but not who asks this host alone; no more than 64 wait', async () => {
    set('eth0.proxy_arp', 1);
    delay(80);
    expect(await answers({ target: BEHIND }, 0)).toEqual([]);
    await link.net.pass(800);
    expect(link.peer.takeArp().length).toBe(1);
    link.peer.arp({ target: BEHIND }, link.peer.mac);
    await link.net.pass(1);
    expect(link.peer.takeArp().length).toBe(1);
    for (let i = 0; i < 100; i++) link.peer.arp({ target: BEHIND });
    await link.net.pass(1);
    expect(link.peer.takeArp().length).toBeGreaterThanOrEqual(36);
    await link.net.pass(800);
    expect(link.peer.takeArp().length).toBeLessThanOrEqual(64);
  });

  test('brings packets to a host behind', async () => {
    set('eth0.proxy_arp', 1);
    await answers({ target: BEHIND });
    other.answers = true;
    link.peer.ip({ dst: '10.0.1.9' });
    await link.net.pass(2);
    other.arp({ operation: 2, sender: BEHIND, target: word('10.0.1.1') }, other.mac);
    await link.net.pass(2);
    expect(other.takeIp()).toMatchObject([{ src: PEER, dst: '10.0.1.9', ttl: 63 }]);
  });
});
