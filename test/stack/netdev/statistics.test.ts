import type { NetDevice, SkbQueue } from '@softnet/contract';
import { NetDevice as Device, DeviceStats, dequeue, RxQueue, TxQueue } from '@softnet/contract';
import { onceWarmCalls } from '@softnet/contract/testing';
import { etherLink } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import type { NetdevHost } from './netdev-host.ts';
import { bootNetdev, FakeDriver, frame, plug, receive, send } from './netdev-host.ts';

const FIELDS = Object.keys(new DeviceStats()) as (keyof DeviceStats)[];

/** All counters stand at `value`. */
function setAll(device: NetDevice, value: number): void {
  for (const field of FIELDS) device.stats[field] = value;
  for (const queue of [...device.rxQueues, ...device.txQueues]) Object.assign(queue, { packets: value, bytes: value });
}

async function boot() {
  const host = await bootNetdev();
  const driver = new FakeDriver(host);
  return { host, driver, device: plug(host, driver, 'eth0') };
}

/** One of each loss that netdev counts. */
function lose(host: NetdevHost, driver: FakeDriver, device: NetDevice): void {
  receive(host, device, frame('').slice(0, 5), frame('x', { ethertype: 0x9999 }));
  driver.room = 0;
  for (const text of ['a', 'b']) send(host, device, text);
  host.devices().close(device);
  host.devices().open(device);
  driver.room = Number.POSITIVE_INFINITY;
}

describe('statistics are exact to 2^53', () => {
  test.each([0, 2 ** 31 - 1, 2 ** 32 - 1, 2 ** 53 - 4])('what netdev counts, from %i on', async (value) => {
    const { host, driver, device } = await boot();
    setAll(device, value);
    lose(host, driver, device);
    const { rxErrors, rxDropped, txDropped, rxPackets } = device.stats;
    expect([rxErrors, rxDropped, txDropped, rxPackets]).toEqual([value + 1, value + 1, value + 2, value]);
    expect(Number.isSafeInteger(txDropped)).toBe(true);
  });

  test('no counter wraps, whoever counts', () => {
    const device = new Device({ open: () => {}, stop: () => {}, transmit: () => {} }, etherLink);
    device.rxQueues = [new RxQueue(device, 0)];
    device.txQueues = [new TxQueue(device, 0)];
    const [rx, tx] = [device.rxQueues[0]!, device.txQueues[0]!];
    for (const start of [2 ** 31 - 1, 2 ** 32 - 1, 2 ** 53 - 2]) {
      setAll(device, start);
      rx.dropped = start;
      for (const field of FIELDS) device.stats[field]++;
      for (const queue of [rx, tx]) {
        queue.packets++;
        queue.bytes++;
      }
      rx.dropped++;
      expect([...Object.values(device.stats), rx.packets, rx.bytes, rx.dropped, tx.packets, tx.bytes]).toEqual(
        new Array(15).fill(start + 1),
      );
    }
  });

  test('to count beyond 2^31 makes no garbage', () => {
    const device = new Device({ open: () => {}, stop: () => {}, transmit: () => {} }, etherLink);
    device.rxQueues = [new RxQueue(device, 0)];
    setAll(device, 2 ** 33);
    const [queue] = device.rxQueues;
    const { stats } = device;
    const { bytes } = onceWarmCalls(1, 20_000, () => {
      stats.rxPackets++;
      stats.rxBytes += 1500;
      queue!.packets++;
      queue!.bytes += 1500;
    });
    expect(bytes).toBeLessThan(1);
  });
});

test('bytes in flight count down whatever is told', async () => {
  const { host, driver, device } = await boot();
  driver.completes = false;
  const [queue] = device.txQueues;
  driver.transmit = (_queue, batch: SkbQueue) => {
    for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) skb.memory.pool.release(skb);
  };
  queue!.inFlightBytes = 2 ** 32;
  send(host, device, 'x');
  expect(queue!.inFlightBytes).toBe(2 ** 32 + 15);
  host.traffic().completed(queue!, 1, 2 ** 32 + 15);
  host.traffic().completed(queue!, 1, 5);
  expect(queue!.inFlightBytes).toBe(0);
});
