import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { DEVICE_FEATURE, Devices, DeviceTraffic, ETHERTYPE, EthertypeHandler, Ethtool, Module, SkbPool } from '@softnet/contract';
import { onceWarm } from '@softnet/contract/testing';
import { World } from '@softnet/kernel';
import { Cable, Captures, LoopbackModule, PcapModule, WireModule } from '@softnet/nic-driver';
import { copyIn } from '@softnet/skb';
import { expect, test, vi } from 'vitest';
import { frameOf } from './arrivals.ts';
import { addDevice, frameHost } from './frames.ts';
import { heapPerPacket, PACKETS, SinkModule } from './heap-per-packet.ts';
import { flowOf, keyOf } from './multi-queue.ts';

vi.setConfig({ testTimeout: 60_000 });

/** The same for IPv4. */
@Module({ name: 'arrivals-sink', version: '1.0.0', provides: [EthertypeHandler] })
class ArrivalsSink implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const input = (skb: Skb): void => skb.memory.pool.release(skb);
    ctx.contribute(
      EthertypeHandler,
      { name: 'sink', ethertype: ETHERTYPE.IPV4, input, dissect: null, gro: null, segment: null },
      'corridor',
    );
  }
}

/** All that a card does for the stack. */
const CARD =
  DEVICE_FEATURE.RX_CHECKSUM |
  DEVICE_FEATURE.TX_CHECKSUM |
  DEVICE_FEATURE.RX_HASH |
  DEVICE_FEATURE.FLOW_STEERING |
  DEVICE_FEATURE.HEADER_SPLIT;

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

test.each([1, 4])('a datagram allocates nothing where all is switched on that a card does: %i queues', async (queues) => {
  const world = new World({ seed: 1 });
  const [a, b] = [await frameHost(world, 'a'), await frameHost(world, 'b')];
  for (const kernel of [a, b]) for (const source of [WireModule, ArrivalsSink]) await world.run(kernel.load(source));
  const cable = new Cable({ rateBps: 4_000_000_000, delayUs: 5 });
  const [near, far] = [await addDevice(a, 'wire', 'near', { cable, queues }), await addDevice(b, 'wire', 'far', { cable, queues })];
  for (const [kernel, device] of [
    [a, near],
    [b, far],
  ] as const) {
    kernel.port(Devices).current.setFeatures(device, device.features | CARD);
    kernel.port(Ethtool).current.setCoalescing(device, [...device.rxQueues, ...device.txQueues], { us: 15, packets: 8 });
  }
  // Every other flow has a rule.
  const flows = Array.from({ length: 16 }, (_, flow) => frameOf(far, { ...flowOf(flow), payload: new Uint8Array(1200) }));
  const rule = (flow: number, queue: number): boolean => far.ops.steer!(far, keyOf(flowOf(flow)), queue % queues, 0);
  for (let flow = 0; flow < 16; flow += 2) expect(rule(flow, flow >> 1)).toBe(true);
  const pool = a.port(SkbPool);
  const traffic = a.port(DeviceTraffic);
  let sent = 0;
  const bytes = onceWarm(4, () => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < PACKETS; i++) {
      const frame = flows[sent++ & 15]!;
      const skb = pool.current.alloc(64, frame.length)!;
      copyIn(skb, frame);
      skb.mac = skb.data;
      skb.network = skb.data + 14;
      skb.hash = sent & 15;
      skb.protocol = ETHERTYPE.IPV4;
      traffic.current.transmit(near, skb);
      if (i % 16 === 15) world.advanceSync(50);
    }
    world.advanceSync(10_000);
    return (process.memoryUsage().heapUsed - before) / PACKETS;
  });
  expect(bytes).toBeLessThan(4);
  expect(far.stats.rxPackets).toBe(sent);
  expect(far.rxQueues.every(({ packets }) => packets > sent / 16)).toBe(true);
  expect(b.counters().find(({ name }) => name === 'receive.splits')?.value).toBe(sent);
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

test('a packet that a filter lets into a ring allocates nothing at all', async () => {
  const world = new World({ seed: 1 });
  const kernel = await frameHost(world, 'k');
  for (const source of [LoopbackModule, SinkModule, PcapModule]) await world.run(kernel.load(source));
  const lo = kernel.port(DeviceTraffic).current.byName('lo')!;
  const filter = 'not (udp port 53 or host 10.0.0.1) and greater 100';
  const capture = kernel.port(Captures).current.start({ filter, ring: { maxBytes: 1 << 20 } }, { name: 'test' });
  expect(heapPerPacket(world, kernel, lo, 8)).toBeLessThan(8);
  expect([capture.frames > 8 * PACKETS, capture.kept > 900, capture.missed]).toEqual([true, true, 0]);
});
