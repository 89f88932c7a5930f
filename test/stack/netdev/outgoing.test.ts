import type { Segment, Skb, TxQueue } from '@softnet/contract';
import { CHECKSUM, DEVICE_FEATURE, ETHERTYPE, enqueue, TRANSMIT } from '@softnet/contract';
import { appendFragment } from '@softnet/skb';
import { checksumOf, sumBytes } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import { bootNetdev, FakeDriver, FakeHandler, outgoing, packet, plug, textOf } from './netdev-host.ts';

async function boot(options: Parameters<typeof plug>[3] = {}) {
  const host = await bootNetdev();
  const driver = new FakeDriver(host);
  const device = plug(host, driver, 'eth0', options);
  const queue = device.txQueues[0]!;
  const waiting = () => host.kernel.holders('netdev').map(({ description }) => description);
  return { host, driver, device, queue, waiting };
}

describe('what the device does not do itself', () => {
  /** Cuts each byte of text into a packet of its own. */
  const segment: Segment = (skb, _features, out) => {
    const text = textOf(skb);
    for (let i = 0; i < text.length; i++) {
      const part = skb.memory.pool.clone(skb)!;
      part.memory.pool.makeRoom(part, 0, 0);
      part.memory.bytes[part.network] = text.charCodeAt(i);
      part.len = part.network - part.data + 1;
      part.tail = part.network + 1;
      part.gsoSize = 0;
      part.gsoSegs = 0;
      enqueue(out, part);
    }
    skb.memory.pool.release(skb);
    return text !== 'bad';
  };

  async function bootGso(features: number) {
    const all = await boot({ features });
    const ip = new FakeHandler();
    ip.segment = segment;
    await all.host.load('ip', { handlers: [ip] });
    const sendGso = (text: string, ethertype?: number) => {
      const skb = outgoing(all.host, all.device, text, ethertype);
      Object.assign(skb, { gsoSize: 1, gsoSegs: text.length, gsoType: DEVICE_FEATURE.GSO_UDP });
      return all.host.traffic().transmit(all.device, skb);
    };
    return { ...all, sendGso, ip };
  }

  test('a burst is cut by the handler of its ethertype, unless the device takes it whole', async () => {
    const { driver, sendGso, host, device } = await bootGso(DEVICE_FEATURE.SCATTER);
    expect(sendGso('abc')).toBe(TRANSMIT.OK);
    expect([driver.sent, driver.batches]).toEqual([['a', 'b', 'c'], [3]]);
    expect(sendGso('xy', ETHERTYPE.IPV6)).toBe(TRANSMIT.DROPPED);
    expect(sendGso('bad')).toBe(TRANSMIT.DROPPED);
    expect([host.drops(), host.skbsOut(), device.stats.txDropped]).toEqual([{ 'netdev.segment': 1 }, 0, 2]);
    const able = await bootGso(DEVICE_FEATURE.GSO_UDP);
    able.sendGso('abc');
    able.device.gsoMaxSegs = 3;
    able.sendGso('defg');
    expect(able.driver.sent).toEqual(['abc', 'd', 'e', 'f', 'g']);
    const partial = Object.assign(outgoing(able.host, able.device, 'hi'), {
      ...{ gsoSize: 1, gsoSegs: 2, gsoType: DEVICE_FEATURE.GSO_UDP, checksum: CHECKSUM.PARTIAL },
    });
    const paged = Object.assign(outgoing(able.host, able.device, 'jk'), { gsoSize: 1, gsoSegs: 2, gsoType: DEVICE_FEATURE.GSO_UDP });
    appendFragment(paged, able.host.pool().page(1)!);
    let cut = 0;
    able.ip.segment = (skb) => {
      cut++;
      skb.memory.pool.release(skb);
      return true;
    };
    able.host.traffic().transmit(able.device, partial);
    able.host.traffic().transmit(able.device, paged);
    expect(cut, 'checksum and gathering cannot be done to a burst').toBe(2);
  });

  test('a full driver takes the rest of a burst later', async () => {
    const { driver, sendGso, host, queue, waiting } = await bootGso(0);
    driver.room = 1;
    sendGso('abc');
    expect([driver.sent, waiting()]).toEqual([['a'], ['2 skb']]);
    driver.wake(queue, 10);
    await host.settle();
    expect([driver.sent, waiting(), host.skbsOut()]).toEqual([['a', 'b', 'c'], [], 0]);
  });

  test('checksums are finished', async () => {
    const { host, driver, device } = await boot();
    const skbOf = () => {
      const skb = outgoing(host, device, '..0123456789');
      skb.checksum = CHECKSUM.PARTIAL;
      skb.csum = (skb.network - skb.head) << 16;
      skb.memory.view.setUint16(skb.network, 0);
      return skb;
    };
    const seen: number[] = [];
    driver.take = (_queue: TxQueue, skb: Skb) =>
      void seen.push(skb.checksum, checksumOf(sumBytes(skb.memory.view, skb.network, skb.tail - skb.network)));
    host.traffic().transmit(device, skbOf());
    expect(seen).toEqual([CHECKSUM.NONE, 0]);
    const outside = skbOf();
    outside.csum |= 200;
    expect(host.traffic().transmit(device, outside)).toBe(TRANSMIT.DROPPED);
    expect([host.drops(), host.skbsOut()]).toEqual([{ 'netdev.checksum': 1 }, 0]);
    device.hardwareFeatures |= DEVICE_FEATURE.TX_CHECKSUM;
    host.devices().setFeatures(device, DEVICE_FEATURE.TX_CHECKSUM);
    host.traffic().transmit(device, skbOf());
    expect(seen[2]).toBe(CHECKSUM.PARTIAL);
  });

  test('fragments are put into one piece', async () => {
    const { host, driver, device } = await boot();
    const skbOf = (bytes: number) => {
      const skb = outgoing(host, device, 'head ');
      const page = host.pool().page(bytes)!;
      page.memory.bytes.fill(65, page.offset, page.offset + bytes);
      appendFragment(skb, page);
      return skb;
    };
    host.traffic().transmit(device, skbOf(3));
    expect(driver.sent).toEqual(['head AAA']);
    expect(host.traffic().transmit(device, skbOf(4096))).toBe(TRANSMIT.DROPPED);
    expect([host.drops(), host.skbsOut()]).toEqual([{ 'netdev.linearize': 1, 'skb.too-big': 1 }, 0]);
  });

  test('VLAN tags are put in', async () => {
    const { host, driver, device } = await boot();
    const frames: Uint8Array[] = [];
    driver.take = (_queue: TxQueue, skb: Skb) => void frames.push(skb.memory.bytes.slice(skb.data, skb.tail));
    const skb = packet(host, new Uint8Array([1]), 14);
    skb.network = skb.data;
    device.link.write(skb, device, 0x0800, device.broadcast, null);
    skb.vlan = 0x81000007 | 0;
    host.traffic().transmit(device, skb);
    expect([...frames[0]!.subarray(12)]).toEqual([0x81, 0, 0, 7, 8, 0, 1]);
    expect(host.skbsOut()).toBe(0);
  });
});

