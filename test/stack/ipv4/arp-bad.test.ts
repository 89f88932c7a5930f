import { Neighbours, NeighbourTable } from '@softnet/contract';
import type { ArpPacket } from '@softnet/ipv4';
import { emitArp } from '@softnet/ipv4';
import { formatMac } from '@softnet/wire';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EVERYBODY, HOST, mac, PEER, PEER_MAC, RawLink, word } from './raw-link.ts';

const INET = 2;
const OTHER_MAC = '02:00:00:00:00:77';
let link: RawLink;
beforeAll(async () => {
  link = await RawLink.open();
});
beforeEach(() => {
  link.host.kernel.port(NeighbourTable).current.flush(link.host.device('eth0'));
  link.peer.frames.length = 0;
});
afterAll(async () => {
  await link.close();
});

const known = (): string[] =>
  link.host.kernel
    .port(Neighbours)
    .current.entries(INET)
    .filter(({ device }) => device.name === 'eth0')
    .map(({ address3, linkAddress }) => `${address3 === word(PEER) ? PEER : address3} ${formatMac(linkAddress)}`);

/** A request of the peer for the host, changed, as bytes. */
function arp(packet: Partial<ArpPacket> = {}): Uint8Array {
  const usual = { operation: 1, senderLink: mac(PEER_MAC), sender: word(PEER), targetLink: new Uint8Array(6), target: word(HOST) };
  return emitArp({ ...usual, ...packet });
}
/** Such a request with bytes overwritten from an offset on. */
function patched(at: number, ...bytes: number[]): Uint8Array {
  const made = arp();
  made.set(bytes, at);
  return made;
}
const reply = (packet: Partial<ArpPacket> = {}): Uint8Array => arp({ operation: 2, ...packet });

type Bad = [what: string, section: string, reason: string, bytes: () => Uint8Array, to?: 'all'];

/** What is dropped, as what; all of it leaves the neighbours as they are, and unanswered. */
const BAD: readonly Bad[] = [
  ['nothing', 'RFC 826', 'arp.truncated', () => new Uint8Array(0)],
  ['one byte', 'RFC 826', 'arp.truncated', () => arp().slice(0, 1)],
  ['without its last byte', 'RFC 826', 'arp.truncated', () => arp().slice(0, 27)],
  ['without the target', 'RFC 826', 'arp.truncated', () => arp().slice(0, 18)],
  ['hardware 0', 'RFC 826', 'arp.hardware', () => patched(0, 0, 0)],
  ['experimental Ethernet', 'RFC 826', 'arp.hardware', () => patched(0, 0, 2)],
  ['IEEE 802', 'RFC 826', 'arp.hardware', () => patched(0, 0, 6)],
  ['hardware with its bytes swapped', 'RFC 826', 'arp.hardware', () => patched(0, 1, 0)],
  ['protocol IPv6', 'RFC 826', 'arp.protocol', () => patched(2, 0x86, 0xdd)],
  ['protocol ARP', 'RFC 826', 'arp.protocol', () => patched(2, 0x08, 0x06)],
  ['protocol with its bytes swapped', 'RFC 826', 'arp.protocol', () => patched(2, 0x00, 0x08)],
  ['link addresses of 0 bytes', 'RFC 826', 'arp.lengths', () => patched(4, 0, 4)],
  ['link addresses of 8 bytes', 'RFC 826', 'arp.lengths', () => patched(4, 8, 4)],
  ['link addresses of 255 bytes', 'RFC 826', 'arp.lengths', () => patched(4, 255, 4)],
  ['addresses of 16 bytes', 'RFC 826', 'arp.lengths', () => patched(4, 6, 16)],
  ['addresses of 0 bytes', 'RFC 826', 'arp.lengths', () => patched(4, 6, 0)],
  ['operation 0', 'RFC 826', 'arp.operation', () => patched(6, 0, 0)],
  ['RARP', 'RFC 903', 'arp.operation', () => patched(6, 0, 3)],
  ['InARP', 'RFC 2390', 'arp.operation', () => patched(6, 0, 8)],
  ['NAK', 'RFC 1577', 'arp.operation', () => patched(6, 0, 10)],
  ['operation 65535', 'RFC 5494', 'arp.operation', () => patched(6, 255, 255)],
  ['operation with its bytes swapped', 'RFC 826', 'arp.operation', () => patched(6, 1, 0)],
  ['a group as sender', 'RFC 1812 §3.3.2', 'arp.sender', () => arp({ sender: word('239.1.1.1') })],
  ['broadcast as sender', 'RFC 1812 §3.3.2', 'arp.sender', () => arp({ sender: word('255.255.255.255') })],
  ['the subnet’s broadcast as sender', 'RFC 1812 §3.3.2', 'arp.sender', () => arp({ sender: word('10.0.0.255') })],
  ['class E as sender', 'RFC 1112 §4', 'arp.sender', () => arp({ sender: word('240.0.0.1') })],
  ['loopback as sender', 'RFC 1122 §3.2.1.3 g', 'arp.sender', () => arp({ sender: word('127.0.0.1') })],
  ['"this network" as sender', 'RFC 1122 §3.2.1.3 b', 'arp.sender', () => arp({ sender: word('0.0.0.9') })],
  ['a reply of nobody', 'RFC 5227 §2.1', 'arp.sender', () => reply({ sender: 0 })],
  ['a group’s link address', 'RFC 1812 §3.3.2', 'arp.sender-link', () => arp({ senderLink: mac('01:00:5e:00:00:01') })],
  ['everybody’s link address', 'RFC 1812 §3.3.2', 'arp.sender-link', () => arp({ senderLink: mac(EVERYBODY) })],
  ['no link address', 'RFC 826', 'arp.sender-link', () => arp({ senderLink: new Uint8Array(6) })],
  ['our own link address, probing', 'RFC 5227 §2.1.1', 'arp.own', () => arp({ senderLink: mac(link.peer.mac), sender: 0 })],
  ['our own link address, answering', 'RFC 5227 §2.4', 'arp.own', () => reply({ senderLink: mac(link.peer.mac) })],
  ['from our address', 'RFC 5227 §2.4', 'arp.conflict', () => arp({ sender: word(HOST), target: word(PEER) })],
  ['announces our address', 'RFC 5227 §2.4', 'arp.conflict', () => arp({ sender: word(HOST) }), 'all'],
  ['answers for our address', 'RFC 5227 §2.4', 'arp.conflict', () => reply({ sender: word(HOST), target: word(PEER) }), 'all'],
  ['asks for a group', 'RFC 1112 §6.4', 'arp.target', () => arp({ target: word('224.0.0.1') }), 'all'],
  ['asks for everybody', 'RFC 919 §7', 'arp.target', () => arp({ target: word('255.255.255.255') }), 'all'],
  ['asks for loopback', 'RFC 1122 §3.2.1.3 g', 'arp.target', () => arp({ target: word('127.0.0.1') })],
  ['asks for nobody', 'RFC 1122 §3.2.1.3 a', 'arp.target', () => arp({ target: 0 })],
  ['probes for nobody', 'RFC 5227 §2.1', 'arp.target', () => arp({ sender: 0, target: 0 }), 'all'],
  ['a reply to another address', 'RFC 826', 'arp.target-mismatch', () => reply({ target: word('10.0.0.77') })],
  ['a reply to an address of ours elsewhere', 'RFC 826', 'arp.target-mismatch', () => reply({ target: word('10.0.0.255') })],
  [
    'an announcement to somebody else',
    'RFC 5227 §3',
    'arp.target-mismatch',
    () => reply({ target: word(PEER), targetLink: mac(OTHER_MAC) }),
    'all',
  ],
  ['a reply that nobody asked for', 'RFC 5227 §3', 'arp.unasked', () => reply({ sender: word('10.0.0.55') })],
  ['a reply of a stranger', 'RFC 5227 §3', 'arp.unasked', () => reply({ sender: word('8.8.8.8') })],
  [
    'an announcement to us alone, of a stranger',
    'RFC 5227 §3',
    'arp.unasked',
    () => reply({ sender: word('8.8.8.8'), target: word('8.8.8.8') }),
  ],
];

