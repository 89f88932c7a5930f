import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { HOOK_FAMILY, HOOK_POINT, Hook, Message, Module, NetworkLayer, SKB_TYPE, SkbPool, SkbPools, VERDICT } from '@softnet/contract';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

// Before anything is imported: this file looks at what users run.
vi.hoisted(() => {
  Object.assign(globalThis, { SOFTNET_DEBUG: '0' });
});

import { onceWarmCalls } from '@softnet/contract/testing';
import { put } from '@softnet/skb';
import { addSums, checksumOf, emitIpv6Packet, emitUdp, pseudoHeaderSum, sumBytes } from '@softnet/wire';
import { G, ints, join, set, source } from './group-values.ts';
import { MldLink, query, words } from './mld-link.ts';
import { packetOf, RawPeer } from './raw-peer.ts';

const INET6 = 10;
const CHUNK = 500;
/** An object is 16 bytes at least, a number in a box 16. */
const NOTHING = 1;
const GROUP = 'ff05::1:3';
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

let peer: RawPeer;
let receive: (packet: Uint8Array) => void;
beforeEach(async () => {
  peer = await RawPeer.boot();
  const { kernel } = peer.host;
  const pool = kernel.port(SkbPool);
  const device = peer.host.device('eth0');
  const layer = kernel.contributions(NetworkLayer).items[0]!;
  receive = (bytes) => {
    const skb: Skb = pool.current.alloc(64, bytes.length)!;
    skb.memory.bytes.set(bytes, put(skb, bytes.length));
    skb.type = SKB_TYPE.MULTICAST;
    skb.ifindex = device.ifindex;
    layer.receive(skb, device);
  };
});
afterEach(async () => {
  expect(peer.host.kernel.port(SkbPools).current.usage()[0]!.skbsOut).toBe(0);
  await peer.end();
});

const udp = { srcPort: 9, dstPort: 5000, payload: new Uint8Array(1000) };
const whole = emitUdp({ ...udp, checksum: 0 });
const sum = sumBytes(new DataView(whole.buffer), 0, whole.length);
const checksum = checksumOf(addSums(sum, pseudoHeaderSum(...words('fd00::9'), ...words(GROUP), 17, whole.length)));
const packet = emitIpv6Packet(packetOf({ dst: GROUP, hopLimit: 1, payload: emitUdp({ ...udp, checksum }) }));

function member(port: number): { take: () => number; close: () => void } {
  const user = peer.host.open({ family: INET6 });
  user.sock.flags |= 1;
  // A program's own affair, which makes some.
  user.sock.wake = null;
  user.bind('::', port);
  const { ifindex } = peer.host.device('eth0');
  join(user, GROUP, ifindex);
  expect(set(user, ...source(G.MCAST_BLOCK_SOURCE, GROUP, 'fd00::77', ifindex))).toBe(0);
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
  await peer.net.pass(2000);
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
  await peer.net.pass(2000);
  const { bytes } = onceWarmCalls(NOTHING, CHUNK, () => {
    receive(packet);
    for (const each of members) if (each.take() !== 1000) throw new Error('nothing came');
  });
  expect(bytes).toBeLessThan(NOTHING);
  for (const each of members) each.close();
});

test('a packet to a group leaves, and what nobody has joined is dropped, without a byte of garbage', async () => {
  await peer.net.run(peer.host.kernel.load(VoidModule));
  const user = peer.host.open({ family: INET6 });
  expect(set(user, G.MULTICAST_IF, ints(peer.host.device('eth0').ifindex))).toBe(0);
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

test('a flood of queries that ask for ever other sources, and of reports of ever other groups, keeps nothing', async () => {
  const link = await MldLink.open();
  const { host, net } = link.peer;
  const user = host.open({ family: INET6 });
  join(user, GROUP, host.device('eth0').ifindex);
  let at = 0;
  const flood = async (rounds: number): Promise<number> => {
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < 200; i++) {
        const sources = [0, 1, 2].map(() => words(`fd00::${(++at >> 16).toString(16)}:${(at & 0xffff).toString(16)}`));
        const group = `ff05::${(at & 0xffff).toString(16)}`;
        if (i % 2 === 0) link.send(query(GROUP, { sources, maxResponseMs: 8_000_000 }));
        else link.send({ type: 131, group: words(group) }, { dst: GROUP });
      }
      await link.peer.answers(1);
    }
    link.peer.drops();
    globalThis.gc!();
    return process.memoryUsage().heapUsed;
  };
  const heaps: number[] = [];
  for (let window = 0; window < 8; window++) heaps.push(await flood(3));
  const grown = heaps.slice(1).map((bytes, i) => bytes - heaps[i]!);
  // Of 300 queries with 900 sources, and as many reports: none, once it is warm.
  expect(Math.min(...grown)).toBeLessThan(5000);
  user.close();
  await net.pass(1);
  await link.peer.end();
});
