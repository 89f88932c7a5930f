import { Ethtool } from '@softnet/contract';
import { WireModule } from '@softnet/nic-driver';
import { describe, expect, test } from 'vitest';
import { drops, skbsOut } from './frames.ts';
import { flowAndNumber, wired } from './multi-queue.ts';

/** A flow for each receive queue, by the device's own spread. */
async function ready(options: Parameters<typeof wired>[0] = { queues: 4 }, cable: Parameters<typeof wired>[1] = {}) {
  const net = await wired(options, cable);
  const flows = new Map<number, number>();
  for (let flow = 0; flow < 64; flow++) {
    net.send(flow, 0);
    await net.world.advance(1);
    const { queue } = net.arrivals.all.at(-1)!;
    if (!flows.has(queue)) flows.set(queue, flow);
  }
  net.arrivals.all.length = 0;
  const queues = net.b.rxQueues;
  /** A frame that falls into a receive queue. */
  const into = (queue: number, number: number): number => net.send(flows.get(queue)!, number);
  /** Times at which a queue's packets were handed up, from `begun` on; one for each packet. */
  const times = (queue: number, begun: number): number[] =>
    net.arrivals.all.flatMap((each) => (each.queue === queue ? [each.atUs - begun] : []));
  return { ...net, queues, into, times };
}

describe('interrupt moderation', () => {
  test('of each queue by itself: at the latest after so many µs, or so many packets, exactly', async () => {
    const { world, b, queues, ethtool, into, times } = await ready();
    ethtool().setCoalescing(b, [queues[1]!], { us: 100 });
    ethtool().setCoalescing(b, [queues[2]!], { us: 250, packets: 4 });
    ethtool().setCoalescing(b, [queues[3]!], { packets: 4 });
    expect(queues.map(({ coalesceUs, coalescePackets }) => [coalesceUs, coalescePackets])).toEqual([
      [0, 0],
      [100, 0],
      [250, 4],
      [0, 4],
    ]);
    const begun = world.nowUs;
    for (let i = 0; i < 60; i++) {
      for (let queue = 0; queue < 4; queue++) into(queue, i);
      await world.advance(10);
    }
    await world.advance(1000);
    const at = Array.from({ length: 60 }, (_, i) => 10 * i);
    // Arrivals are at 0, 10, 20 ...: the first opens a window, which takes those in that come before its end.
    const windowOf = (us: number, most: number) => {
      const ends: number[] = [];
      for (let i = 0; i < at.length; ) {
        const inWindow = at
          .slice(i)
          .filter((each) => each <= at[i]! + us)
          .slice(0, most);
        const full = inWindow.length === most;
        for (const _ of inWindow) ends.push(full ? inWindow.at(-1)! : at[i]! + us);
        i += inWindow.length;
      }
      return ends;
    };
    expect(times(0, begun)).toEqual(at);
    // Packets without µs: at once, or the last would wait for ever.
    expect(times(3, begun)).toEqual(at);
    expect(times(2, begun)).toEqual(windowOf(250, 4));
    expect(
      times(1, begun)
        .map((us, i) => us - at[i]!)
        .every((lateUs) => lateUs >= 0 && lateUs <= 100),
    ).toBe(true);
    expect(new Set(times(1, begun)).size).toBeLessThanOrEqual(7);
    expect(times(1, begun).length).toBe(60);
  });

  test('arms a timer only while frames wait', async () => {
    const { world, other, b, queues, ethtool, into } = await ready();
    const armed = (): number => other.module('wire')!.usage.timers;
    ethtool().setCoalescing(b, queues, { us: 100 });
    expect(armed()).toBe(0);
    for (const queue of [0, 0, 3]) into(queue, 1);
    await world.advance(0);
    expect([armed(), skbsOut(other)]).toEqual([2, 3]);
    await world.advance(99);
    expect([armed(), skbsOut(other)]).toEqual([2, 3]);
    await world.advance(1);
    expect([armed(), skbsOut(other)]).toEqual([0, 0]);
  });

  test('that is changed lets what waits go at once', async () => {
    const { world, b, queues, ethtool, into, times } = await ready();
    ethtool().setCoalescing(b, queues, { us: 1_000_000 });
    const begun = world.nowUs;
    into(2, 1);
    await world.advance(500);
    ethtool().setCoalescing(b, [queues[2]!], { us: 100 });
    await world.advance(0);
    expect(times(2, begun)).toEqual([500]);
  });

  test('goes on when the module is replaced: nothing is lost, nothing late', async () => {
    const { world, other, b, queues, ethtool, into, times, arrivals } = await ready();
    ethtool().setCoalescing(b, queues, { us: 300 });
    const begun = world.nowUs;
    for (let queue = 0; queue < 4; queue++) into(queue, 1);
    await world.advance(100);
    await world.run(other.replace('wire', WireModule));
    expect(arrivals.all.length).toBe(0);
    into(1, 2);
    await world.advance(500);
    for (let queue = 0; queue < 4; queue++) expect(times(queue, begun)[0]).toBe(300);
    expect(times(1, begun)).toEqual([300, 300]);
    expect(await world.run(other.unload('wire'))).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
  });

  test('of completions: who sends is told late, as it was ordered, and all is told when the device goes down', async () => {
    const { world, kernel, a, send } = await wired({ queues: 2 }, { rateBps: 8_000_000 });
    const queue = a.txQueues[0]!;
    queue.limitBytes = 1_000_000;
    const ethtool = kernel.port(Ethtool).current;
    ethtool.setCoalescing(a, a.txQueues, { us: 5000, packets: 8 });
    // 142 bytes at 8 Mbit/s: 142 µs each. All of one flow, so of one queue.
    for (let i = 0; i < 20; i++) send(1, i);
    const used = a.txQueues.find(({ inFlightBytes }) => inFlightBytes > 0)!;
    const left: number[] = [];
    for (let i = 0; i < 30; i++) {
      await world.advance(142);
      left.push(used.inFlightBytes / 142);
    }
    // Eight at a time; the last four wait for their time.
    expect([...new Set(left)]).toEqual([20, 12, 4]);
    expect(left.indexOf(12)).toBe(7);
    expect(left.indexOf(4)).toBe(15);
    await world.advance(5000);
    expect(used.inFlightBytes).toBe(0);
    expect(used.packets).toBe(20);
  });
});