describe('choice of a queue', () => {
  async function bootQueues(queues: number, priorities: readonly number[] = []) {
    const all = await boot({ queues });
    all.device.txQueues.forEach((queue, i) => {
      queue.priority = priorities[i] ?? 0;
    });
    const chosen: number[] = [];
    all.driver.take = (queue, skb) => {
      expect(skb.queue).toBe(queue.index);
      chosen.push(queue.index);
    };
    const sendWith = (fields: Partial<Skb>, text = 'x') => {
      all.host.traffic().transmit(all.device, Object.assign(outgoing(all.host, all.device, text), fields));
      return chosen.at(-1)!;
    };
    return { ...all, chosen, sendWith };
  }

  test('the driver’s, where it has one; nonsense is the first queue', async () => {
    const { driver, sendWith } = await bootQueues(3);
    const select = (index: number) => Object.assign(driver, { selectQueue: () => index });
    expect([2, 3, -1].map((index) => [select(index), sendWith({})][1])).toEqual([2, 0, 0]);
  });

  test('by hash: all queues, each flow always the same', async () => {
    const { sendWith } = await bootQueues(4);
    const of = (hash: number) => sendWith({ hash });
    const hashes = Array.from({ length: 64 }, (_, i) => (i * 0x04000000 + 1) | 0);
    const first = hashes.map(of);
    expect(hashes.map(of)).toEqual(first);
    for (const index of [0, 1, 2, 3]) expect(first.filter((each) => each === index)).toHaveLength(16);
  });

  test('by what its ethertype’s handler says of the flow, where nobody computed a hash', async () => {
    const { host, sendWith, chosen } = await bootQueues(8);
    const ip = Object.assign(new FakeHandler(), {
      dissect: (memory: Skb['memory'], offset: number, _end: number, key: { remotePort: number }) => {
        key.remotePort = memory.bytes[offset]!;
        return true;
      },
    });
    await host.load('ip', { handlers: [ip] });
    for (const letter of 'abcdefghijklmnopqrst') for (let i = 0; i < 3; i++) sendWith({}, letter);
    for (let i = 0; i < chosen.length; i += 3) expect(chosen.slice(i, i + 3)).toEqual(new Array(3).fill(chosen[i]));
    expect(new Set(chosen).size).toBeGreaterThan(4);
  });

  test('by priority, then hash', async () => {
    const { sendWith } = await bootQueues(4, [0, 7, 7, 15]);
    const of = (priority: number, hash = 1) => sendWith({ priority, hash });
    expect([of(0), of(1), of(7, -1), of(8), of(15), of(16), of(-5)]).toEqual([0, 1, 2, 3, 3, 0, 0]);
    const { sendWith: high } = await bootQueues(3, [15, 7, 3]);
    expect([0, 4, 8].map((priority) => high({ priority, hash: 1 }))).toEqual([2, 1, 0]);
    const { sendWith: low } = await bootQueues(2, [0, 3]);
    expect(low({ priority: 9, hash: 1 })).toBe(1);
  });
});
