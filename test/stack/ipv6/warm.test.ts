import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { HOOK_FAMILY, HOOK_POINT, Hook, Message, Module, NetworkLayer, SKB_TYPE, SkbPool, VERDICT } from '@softnet/contract';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

// Before anything is imported: this file looks at what users run.
vi.hoisted(() => {
  Object.assign(globalThis, { SOFTNET_DEBUG: '0' });
});

import { onceWarmCalls } from '@softnet/contract/testing';
import { put } from '@softnet/skb';
import type { Ipv6Packet } from '@softnet/wire';
import { emitEthernet, emitIpv6Packet } from '@softnet/wire';
import { FAR as BEYOND, BurstHost, NEAR, OUR_MAC, PEER_MAC } from '../offload/burst-host.ts';
import { bytesOf, echo, icmp, rawPacket } from './bad-input/row.ts';
import { FAR, fragment, HOST, PEER, packetOf, RawPeer } from './raw-peer.ts';

const CHUNK = 500;
/** An object is 16 bytes at least, a number in a box 16. */
const NOTHING = 1;
const PAD = '010400000000';

const packet = (values: Partial<Ipv6Packet>): Uint8Array => emitIpv6Packet(packetOf(values));

/** Frees what would leave. */
@Module({ name: 'test-void', version: '1.0.0', provides: [Hook] })
class VoidModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const reason = ctx.dropReason('test.void', 'the test is not interested');
    const at = { family: HOOK_FAMILY.NETDEV, point: HOOK_POINT.EGRESS, priority: 0 };
    ctx.contribute(Hook, { name: 'void', ...at, reason, run: () => VERDICT.DROP }, 'door');
  }
}

let peer: RawPeer;
let receive: (packet: Uint8Array) => void;
beforeEach(async () => {
  peer = await RawPeer.boot();
  const { kernel } = peer.host;
  kernel.sysctl.set('net.ipv6.conf.all.forwarding', true);
  kernel.sysctl.set('net.ipv6.icmp.msgs_per_sec', 1_000_000);
  kernel.sysctl.set('net.ipv6.icmp.msgs_burst', 1_000_000);
  await peer.net.run(kernel.load(VoidModule));
  const pool = kernel.port(SkbPool);
  const device = peer.host.device('eth0');
  const layer = kernel.contributions(NetworkLayer).items[0]!;
  receive = (packet) => {
    const skb: Skb = pool.current.alloc(64, packet.length)!;
    skb.memory.bytes.set(packet, put(skb, packet.length));
    skb.type = SKB_TYPE.HOST;
    skb.ifindex = device.ifindex;
    layer.receive(skb, device);
  };
});
afterEach(() => peer.end());

const counted = (name: string): number => peer.host.kernel.dropReasons().find((each) => each.name === name)!.count;

/** Each of them again and again: so many leave, and no byte of garbage is left. */
function quiet(leaving: number, ...packets: readonly Uint8Array[]): void {
  const { bytes, calls } = onceWarmCalls(NOTHING, CHUNK, () => {
    for (let i = 0; i < packets.length; i++) receive(packets[i]!);
  });
  expect(bytes).toBeLessThan(NOTHING);
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
  const { bytes, calls } = onceWarmCalls(NOTHING, CHUNK, () => host.poll(arrivals));
  expect(bytes).toBeLessThan(NOTHING);
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
  ['a protocol that nobody knows', packet({ src: FAR, protocol: 200 })],
])('%s is told to each new sender without a byte of garbage', (_what, bad) => {
  let senders = 0;
  const { bytes } = onceWarmCalls(NOTHING, CHUNK, () => {
    senders++;
    bad[22] = senders >>> 8;
    bad[23] = senders;
    receive(bad);
  });
  expect(bytes).toBeLessThan(NOTHING);
  expect(counted('test.void')).toBeGreaterThan(CHUNK);
});

test('what is wrong is dropped without a byte of garbage', () => {
  const wrong = [
    rawPacket(60, bytesOf('3b00450400000000')),
    rawPacket(60, bytesOf(`3a01${PAD}`)),
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
  const whole = onceWarmCalls(NOTHING, CHUNK, () => send(small));
  const cut = onceWarmCalls(NOTHING, CHUNK, () => send(large));
  expect(Math.max(whole.bytes, cut.bytes)).toBeLessThan(NOTHING);
  expect(counted('test.void')).toBe(whole.calls + cut.calls);
  user.close();
});
