import { DEVICE_FEATURE, FlowKey } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { FakeNic, plugNic } from './fake-nic.ts';
import { bootNetdev, FakeDriver, plug } from './netdev-host.ts';

/** Queue 0 to 5: two shards, each with queues for priorities up to 0, 7 and 15. */
async function boot(priorities: readonly number[] = [0, 7, 15, 0, 7, 15]) {
  const host = await bootNetdev();
  const nic = new FakeNic(host);
  nic.rules = 1000;
  const eth0 = plugNic(host, nic, 'eth0', { rx: priorities.length });
  for (const queue of eth0.rxQueues) {
    Object.assign(queue, { priority: priorities[queue.index], shard: queue.index < priorities.length / 2 ? 0 : 1 });
  }
  const key = Object.assign(new FlowKey(), { remotePort: 99 });
  const moved = (shard: number, priority: number, hash = 1) => {
    host.steering().readerMoved(key, hash, shard, priority);
    return nic.asked.at(-1);
  };
  const counts = () =>
    Object.fromEntries(host.kernel.counters().flatMap(({ name, value }) => (/^steering/.test(name) ? [[name, value]] : [])));
  return { host, nic, eth0, moved, counts };
}

describe('the reader of a flow has moved', () => {
  test.each([
    [0, 0, 0],
    [0, 1, 1],
    [0, 7, 1],
    [0, 8, 2],
    [1, 0, 3],
    [1, 5, 4],
    [1, 15, 5],
  ])('to shard %i with priority %i: queue %i', async (shard, priority, queue) => {
    const { moved, counts } = await boot();
    expect(moved(shard, priority)).toBe(`steer eth0 99 to ${queue} priority ${priority}`);
    expect(counts()).toEqual({ 'steering.steered': 1, 'steering.refused': 0, 'steering.evicted': 0 });
  });

  test('no queue of it reaches up to the priority: the highest; of several, by hash', async () => {
    const { moved } = await boot([0, 3, 3, 0, 0, 0]);
    expect(moved(0, 9, 1)).toMatch('to 1 ');
    expect(moved(0, 9, -1)).toMatch('to 2 ');
    expect([0x20000000, 0x60000000, -0x20000000].map((hash) => moved(1, 0, hash))).toEqual([
      ...[3, 4, 5].map((queue) => `steer eth0 99 to ${queue} priority 0`),
    ]);
  });

  test('each device that is up and can is asked; no room, and no queue of that shard, is counted', async () => {
    const { host, nic, eth0, moved, counts } = await boot();
    const second = plugNic(host, nic, 'eth1', { rx: 1 });
    const deaf = plugNic(host, nic, 'eth2', { rx: 1 });
    host.devices().setFeatures(deaf, 0);
    host.devices().close(plugNic(host, nic, 'eth3', { rx: 1 }));
    plug(host, new FakeDriver(host), 'plain', { features: DEVICE_FEATURE.FLOW_STEERING });
    moved(0, 0);
    expect(nic.asked).toEqual(['steer eth0 99 to 0 priority 0', 'steer eth1 99 to 0 priority 0']);
    expect(counts()).toEqual({ 'steering.steered': 2, 'steering.refused': 0, 'steering.evicted': 0 });
    moved(1, 0);
    expect([nic.asked.slice(2), second.rxQueues[0]!.shard]).toEqual([['steer eth0 99 to 3 priority 0'], 0]);
    nic.rules = 0;
    moved(0, 0);
    expect([counts(), eth0.flowRules]).toEqual([{ 'steering.steered': 3, 'steering.refused': 3, 'steering.evicted': 0 }, []]);
  });

  test('what devices cannot is remembered, in a table of a fixed size', async () => {
    const { host, nic, moved, counts } = await boot();
    nic.rules = 0;
    for (let i = 1; i <= 20_000; i++) host.steering().readerMoved(new FlowKey(), Math.imul(i, 0x85ebca6b), 1, 0);
    const { 'steering.evicted': evicted } = counts();
    expect(evicted).toBeGreaterThanOrEqual(20_000 - 4096);
    nic.rules = 1;
    moved(0, 0, 77);
    expect(counts()['steering.evicted'], 'a device sees to it').toBe(evicted);
  });
});
