import { DeviceKind, SkbPools } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { World } from '@softnet/kernel';
import { Cable, WireModule } from '@softnet/nic-driver';
import { SkbModule } from '@softnet/skb';
import { expect, test } from 'vitest';
import { addDevice, drops, Frames, frameHost } from './frames.ts';

const MEMORY = { buffers: 4, pages: 0 };

/** Two hosts on two cables; at b, eth0 has memory of its own, eth1 has not. */
async function boot() {
  const world = new World({ seed: 1 });
  const [a, b] = [await frameHost(world, 'a'), await frameHost(world, 'b')];
  for (const kernel of [a, b]) await world.run(kernel.load(WireModule));
  const cables = [new Cable({ delayUs: 100 }), new Cable({ delayUs: 100 })] as const;
  const near = [
    await addDevice(a, 'wire', 'eth0', { cable: cables[0] }),
    await addDevice(a, 'wire', 'eth1', { cable: cables[1] }),
  ] as const;
  const eth0 = await addDevice(b, 'wire', 'eth0', { cable: cables[0], ...MEMORY });
  const eth1 = await addDevice(b, 'wire', 'eth1', { cable: cables[1] });
  const send = (index: 0 | 1, count: number): void => {
    for (let i = 0; i < count; i++) a.port(Frames).current.send(near[index], Uint8Array.of(i));
  };
  return { world, a, b, eth0, eth1, send };
}

function ownPool(kernel: Kernel) {
  return kernel
    .port(SkbPools)
    .current.usage()
    .find(({ name }) => name === 'eth0');
}

test('a device that is flooded uses up its own memory, and nobody else’s', async () => {
  const { world, b, eth0, eth1, send } = await boot();
  expect(ownPool(b)).toMatchObject({ buffers: 4, buffersIdle: 4, pages: 0 });
  send(0, 10);
  expect([eth0.stats.rxMissed, ownPool(b)!.buffersIdle, ownPool(b)!.skbsOut]).toEqual([6, 0, 4]);
  send(1, 10);
  await world.advance(1000);
  expect([eth0.stats.rxPackets, eth1.stats.rxPackets, eth1.stats.rxMissed]).toEqual([4, 10, 0]);
  expect([ownPool(b)!.buffersIdle, drops(b)]).toEqual([4, { 'skb.no-buffer': 6 }]);
});

test('more than there is: said with what to do, and the end of the cable is free for another try', async () => {
  const { b } = await boot();
  const cable = new Cable();
  await expect(addDevice(b, 'wire', 'eth2', { cable, buffers: 100_000 })).rejects.toThrow(
    /^ENOBUFS: the pool eth2 asks for 100000 buffers, but \d+ are idle: ask for fewer, or raise net.core.skb_buffers$/,
  );
  await expect(addDevice(b, 'wire', 'eth2', { cable, pages: -1 })).rejects.toThrow(/^EINVAL: wire: pages takes how many/);
  expect(cable.ends.map(({ port }) => port)).toEqual([null, null]);
  await addDevice(b, 'wire', 'eth2', { cable, end: 0 });
});

test('it does not hold packet memory up, and has its own again when that stays', async () => {
  const { world, b, eth0, send } = await boot();
  send(0, 3);
  const leaving = b.unload('skb', { cascade: true });
  expect(b.holders('skb').map(({ kind }) => kind)).toEqual(['skb']);
  send(0, 1);
  await world.run(b.abort('skb'));
  expect(await world.run(leaving)).toMatchObject({ outcome: 'live' });
  send(0, 2);
  await world.advance(1000);
  expect([eth0.stats.rxPackets, eth0.stats.rxMissed, ownPool(b)?.buffers]).toEqual([6, 0, 4]);
  expect(await world.run(b.unload('skb', { cascade: true }))).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
});

test('replaced below it or with it, it has as much again', async () => {
  const { world, b, eth0, send } = await boot();
  for (const [name, source] of [
    ['skb', SkbModule],
    ['wire', WireModule],
  ] as const) {
    send(0, 2);
    await world.run(b.replace(name, source));
    expect([b.contributions(DeviceKind).items.length, ownPool(b)?.buffers]).toEqual([1, 4]);
    send(0, 2);
    await world.advance(1000);
  }
  expect([eth0.stats.rxPackets, eth0.stats.rxMissed, ownPool(b)?.buffersIdle]).toEqual([8, 0, 4]);
});
