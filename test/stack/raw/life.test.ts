import { ERRNO } from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { RawModule } from '@softnet/raw';
import { SocketModule } from '@softnet/socket';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rawHosts } from './raw-hosts.ts';
import type { RawUser } from './raw-user.ts';

const MINE = 253;
const PAYLOAD = [1, 2, 3, 4, 5, 6, 7, 8];

let net: Awaited<ReturnType<typeof rawHosts>>;
beforeAll(async () => {
  net = await rawHosts();
});
afterAll(async () => {
  expect(await net.end()).toEqual([]);
});

/** How many each is given of one packet to `10.0.0.2`. */
async function heard(from: RawUser, ...users: readonly RawUser[]): Promise<number[]> {
  expect(from.send(PAYLOAD, '10.0.0.2:0')).toBe(PAYLOAD.length);
  await net.settle();
  return users.map((user) => user.all().length);
}

test.each(['drain', 'handover'] as const)('its layer is replaced (%s): who listens and who is connected go on', async (mode) => {
  const { b, world } = net;
  const [from, bound, peer] = [net.near(MINE), net.far(MINE), net.far(MINE)];
  bound.bind('10.0.0.2:0');
  peer.connect('10.0.0.1:0');
  const replaced = b.kernel.replace('ipv4', Ipv4Module, { mode });
  await world.run(replaced);
  await net.settle();
  expect(await heard(from, bound, peer)).toEqual([1, 1]);
  expect([peer.send(PAYLOAD), bound.send(PAYLOAD, '10.0.0.1:0')]).toEqual([8, 8]);
  await net.settle();
  expect(from.all()).toHaveLength(2);
  for (const user of [from, bound, peer]) user.close();
});

test('the module is replaced: old sockets go on beside new ones, each is given a packet once', async () => {
  const { b, world } = net;
  const [from, old] = [net.near(MINE), net.far(MINE)];
  const { drained } = await world.run(b.kernel.replace('raw', RawModule));
  const young = net.far(MINE);
  expect(await heard(from, old, young)).toEqual([1, 1]);
  old.close();
  expect((await world.run(drained!)).outcome).toBe('gone');
  expect(await heard(from, young)).toEqual([1]);
  from.close();
  young.close();
});

test('the module that has the tables of sockets is replaced: raw ones stand in none', async () => {
  const { b, world } = net;
  const [from, to] = [net.near(MINE), net.far(MINE)];
  await world.run(b.kernel.replace('socket', SocketModule));
  expect(await heard(from, to)).toEqual([1]);
  to.close();
  from.close();
});

test('the module leaves: nobody new comes in, who is inside goes on, and holds it up', async () => {
  const { b, world } = net;
  const [from, to] = [net.near(MINE), net.far(MINE)];
  const unload = b.kernel.unload('raw');
  await net.settle();
  expect(() => net.far(MINE)).toThrow();
  expect(await heard(from, to)).toEqual([1]);
  from.connect('10.0.0.2:0');
  to.close();
  expect((await world.run(unload)).outcome).toBe('gone');
  // From now on its protocol is unknown there.
  from.send(PAYLOAD);
  await net.settle();
  expect(from.receive()).toBe(-ERRNO.ENOPROTOOPT);
  from.close();
});

test('its layer goes by force: it is closed, and its user told', async () => {
  const { a, world } = net;
  const user = net.near(MINE);
  await world.run(a.kernel.unload('ipv4', { force: true, cascade: true }));
  expect([user.send(PAYLOAD, '10.0.0.2:0'), user.woken > 0]).toEqual([-ERRNO.EBADF, true]);
});
