import type { ModuleContext, NetDevice, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceTraffic, EthertypeHandler, Module, SkbPool } from '@softnet/contract';
import { onceWarm } from '@softnet/contract/testing';
import type { Kernel, World } from '@softnet/kernel';
import { copyIn } from '@softnet/skb';
import { expect, test, vi } from 'vitest';
import type { Layer } from './stacked-hosts.ts';
import { stackedHosts } from './stacked-hosts.ts';

vi.setConfig({ testTimeout: 60_000 });

const SINK = 0x88b6;
const PACKETS = 1000;

/** Takes frames, and keeps none. */
@Module({ name: 'sink', version: '1.0.0', provides: [EthertypeHandler] })
class SinkModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const input = (skb: Skb): void => skb.memory.pool.release(skb);
    ctx.contribute(EthertypeHandler, { name: 'sink', ethertype: SINK, input, dissect: null, gro: null, segment: null }, 'corridor');
  }
}

/** Bytes of heap that a packet of 1,000 bytes takes, once warm. */
function heapPerPacket(world: World, kernel: Kernel, device: NetDevice, limitBytes: number): number {
  const pool = kernel.port(SkbPool);
  const traffic = kernel.port(DeviceTraffic);
  const payload = new Uint8Array(1000);
  const chunk = (): number => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < PACKETS; i++) {
      const skb = pool.current.alloc(64, 1000)!;
      copyIn(skb, payload);
      skb.network = skb.data;
      device.link.write(skb, device, SINK, device.broadcast, null);
      traffic.current.transmit(device, skb);
      if (i % 16 === 15) world.advanceSync(20);
    }
    world.advanceSync(10_000);
    return (process.memoryUsage().heapUsed - before) / PACKETS;
  };
  return onceWarm(limitBytes, chunk);
}

const FAULTS = { delayUs: 50, jitterUs: 20, loss: 0.05, duplicate: 0.05, reorder: 0.05, corrupt: 0.05, burstBegin: 0.02 };
const cases: readonly (readonly [string, number, Layer])[] = [
  ['an idle fault injector', 4, { kind: 'fault' }],
  ['faults of all sorts, at a rate', 4, { kind: 'fault', options: { ...FAULTS, rateBps: 2_000_000_000 } }],
  // The file's bytes lie outside of the heap; what a piece of it takes there is for many packets.
  ['a capture', 50, { kind: 'capture', options: { write: () => {} } }],
  ['a capture into a ring', 4, { kind: 'capture', options: { ring: { maxBytes: 65_536 } } }],
];

test.each(cases)('a packet allocates nothing on the way out by %s', async (_name, limitBytes, layer) => {
  const { world, a, b } = await stackedHosts([layer]);
  for (const { kernel } of [a, b]) await world.run(kernel.load(SinkModule));
  expect(heapPerPacket(world, a.kernel, a.top, limitBytes)).toBeLessThan(limitBytes);
  expect(b.top.stats.rxPackets).toBeGreaterThan(6 * PACKETS);
});

test.each(cases)('a packet allocates nothing on the way in by %s', async (_name, limitBytes, layer) => {
  const { world, a, b } = await stackedHosts([layer]);
  for (const { kernel } of [a, b]) await world.run(kernel.load(SinkModule));
  expect(heapPerPacket(world, b.kernel, b.top, limitBytes)).toBeLessThan(limitBytes);
  expect(a.top.stats.rxPackets).toBeGreaterThan(6 * PACKETS);
});