test.each<Bad>(BAD)('%s (%s): %s', async (_what, _section, reason, bytes, to) => {
  await link.peer.introduce(link.net);
  const before = known();
  expect(before).toEqual([`${PEER} ${PEER_MAC}`]);
  expect(await link.dropsOf(() => link.peer.frame(bytes(), 0x806, to === 'all' ? EVERYBODY : link.peer.mac))).toEqual({ [reason]: 1 });
  expect(link.peer.takeArp()).toEqual([]);
  expect(known()).toEqual(before);
});

describe('what only looks bad', () => {
  test.each([
    ['padding to Ethernet’s 46 bytes', 18],
    ['more than is needed', 1000],
  ])('%s', async (_what, paddingBytes) => {
    expect(await link.dropsOf(() => link.peer.frame(Uint8Array.of(...arp(), ...new Uint8Array(paddingBytes).fill(0xee)), 0x806))).toEqual(
      {},
    );
    expect(link.peer.takeArp()).toMatchObject([{ operation: 2, target: word(PEER) }]);
  });

  test.each([
    ['the target’s link address is filled in a request', { targetLink: mac(EVERYBODY) }],
    ['a probe', { sender: 0 }],
  ])('%s', async (_what, packet) => {
    expect(await link.dropsOf(() => link.peer.arp(packet))).toEqual({});
    expect(link.peer.takeArp()).toMatchObject([{ operation: 2, sender: word(HOST) }]);
  });

  test.each([
    ['a reply to all updates whom we know (RFC 3927 §2.5)', { operation: 2 }],
    ['an announcement updates whom we know (RFC 5227 §3)', { target: word(PEER) }],
    ['so does one by reply', { operation: 2, target: word(PEER), targetLink: mac(OTHER_MAC) }],
    ['so does a request for another', { target: word('10.0.0.77') }],
  ])('%s', async (_what, packet) => {
    await link.peer.introduce(link.net);
    expect(await link.dropsOf(() => link.peer.arp({ senderLink: mac(OTHER_MAC), ...packet }))).toEqual({});
    expect(known()).toEqual([`${PEER} ${OTHER_MAC}`]);
  });
});

test('a flood of spoofed requests makes no more neighbours than there may be, and the gateway stays', async () => {
  const { host, peer, net } = link;
  host.kernel.sysctl.set('net.ipv4.neigh.default.gc_thresh3', 64);
  host.addRoute('default', { via: PEER, dev: 'eth0' });
  await peer.introduce(net);
  for (let i = 0; i < 2000; i++) {
    peer.arp({ sender: word('10.1.0.0') + i, senderLink: Uint8Array.of(2, 1, 0, 0, i >>> 8, i) }, peer.mac);
    if (i % 200 === 199) await net.pass(1);
  }
  await net.pass(1);
  expect(known().length).toBeLessThanOrEqual(64);
  expect(link.skbsOut).toBe(0);
});
