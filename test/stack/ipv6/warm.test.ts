import { Message } from '@softnet/contract';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

// Before anything is imported: this file looks at what users run.
vi.hoisted(() => {
  Object.assign(globalThis, { SOFTNET_DEBUG: '0' });
});

import type { Ipv6Packet } from '@softnet/wire';
import { emitEthernet, emitIpv6Packet } from '@softnet/wire';
import { inputTo } from '../ipv4/input-to.ts';
import { VoidModule } from '../ipv4/void-module.ts';
import { CHUNK, withoutGarbage } from '../ipv4/without-garbage.ts';
import { FAR as BEYOND, BurstHost, NEAR, OUR_MAC, PEER_MAC } from '../offload/burst-host.ts';
import { bytesOf, echo, icmp, rawPacket } from './bad-input/row.ts';
import { FAR, fragment, HOST, PEER, packetOf, RawPeer } from './raw-peer.ts';

const PAD = '010400000000';

const packet = (values: Partial<Ipv6Packet>): Uint8Array => emitIpv6Packet(packetOf(values));

let peer: RawPeer;
let receive: (packet: Uint8Array) => void;
beforeEach(async () => {
  peer = await RawPeer.boot();
  const { kernel } = peer.host;
  kernel.sysctl.set('net.ipv6.conf.all.forwarding', true);
  kernel.sysctl.set('net.ipv6.icmp.msgs_per_sec', 1_000_000);
  kernel.sysctl.set('net.ipv6.icmp.msgs_burst', 1_000_000);
  await peer.net.run(kernel.load(VoidModule));
  receive = inputTo(peer.host);
});
afterEach(() => peer.end());

const counted = (name: string): number => peer.host.kernel.dropReasons().find((each) => each.name === name)!.count;

/** Each of them again and again: so many leave, and no byte of garbage is left. */
function quiet(leaving: number, ...packets: readonly Uint8Array[]): void {
  const calls = withoutGarbage(() => {
    for (let i = 0; i < packets.length; i++) receive(packets[i]!);
  });
  expect(counted('test.void')).toBe(leaving * calls);
}

test('an echo is answered without a byte of garbage', () => {
  quiet(1, rawPacket(58, icmp(128, 0, 1, new Uint8Array(56))));
});

test('so it is behind extension headers', () => {
  quiet(1, rawPacket(0, bytesOf(`3c000502 00000100 2b00${PAD} 2c00000000000000 3a00000000000001`, echo())));
});

test('a packet is forwarded without a byte of garbage, with hop-by-hop options too', async () => {
  const host = await BurstHost.boot({ gro: false });
  host.sent.out.keeps = false;
  const [src, dst] = [NEAR[1], BEYOND[2]];
  const plain = packet({ src, dst, protocol: 253, payload: new Uint8Array(1400) });
  const options = rawPacket(0, bytesOf('fd00050200000100', new Uint8Array(100)), { src, dst });
  const arrivals = [plain, options].map((payload) => ({
    bytes: emitEthernet({ dst: OUR_MAC, src: PEER_MAC, tags: [], type: 0x86dd, payload }),
  }));
  const calls = withoutGarbage(() => host.poll(arrivals));
  expect(host.sent.out.count).toBe(2 * calls);
  await host.end();
});

test('fragments are put together, and the answer is cut, without a byte of garbage', () => {
  const whole = icmp(128, 0, 7, new Uint8Array(2000));
  const parts = [0, 1000].map((from) => {
    const payload = whole.subarray(from, from === 0 ? 1000 : whole.length);
    return packet({ protocol: 58, headers: [fragment(from, from === 0)], payload });
  });
  // The second piece goes the way of the first.
  quiet(1, ...parts);
});

test.each([
  ['a hop limit that ran out', packet({ src: FAR, dst: '2001:db8::5', hopLimit: 1, protocol: 253 })],
  ['an option', rawPacket(60, bytesOf('3b00850400000000'), { src: FAR })],
  ['a length that cannot be', rawPacket(60, bytesOf(`3a01${PAD}`), { src: FAR })],
  ['a protocol that nobody knows', packet({ src: FAR, protocol: 200 })],
])('%s is told to each new sender without a byte of garbage', (_what, bad) => {
  let senders = 0;
  withoutGarbage(() => {
    senders++;
    bad[22] = senders >>> 8;
    bad[23] = senders;
    receive(bad);
  });
  expect(counted('test.void')).toBeGreaterThan(CHUNK);
});

test('an advertisement without a link address is heard, of whoever is known and of a stranger, without a byte of garbage', () => {
  const whole = { hopLimit: 255 } as const;
  const of = (target: string): Uint8Array => rawPacket(58, icmp(136, 0, 0x60000000, bytesOf(target), whole), whole);
  quiet(0, of('fd000000000000000000000000000009'), of('fd000000000000000000000000000055'));
});

test('what is wrong is dropped without a byte of garbage', () => {
  const wrong = [
    rawPacket(60, bytesOf('3b00450400000000')),
    rawPacket(44, bytesOf('3a000001000000')),
    rawPacket(58, echo().with(3, 9)),
    rawPacket(58, icmp(1, 4, 0, rawPacket(17, bytesOf('0fa0000700080000'), { src: HOST, dst: FAR }))),
    packet({ protocol: 59 }),
    packet({ dst: 'ff02::77' }),
  ];
  quiet(0, ...wrong);
});

test('a datagram is sent, labelled, and cut, without a byte of garbage', () => {
  const user = peer.host.open();
  user.connect(PEER, 9);
  const { calls: socket } = user.sock.ops;
  const message = new Message();
  const send = (bytes: Uint8Array): void => {
    message.data = bytes;
    if (socket!.send(user.sock, message) < 0) throw new Error('not sent');
  };
  const [small, large] = [new Uint8Array(100), new Uint8Array(4000)];
  const whole = withoutGarbage(() => send(small));
  const cut = withoutGarbage(() => send(large));
  expect(counted('test.void')).toBe(whole + cut);
  user.close();
});