describe('receive rings', () => {
  test('drop what comes while they are full, and count it', async () => {
    const { world, other, b, queues, ethtool, into, arrivals } = await ready();
    ethtool().setRings(b, { rxPackets: 8 });
    ethtool().setCoalescing(b, [queues[1]!], { us: 1000 });
    for (let i = 0; i < 20; i++) into(1, i);
    into(2, 0);
    await world.advance(2000);
    expect(queues.map(({ dropped }) => dropped)).toEqual([0, 12, 0, 0]);
    expect(drops(other)).toEqual({ 'wire.receive-full': 12 });
    expect(b.stats.rxDropped).toBe(12);
    expect(arrivals.all.map(({ packet }) => flowAndNumber(packet)[1]).sort((x, y) => x - y)).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 7]);
    expect(() => ethtool().setRings(b, { rxPackets: 0 })).toThrow('EINVAL');
    expect(() => ethtool().setRings(b, { rxPackets: 8193 })).toThrow('EINVAL');
  });

  test('are polled the higher priority first, and none starves', async () => {
    const { world, b, queues, ethtool, into, arrivals } = await ready({ queues: 4, priorities: [0, 3, 9, 3] }, { queueFrames: 8192 });
    ethtool().setRings(b, { rxPackets: 2048 });
    ethtool().setCoalescing(b, queues, { us: 100 });
    for (let i = 0; i < 700; i++) for (let queue = 0; queue < 4; queue++) into(queue, i);
    await world.advance(1000);
    const order = arrivals.all.map(({ queue }) => queue);
    expect(order.length).toBe(2800);
    // Turns of up to 64: seven of the highest, then one of another.
    const turns = order.filter((queue, i) => i % 64 === 0 || queue !== order[i - 1]);
    expect(turns.slice(0, 7)).toEqual([2, 2, 2, 2, 2, 2, 2]);
    expect(order.lastIndexOf(2)).toBeLessThan(order.lastIndexOf(1));
    expect(order.indexOf(0)).toBeLessThan(order.lastIndexOf(1));
    for (let queue = 0; queue < 4; queue++) {
      const numbers = arrivals.all.flatMap((each) => (each.queue === queue ? [flowAndNumber(each.packet)[1]] : []));
      expect(numbers).toEqual(Array.from({ length: 700 }, (_, i) => i));
    }
  });
});
