import type { NetworkLayer, Skb } from '@softnet/contract';
import { BACKLOG_DEPTH, TRANSMIT } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import type { NetdevHost } from './netdev-host.ts';
import { bootNetdev, FakeDriver, FakeHandler, frame, packet, plug, textOf } from './netdev-host.ts';

async function boot() {
  const host = await bootNetdev();
  const device = plug(host, new FakeDriver(host), 'eth0');
  const ip = new FakeHandler();
  await host.load('ip', { handlers: [ip] });
  const waiting = () => host.kernel.holders('netdev').map(({ description, place }) => `${description} at ${place}`);
  return { host, device, ip, waiting };
}

/** A layer that notes what begins again. */
function fakeLayer(host: NetdevHost, again: (skb: Skb) => boolean = () => false): NetworkLayer & { got: string[] } {
  const got: string[] = [];
  const layer = {
    ...{ name: 'fake', family: 2, got },
    reenter(skb: Skb): number {
      if (again(skb)) {
        host.backlog().send(skb, layer);
        return TRANSMIT.OK;
      }
      got.push(textOf(skb));
      skb.memory.pool.release(skb);
      return TRANSMIT.OK;
    },
  } as unknown as NetworkLayer & { got: string[] };
  return layer;
}

describe('to be received', () => {
  test('with an empty stack, in order, by the softirq loop; counted meanwhile', async () => {
    const { host, device, ip, waiting } = await boot();
    const other = plug(host, new FakeDriver(host), 'eth1');
    const texts = Array.from({ length: 200 }, (_, i) => `${i}`);
    texts.forEach((text, i) => {
      host.backlog().receive(packet(host, frame(text)), i % 70 < 50 ? device : other);
    });
    expect([ip.got, waiting()]).toEqual([[], ['200 skb at netdev.backlog']]);
    await host.settle();
    expect([ip.got, waiting(), host.skbsOut()]).toEqual([texts, [], 0]);
  });

  test('no more than net.core.netdev_max_backlog', async () => {
    const { host, device, ip } = await boot();
    host.kernel.sysctl.set('net.core.netdev_max_backlog', 3);
    for (let i = 0; i < 5; i++) host.backlog().receive(packet(host, frame(`${i}`)), device);
    await host.settle();
    expect([ip.got, host.drops(), device.stats.rxDropped, host.skbsOut()]).toEqual([['0', '1', '2'], { 'backlog.full': 2 }, 2, 0]);
  });

  test('no packet for ever', async () => {
    const { host, device, ip } = await boot();
    let rounds = 0;
    ip.input = (skb, { name }) => {
      rounds++;
      expect(name).toBe('eth0');
      skb.data = skb.mac;
      skb.len = skb.tail - skb.data;
      host.backlog().receive(skb, device);
    };
    host.backlog().receive(packet(host, frame('round and round')), device);
    await host.settle();
    expect([rounds, host.drops(), host.skbsOut()]).toEqual([BACKLOG_DEPTH, { 'backlog.depth': 1 }, 0]);
  });

  test('a device that went, or is down', async () => {
    const { host, device, ip } = await boot();
    const other = plug(host, new FakeDriver(host), 'eth1');
    host.backlog().receive(packet(host, frame('a')), device);
    host.backlog().receive(packet(host, frame('b')), other);
    host.devices().unregister(device);
    host.devices().close(other);
    await host.settle();
    expect([ip.got, host.drops(), host.skbsOut()]).toEqual([[], { 'backlog.no-device': 1, 'netdev.down': 1 }, 0]);
  });

  test('an unload waits for what is in it', async () => {
    const { host, device, ip } = await boot();
    host.backlog().receive(packet(host, frame('late')), device);
    host.devices().close(device);
    host.devices().open(device);
    const unload = host.kernel.unload('netdev');
    expect((await host.run(unload)).outcome).toBe('gone');
    expect([ip.got, host.skbsOut()]).toEqual([['late'], 0]);
  });
});

describe('to be sent', () => {
  test('by their layer, as its module, in order', async () => {
    const { host, waiting } = await boot();
    const [a, b] = [fakeLayer(host), fakeLayer(host)];
    await host.load('a', { layers: [a] });
    await host.load('b', { layers: [b] });
    for (let i = 0; i < 150; i++) host.backlog().send(packet(host, new TextEncoder().encode(`${i}`)), i % 3 === 0 ? a : b);
    expect([a.got, waiting()]).toEqual([[], ['150 skb at netdev.backlog']]);
    await host.settle();
    const all = Array.from({ length: 150 }, (_, i) => i);
    expect(a.got.map(Number)).toEqual(all.filter((i) => i % 3 === 0));
    expect(b.got.map(Number)).toEqual(all.filter((i) => i % 3 !== 0));
    expect([waiting(), host.skbsOut()]).toEqual([[], 0]);
  });

  test('tunnels in tunnels, up to a depth', async () => {
    const { host } = await boot();
    let rounds = 0;
    const layer = fakeLayer(host, () => ++rounds > 0);
    await host.load('layer', { layers: [layer] });
    host.backlog().send(packet(host, frame('x')), layer);
    await host.settle();
    expect([rounds, host.drops(), host.skbsOut()]).toEqual([BACKLOG_DEPTH, { 'backlog.depth': 1 }, 0]);
  });

  test('a layer that went, or was never there', async () => {
    const { host, waiting } = await boot();
    const layer = fakeLayer(host);
    host.backlog().send(packet(host, frame('x')), layer);
    await host.load('layer', { layers: [layer] });
    for (let i = 0; i < 3; i++) host.backlog().send(packet(host, frame('x')), layer);
    expect(waiting()).toEqual(['3 skb at netdev.backlog']);
    await host.run(host.kernel.unload('layer'));
    await host.settle();
    expect([waiting(), host.skbsOut()]).toEqual([[], 0]);
    expect((host.drops()['backlog.no-layer'] ?? 0) + layer.got.length).toBe(4);
  });

  test('one that throws loses its packet, not the others', async () => {
    const { host } = await boot();
    let broken = true;
    const layer = fakeLayer(host, (skb) => {
      if (!broken) return false;
      broken = false;
      skb.memory.pool.release(skb);
      throw new Error('oops');
    });
    await host.load('layer', { layers: [layer] });
    for (const text of ['1', '2', '3']) host.backlog().send(packet(host, new TextEncoder().encode(text)), layer);
    await host.settle();
    expect([layer.got, host.kernel.faults.map(({ module }) => module), host.skbsOut()]).toEqual([['2', '3'], ['layer#1'], 0]);
  });
});
