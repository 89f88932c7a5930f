import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { HOOK_FAMILY, HOOK_POINT, Hook, Message, Module, NetworkLayer, SKB_TYPE, SkbPool, VERDICT } from '@softnet/contract';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

// Before anything is imported: this file looks at what users run.
vi.hoisted(() => {
  Object.assign(globalThis, { SOFTNET_DEBUG: '0' });
});

import { onceWarmCalls } from '@softnet/contract/testing';
import { put } from '@softnet/skb';
import { emitIpv4Packet, emitUdp } from '@softnet/wire';
import { addresses, G, join, set } from './group-values.ts';
import { ipv4, RawLink } from './raw-link.ts';

const INET = 2;
const CHUNK = 500;
/** An object is 16 bytes at least, a number in a box 16. */
const NOTHING = 1;
const GROUP = '239.1.1.1';
/** One for all users: a view of each other one would be an object. */
const PLACE = new Uint8Array(2000);

/** Frees what would leave. */
@Module({ name: 'test-void', version: '1.0.0', provides: [Hook] })
class VoidModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const reason = ctx.dropReason('test.void', 'the test is not interested');
    const at = { family: HOOK_FAMILY.NETDEV, point: HOOK_POINT.EGRESS, priority: 0 };
    ctx.contribute(Hook, { name: 'void', ...at, reason, run: () => VERDICT.DROP }, 'door');
  }
}

let link: RawLink;
let receive: (packet: Uint8Array) => void;
beforeEach(async () => {
  link = await RawLink.open();
  const { kernel } = link.host;
  link.host.addRoute('224.0.0.0/4', { dev: 'eth0' });
  const pool = kernel.port(SkbPool);
  const device = link.host.device('eth0');
  const layer = kernel.contributions(NetworkLayer).items[0]!;
  receive = (packet) => {
    const skb: Skb = pool.current.alloc(64, packet.length)!;
    skb.memory.bytes.set(packet, put(skb, packet.length));
    skb.type = SKB_TYPE.MULTICAST;
    skb.ifindex = device.ifindex;
    layer.receive(skb, device);
  };
});
afterEach(async () => {
  expect(link.skbsOut).toBe(0);
  await link.close();
});

const packet = emitIpv4Packet(
  ipv4({ dst: GROUP, ttl: 1, payload: emitUdp({ srcPort: 9, dstPort: 5000, checksum: 0, payload: new Uint8Array(1000) }) }),
);

function member(port: number): { take: () => number; close: () => void } {
  const user = link.host.open({ family: INET });
  user.sock.flags |= 1;
  // A program's own affair, which makes some.
  user.sock.wake = null;
  user.bind('0.0.0.0', port);
  join(user, GROUP, link.host.device('eth0').ifindex);
  expect(set(user, G.BLOCK_SOURCE, addresses(GROUP, '10.0.0.1', '10.0.0.77'))).toBe(0);
  const message = new Message();
  message.data = PLACE;
  const { calls } = user.sock.ops;
  const take = (): number => {
    message.flags = 0;
    return calls!.receive(user.sock, message);
  };
  return { take, close: () => user.close() };
}

test('a packet to a group comes to its member without a byte of garbage', async () => {
  const one = member(5000);
  await link.net.pass(2000);
  let got = 0;
  const { bytes, calls } = onceWarmCalls(NOTHING, CHUNK, () => {
    receive(packet);
    if (one.take() === 1000) got++;
  });
  expect([bytes < NOTHING, got === calls]).toEqual([true, true]);
  one.close();
});

test('and to three members', async () => {
  const members = [member(5000), member(5000), member(5000)];
  await link.net.pass(2000);
  const { bytes } = onceWarmCalls(NOTHING, CHUNK, () => {
    receive(packet);
    for (const each of members) if (each.take() !== 1000) throw new Error('nothing came');
  });
  expect(bytes).toBeLessThan(NOTHING);
  for (const each of members) each.close();
});

test('a packet to a group leaves, and what nobody has joined is dropped, without a byte of garbage', async () => {
  await link.net.run(link.host.kernel.load(VoidModule));
  const user = link.host.open({ family: INET });
  user.connect(GROUP, 5000);
  const message = new Message();
  message.data = new Uint8Array(100);
  const { bytes } = onceWarmCalls(NOTHING, CHUNK, () => {
    if (user.sock.ops.calls!.send(user.sock, message) < 0) throw new Error('not sent');
    receive(packet);
  });
  expect(bytes).toBeLessThan(NOTHING);
  user.close();
});
