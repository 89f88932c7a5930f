import type { ModuleContext, NetDevice, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceTraffic, EthertypeHandler, Module, SkbPool } from '@softnet/contract';
import { onceWarm } from '@softnet/contract/testing';
import type { Kernel } from '@softnet/kernel';
import { World } from '@softnet/kernel';
import { Cable, Captures, LoopbackModule, PcapModule, WireModule } from '@softnet/nic-driver';
import { copyIn } from '@softnet/skb';
import { expect, test, vi } from 'vitest';
import { addDevice, frameHost } from './frames.ts';

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

test.each([
  ['of a perfect wire', {}, false],
  [
    'of a wire with a rate and faults',
    { rateBps: 2_000_000_000, delayUs: 50, jitterUs: 20, loss: 0.05, duplicate: 0.05, reorder: 0.05, corrupt: 0.05 },
    false,
  ],
  ['of a wire within one kernel', { delayUs: 10 }, true],
])('a packet allocates nothing on the way %s', async (_name, options, sameKernel) => {
  const world = new World({ seed: 1 });
  const a = await frameHost(world, 'a');
  const b = sameKernel ? a : await frameHost(world, 'b');
  for (const kernel of new Set([a, b])) for (const source of [WireModule, SinkModule]) await world.run(kernel.load(source));
  const cable = new Cable(options);
  const near = await addDevice(a, 'wire', 'near', { cable });
  const far = await addDevice(b, 'wire', 'far', { cable });
  expect(heapPerPacket(world, a, near, 4)).toBeLessThan(4);
  expect(far.stats.rxPackets).toBeGreaterThan(8 * PACKETS);
});

test('a packet allocates nothing on the way of lo', async () => {
  const world = new World({ seed: 1 });
  const kernel = await frameHost(world, 'k');
  for (const source of [LoopbackModule, SinkModule]) await world.run(kernel.load(source));
  const lo = kernel.port(DeviceTraffic).current.byName('lo')!;
  expect(heapPerPacket(world, kernel, lo, 4)).toBeLessThan(4);
  expect(lo.stats.rxPackets).toBeGreaterThan(8 * PACKETS);
});

test('a packet that is captured allocates nothing but the file', async () => {
  const world = new World({ seed: 1 });
  const kernel = await frameHost(world, 'k');
  for (const source of [LoopbackModule, SinkModule, PcapModule]) await world.run(kernel.load(source));
  const lo = kernel.port(DeviceTraffic).current.byName('lo')!;
  kernel.port(Captures).current.start({ write: () => {} }, { name: 'test' });
  // The file's bytes lie outside of the heap; what a piece of it takes there is for many packets.
  expect(heapPerPacket(world, kernel, lo, 50)).toBeLessThan(50);
});
