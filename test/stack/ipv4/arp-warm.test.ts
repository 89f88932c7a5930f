import { EthertypeHandler, SKB_TYPE } from '@softnet/contract';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

// Before anything is imported: this file looks at what users run.
vi.hoisted(() => {
  Object.assign(globalThis, { SOFTNET_DEBUG: '0' });
});

import type { ArpPacket } from '@softnet/ipv4';
import { emitArp } from '@softnet/ipv4';
import { inputTo } from './input-to.ts';
import { addPeer, HOST, mac, PEER, PEER_MAC, RawLink, word } from './raw-link.ts';
import { VoidModule } from './void-module.ts';
import { withoutGarbage } from './without-garbage.ts';

let link: RawLink;
let receive: (packet: Uint8Array) => void;
beforeEach(async () => {
  link = await RawLink.open();
  const { kernel } = link.host;
  kernel.sysctl.set('net.ipv4.conf.all.acd', 3);
  link.host.addAddress('eth0', '10.0.0.2/24');
  await addPeer(link.net, link.host, 'eth1', ['10.0.5.1/24']);
  await link.net.pass(20_000);
  await link.peer.introduce(link.net);
  await link.net.run(kernel.load(VoidModule));
  const handler = kernel.contributions(EthertypeHandler).items.find(({ ethertype }) => ethertype === 0x806)!;
  receive = inputTo(link.host, SKB_TYPE.HOST, (skb, device) => handler.input(skb, device));
});
afterEach(async () => {
  expect(link.skbsOut).toBe(0);
  await link.close();
});

const drops = (reason: string): number => link.host.kernel.dropReasons().find(({ name }) => name === reason)!.count;
const arp = (packet: Partial<ArpPacket>): Uint8Array =>
  emitArp({ operation: 1, senderLink: mac(PEER_MAC), sender: word(PEER), targetLink: new Uint8Array(6), target: word(HOST), ...packet });

/** For whom the host stands in. */
const FAR = word('10.0.5.9');

test.each<[what: string, packet: Partial<ArpPacket>, reason: string, settings: Readonly<Record<string, number>>]>([
  ['a request that is answered', {}, 'test.void', {}],
  ['a conflict about an address that is defended', { sender: word('10.0.0.2') }, 'arp.conflict', {}],
  ['a reply of a stranger', { operation: 2, sender: word('8.8.8.8') }, 'arp.unasked', {}],
  ['nonsense', { operation: 9 }, 'arp.operation', {}],
  ['a request whose answer leaves by its device', {}, 'test.void', { 'conf.all.arp_filter': 1 }],
  ['one whose answer would leave by another device', { sender: FAR }, 'arp.filtered', { 'conf.all.arp_filter': 1 }],
  ['a request for another', { target: FAR }, 'test.void', { ip_forward: 1, 'conf.all.proxy_arp': 1 }],
  ['the same, with sources checked', { target: FAR }, 'test.void', { ip_forward: 1, 'conf.all.proxy_arp': 1, 'conf.all.rp_filter': 1 }],
])('%s leaves no garbage', (_what, packet, reason, settings) => {
  for (const [name, value] of Object.entries(settings)) link.host.kernel.sysctl.set(`net.ipv4.${name}`, value);
  const bytes = arp(packet);
  const before = drops(reason);
  const calls = withoutGarbage(() => receive(bytes));
  expect(drops(reason) - before).toBeGreaterThanOrEqual(calls);
});
