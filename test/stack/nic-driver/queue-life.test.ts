import type { NetDevice } from '@softnet/contract';
import { DEVICE_FEATURE, Devices, DeviceTraffic, Ethtool } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { Cable, WireModule } from '@softnet/nic-driver';
import { SkbModule } from '@softnet/skb';
import type { Traffic } from '@softnet/testkit';
import { complianceChecks } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import { frameOf, sendFrame } from './arrivals.ts';
import { addDevice, drops, FramesModule, numbered, skbsOut } from './frames.ts';
import { flowAndNumber, flowOf, keyOf, wired } from './multi-queue.ts';
import { wireTraffic } from './wire-traffic.ts';

/** By flow: the numbers that have come, in their order. */
function byFlow(arrivals: readonly { readonly packet: Uint8Array }[]): Map<number, number[]> {
  const flows = new Map<number, number[]>();
  for (const { packet } of arrivals) {
    const [flow, number] = flowAndNumber(packet);
    flows.set(flow, [...(flows.get(flow) ?? []), number]);
  }
  return flows;
}

describe('the queues of a wire', () => {
  test('are made anew under traffic: what waits is dropped and counted, nothing leaks, and it goes on', async () => {
    const { world, kernel, other, a, b, arrivals, ethtool, send } = await wired({ queues: 4 }, { rateBps: 100_000_000, delayUs: 50 });
    ethtool().setCoalescing(b, b.rxQueues, { us: 200 });
    const ours = kernel.port(Ethtool).current;
    let sent = 0;
    const all = (): void => {
      for (let flow = 0; flow < 32; flow++) send(flow, sent++);
    };
    for (const [rx, tx] of [
      [2, 2],
      [7, 3],
      [1, 1],
      [16, 16],
      [4, 4],
    ] as const) {
      all();
      await world.advance(100);
      ethtool().setChannels(b, { rx, tx });
      all();
      await world.advance(30);
      ours.setChannels(a, { rx: tx, tx: rx });
      expect([b.rxQueues.length, b.txQueues.length, a.txQueues.length]).toEqual([rx, tx, rx]);
      // Settings of queues that were there stay; new ones have the first's.
      expect(b.rxQueues.every(({ coalesceUs }) => coalesceUs === 200)).toBe(true);
      await world.advance(20_000);
      arrivals.all.length = 0;
      for (let flow = 0; flow < 100; flow++) send(flow, 0);
      await world.advance(20_000);
      expect(arrivals.all.length).toBe(100);
      expect(new Set(arrivals.all.map(({ queue }) => queue)).size).toBe(Math.min(rx, new Set(b.rss?.indirection ?? [0]).size));
    }
    expect(skbsOut(kernel) + skbsOut(other)).toBe(0);
    expect([...a.txQueues, ...b.txQueues].every(({ inFlightBytes }) => inFlightBytes === 0)).toBe(true);
    const lost = Object.values(drops(kernel)).concat(Object.values(drops(other)));
    expect(lost.length).toBeGreaterThan(0);
    for (const which of [kernel, other]) {
      expect(await world.run(which.unload('wire'))).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    }
    expect(() => ethtool().setChannels(b, { rx: 17 })).toThrow();
  });

  test('are handed over under traffic, both ends, again and again: no frame is lost, no flow reordered', async () => {
    const { world, kernel, other, a, b, arrivals, ethtool, send } = await wired({ queues: 4 }, { rateBps: 200_000_000, delayUs: 300 });
    ethtool().setCoalescing(b, b.rxQueues, { us: 150 });
    kernel.port(Ethtool).current.setCoalescing(a, a.txQueues, { us: 90, packets: 4 });
    const sent = new Array<number>(16).fill(0);
    for (let round = 0; round < 40; round++) {
      for (let flow = 0; flow < 16; flow++) send(flow, sent[flow]!++);
      await world.advance(70);
      if (round % 8 === 3) await world.run(other.replace('wire', WireModule));
      if (round % 8 === 7) await world.run(kernel.replace('wire', WireModule));
    }
    await world.advance(100_000);
    const flows = byFlow(arrivals.all);
    for (let flow = 0; flow < 16; flow++) expect(flows.get(flow)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect([drops(kernel), drops(other)]).toEqual([{}, {}]);
    expect(a.txQueues.map(({ inFlightBytes, packets }) => [inFlightBytes, packets > 0])).toEqual(new Array(4).fill([0, true]));
    expect(skbsOut(kernel) + skbsOut(other)).toBe(0);
    expect(b.rxQueues.reduce((sum, { packets }) => sum + packets, 0)).toBe(640);
  });

  test('share the line: turn by turn, and the higher priority first', async () => {
    const { world, kernel, a, b, arrivals } = await wired({ queues: 4, priorities: [0, 0, 5, 9] }, { rateBps: 1_000_000 });
    const sendBy = (queue: number, number: number): number =>
      sendFrame(kernel, a, frameOf(b, { ...flowOf(queue), payload: numbered(number, 100) }), (skb) => {
        skb.priority = a.txQueues[queue]!.priority;
        // So the flow's hash chooses: the first or the second half of all hashes.
        skb.hash = queue === 1 ? -1 : 1;
      });
    for (let i = 0; i < 10; i++) for (const queue of [0, 1, 2, 3]) sendBy(queue, i);
    await world.advance(1_000_000);
    expect(a.txQueues.map(({ packets }) => packets)).toEqual([10, 10, 10, 10]);
    const order = arrivals.all.map(({ packet }) => flowAndNumber(packet)[0]);
    // The first was on the line already.
    expect(order).toEqual([0, ...new Array(10).fill(3), ...new Array(10).fill(2), ...new Array(9).fill([0, 1]).flat(), 1]);
  });

  test('stop and wake one by one: a full one does not hold the others up', async () => {
    const { world, kernel, a, b, arrivals } = await wired({ queues: 2, priorities: [0, 7] }, { rateBps: 10_000_000 });
    kernel.port(Ethtool).current.setRings(a, { txPackets: 8 });
    const sendBy = (queue: number, number: number): number =>
      sendFrame(kernel, a, frameOf(b, { ...flowOf(queue), payload: numbered(number, 100) }), (skb) => {
        skb.priority = 7 * queue;
      });
    for (let i = 0; i < 100; i++) sendBy(0, i);
    expect(a.txQueues.map(({ stopped }) => stopped)).toEqual([true, false]);
    expect(a.txQueues[0]!.qdisc!.lenPackets).toBeGreaterThan(80);
    await world.advance(300);
    sendBy(1, 0);
    await world.advance(300);
    expect(arrivals.all.some(({ packet }) => flowAndNumber(packet)[0] === 1)).toBe(true);
    await world.advance(100_000);
    expect(byFlow(arrivals.all).get(0)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(a.txQueues.map(({ stopped }) => stopped)).toEqual([false, false]);
    expect(drops(kernel)).toEqual({});
    // A larger ring is used at once.
    for (let i = 0; i < 100; i++) sendBy(0, i);
    kernel.port(Ethtool).current.setRings(a, { txPackets: 64 });
    await world.advance(0);
    expect(a.txQueues[0]!.inFlightBytes).toBe(64 * 142);
  });

  test('are counted rightly where rings and channels are set while the device is down', async () => {
    const { world, kernel, other, a, b, arrivals, ethtool, send } = await wired();
    other.port(Devices).current.close(b);
    ethtool().setChannels(b, { rx: 4, tx: 4 });
    ethtool().setRings(b, { txPackets: 64 });
    await world.advance(1000);
    expect([b.stats.txPackets, b.stats.txBytes, ...b.txQueues.map(({ packets }) => packets)]).toEqual([0, 0, 0, 0, 0, 0]);
    other.port(Devices).current.open(b);
    await world.advance(1000);
    send(1, 1);
    await world.advance(1000);
    expect([arrivals.all.length, a.stats.txPackets, skbsOut(kernel) + skbsOut(other)]).toEqual([1, 1, 0]);
  });

  test('says what is wrong with options', async () => {
    const { world, kernel } = await wired();
    const add = (options: object) => world.run(addDevice(kernel, 'wire', 'eth%d', { cable: new Cable(), ...options }));
    await expect(add({ queues: 0 })).rejects.toThrow('EINVAL: wire: queues takes 1 to 16');
    await expect(add({ queues: 17 })).rejects.toThrow('EINVAL: wire: queues takes 1 to 16');
    await expect(add({ queues: 2, priorities: [1] })).rejects.toThrow('EINVAL: wire: priorities takes one of 0 to 15');
    await expect(add({ queues: 1, priorities: [16] })).rejects.toThrow('EINVAL: wire: priorities takes');
  });
});

describe('compliance of a wire with four queues', () => {
  /** All that ethtool knows is set, and datagrams of many flows go along with what the kit looks at. */
  const busy = (kernel: Kernel, device: NetDevice): void => {
    const ethtool = kernel.port(Ethtool).current;
    ethtool.setCoalescing(device, [...device.rxQueues, ...device.txQueues], { us: 30, packets: 16 });
    ethtool.setRings(device, { rxPackets: 256, txPackets: 256 });
    kernel.port(Devices).current.setFeatures(device, device.features | DEVICE_FEATURE.RX_CHECKSUM | DEVICE_FEATURE.HEADER_SPLIT);
  };
  const traffic = async (kernels: readonly [Kernel, Kernel]): Promise<Traffic> => {
    const inner = await wireTraffic(kernels, { queues: 4, each: busy });
    return {
      ...inner,
      exchange: async () => {
        for (const kernel of kernels) {
          for (const device of kernel.port(DeviceTraffic).current.all()) {
            for (let flow = 0; flow < 8; flow++) {
              sendFrame(kernel, device, frameOf(device, { ...flowOf(flow), payload: numbered(flow, 1000) }), (skb) => {
                skb.hash = Math.imul(flow + 1, 0x9e3779b1);
              });
              device.ops.steer?.(device, keyOf(flowOf(flow)), (flow + 1) % 4, 0);
            }
          }
        }
        return await inner.exchange();
      },
    };
  };
  const subject = {
    source: WireModule,
    needs: [SkbModule, NetdevModule, FramesModule],
    traffic: (kernels: readonly Kernel[]) => traffic(kernels as [Kernel, Kernel]),
  };
  test.each(complianceChecks(subject))('$name', async ({ run }) => {
    await run();
  });
});
