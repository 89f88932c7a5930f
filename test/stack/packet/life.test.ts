import { PACKET_OPTION, SOCK_TYPE } from '@softnet/contract';
import { NetdevModule } from '@softnet/netdev';
import { PacketModule } from '@softnet/packet';
import { SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { macOf, packetHosts } from './packet-hosts.ts';
import type { PacketUser } from './packet-user.ts';
import { frame } from './packet-user.ts';

const { RAW, DGRAM } = SOCK_TYPE;
const MINE = 0x88b5;

let net: Awaited<ReturnType<typeof packetHosts>>;
beforeAll(async () => {
  net = await packetHosts();
});
afterAll(async () => {
  expect(await net.end()).toEqual([]);
});

/** How many each is given of one frame. */
async function heard(from: PacketUser, ...users: readonly PacketUser[]): Promise<number[]> {
  expect(from.send(frame(macOf(net.farEth), macOf(net.nearEth), MINE, [1, 2]))).toBe(16);
  await net.settle();
  return users.map((user) => user.all().length);
}

test('the module is replaced: old sockets go on beside new ones, each is given a frame once', async () => {
  const { b, world } = net;
  const [from, old] = [net.near(RAW, MINE), net.far()];
  from.bind(net.nearEth);
  const { drained } = await world.run(b.kernel.replace('packet', PacketModule));
  const young = net.far(DGRAM, MINE);
  expect(await heard(from, old, young)).toEqual([1, 1]);
  old.close();
  expect((await world.run(drained!)).outcome).toBe('gone');
  expect(await heard(from, young)).toEqual([1]);
  from.close();
  young.close();
});

test.each([
  ['netdev', NetdevModule],
  ['socket', SocketModule],
  ['skb', SkbModule],
] as const)('%s is replaced below open sockets: they go on, with what they have joined and what waits', async (name, module) => {
  const { a, b, world } = net;
  const [from, to] = [net.near(RAW, MINE), net.far()];
  from.bind(net.nearEth);
  const promisc = Uint8Array.of(net.farEth.ifindex, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  expect(to.set(PACKET_OPTION.ADD_MEMBERSHIP, promisc)).toBe(0);
  from.send(frame(macOf(net.farEth), macOf(net.nearEth), MINE, [1, 2]));
  await net.settle();
  for (const { kernel } of [a, b]) await world.run(kernel.replace(name, module));
  expect([await heard(from, to), net.farEth.allFramesUsers]).toEqual([[2], 1]);
  to.close();
  from.close();
  expect(net.farEth.allFramesUsers).toBe(0);
});

test('the module leaves: nobody new comes in, who is inside goes on, and holds it up', async () => {
  const { b, world } = net;
  const [from, to] = [net.near(RAW, MINE), net.far()];
  from.bind(net.nearEth);
  const unload = b.kernel.unload('packet');
  await net.settle();
  expect(() => net.far()).toThrow();
  expect(await heard(from, to)).toEqual([1]);
  to.close();
  expect((await world.run(unload)).outcome).toBe('gone');
  from.close();
});
