import type { Segment, Skb, Tap, TxQueue } from '@softnet/contract';
import {
  CHECKSUM,
  DEVICE_FEATURE,
  DropReason,
  Dst,
  ETHERTYPE,
  enqueue,
  Generation,
  HOOK_POINT,
  SKB_TYPE,
  TRANSMIT,
  VERDICT,
} from '@softnet/contract';
import { appendFragment } from '@softnet/skb';
import { checksumOf, sumBytes } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bootNetdev, deviceHook, FakeDriver, FakeHandler, outgoing, packet, plug, send, textOf } from './netdev-host.ts';

async function boot(options: Parameters<typeof plug>[3] = {}) {
  const host = await bootNetdev();
  const driver = new FakeDriver(host);
  const device = plug(host, driver, 'eth0', options);
  const queue = device.txQueues[0]!;
  const waiting = () => host.kernel.holders('netdev').map(({ description }) => description);
  return { host, driver, device, queue, waiting };
}

describe('queue and driver', () => {
  test('a packet goes to the driver at once where nothing waits', async () => {
    const { host, driver, device, queue } = await boot();
    expect([send(host, device, 'one'), send(host, device, 'two')]).toEqual([TRANSMIT.OK, TRANSMIT.OK]);
    expect([driver.sent, driver.batches, queue.inFlightBytes, host.skbsOut()]).toEqual([['one', 'two'], [1, 1], 0, 0]);
  });

  test('while the driver is full packets wait, counted; then they come in batches, in order, by the softirq loop', async () => {
    const { host, driver, device, queue, waiting } = await boot();
    driver.room = 2;
    const texts = Array.from({ length: 40 }, (_, i) => `${i}`);
    for (const text of texts) expect(send(host, device, text)).toBe(TRANSMIT.OK);
    expect([driver.sent, queue.stopped, waiting(), queue.inFlightBytes]).toEqual([['0', '1'], true, ['38 skb'], 0]);
    driver.batches.length = 0;
    driver.wake(queue, 1000);
    expect(driver.sent, 'no recursion').toHaveLength(2);
    await host.settle();
    expect([driver.sent, waiting(), host.skbsOut()]).toEqual([texts, [], 0]);
    expect(driver.batches).toEqual([16, 16, 6]);
  });

  test('who comes while others are about to be sent comes behind them', async () => {
    const { host, driver, device, queue } = await boot();
    driver.room = 0;
    for (const text of ['0', '1', '2']) send(host, device, text);
    driver.wake(queue, 100);
    send(host, device, '3');
    await host.settle();
    queue.limitBytes = 1;
    driver.completes = false;
    send(host, device, '4');
    send(host, device, '5');
    queue.limitBytes = 0;
    send(host, device, '6');
    expect(driver.sent).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  });

  test('a queue that is full drops, and says so', async () => {
    const { host, driver, device, queue } = await boot();
    device.txQueueLen = 3;
    driver.room = 0;
    const results = Array.from({ length: 6 }, (_, i) => send(host, device, `${i}`));
    expect(results).toEqual([0, 0, 0, 0, TRANSMIT.DROPPED, TRANSMIT.DROPPED]);
    expect([host.drops(), device.stats.txDropped, queue.qdisc?.lenPackets]).toEqual([{ 'netdev.queue-full': 2 }, 2, 3]);
    driver.wake(queue, 100);
    await host.settle();
    expect(driver.sent).toEqual(['0', '1', '2', '3']);
  });

  test('no more than limitBytes are in flight, in whole packets', async () => {
    const { host, driver, device, queue } = await boot();
    driver.completes = false;
    queue.limitBytes = 31;
    for (const text of ['a', 'b', 'c', 'd', 'e']) send(host, device, text);
    expect([driver.sent, queue.inFlightBytes]).toEqual([['a', 'b', 'c'], 45]);
    host.traffic().completed(queue, 1, 15);
    await host.settle();
    expect([driver.sent.length, queue.inFlightBytes]).toEqual([4, 45]);
    host.traffic().completed(queue, 4, 45);
    host.traffic().completed(queue, 4, 45);
    await host.settle();
    expect([driver.sent, queue.inFlightBytes]).toEqual([['a', 'b', 'c', 'd', 'e'], 15]);
  });

  test('what is sent from within a transmit comes behind, without recursion', async () => {
    const { host, driver, device } = await boot();
    let depth = 0;
    let deepest = 0;
    driver.take = (_queue, skb) => {
      deepest = Math.max(deepest, ++depth);
      driver.sent.push(textOf(skb));
      if (driver.sent.length < 30) send(host, device, `${driver.sent.length}`);
      depth--;
    };
    send(host, device, '0');
    await host.settle();
    expect([driver.sent.length, deepest, host.skbsOut()]).toEqual([30, 1, 0]);
  });

  test('a driver that throws loses its packet, not the queue', async () => {
    const { host, driver, device, queue } = await boot();
    driver.room = 0;
    for (const text of ['0', '1', '2', '3']) send(host, device, text);
    let broken = true;
    driver.take = (_queue, skb) => {
      if (broken) {
        broken = false;
        skb.memory.pool.release(skb);
        throw new Error('oops');
      }
      driver.sent.push(textOf(skb));
    };
    driver.wake(queue, 100);
    await host.settle();
    expect([driver.sent, host.kernel.faults.length, host.skbsOut()]).toEqual([['1', '2', '3'], 1, 0]);
  });

  test('a driver that leaves packets without being full is not asked for ever', async () => {
    const { host, driver, device } = await boot();
    driver.transmit = () => void driver.batches.push(1);
    send(host, device, 'a');
    send(host, device, 'b');
    await host.settle();
    expect(driver.batches.length).toBeLessThan(5);
    host.devices().close(device);
    expect([host.drops(), host.skbsOut()]).toEqual([{ 'netdev.queue-reset': 2 }, 0]);
  });

  test('down, or without carrier: what waits is dropped, and what comes', async () => {
    const { host, driver, device, waiting } = await boot();
    driver.room = 0;
    send(host, device, 'a');
    send(host, device, 'b');
    host.traffic().setCarrier(device, false);
    expect([waiting(), send(host, device, 'c')]).toEqual([[], TRANSMIT.DROPPED]);
    host.devices().close(device);
    expect([send(host, device, 'd'), device.qdisc, device.txQueues[0]!.qdisc]).toEqual([TRANSMIT.DROPPED, null, null]);
    expect(host.drops()).toEqual({ 'netdev.queue-reset': 2, 'netdev.no-carrier': 1, 'netdev.down': 1 });
    expect([device.stats.txDropped, host.skbsOut()]).toEqual([4, 0]);
    host.devices().unregister(device);
    expect(send(host, device, 'e')).toBe(TRANSMIT.DROPPED);
    host.devices().register(device);
    host.devices().open(device);
    host.traffic().setCarrier(device, true);
    driver.room = 10;
    send(host, device, 'f');
    expect(driver.sent).toEqual(['f']);
  });

  test('a qdisc of somebody else sees every packet, and says when to go on', async () => {
    const { host, driver, device, queue } = await boot();
    const held: Skb[] = [];
    let open = false;
    queue.qdisc = {
      ...{ kind: 'gate', handle: 0x10000 },
      get lenPackets() {
        return held.length;
      },
      backlogBytes: 0,
      enqueue: (skb) => {
        held.push(skb);
        return TRANSMIT.CONGESTED;
      },
      dequeue: () => (open ? (held.shift() ?? null) : null),
      reset: () => {
        for (const skb of held.splice(0)) skb.memory.pool.release(skb);
      },
    };
    expect(send(host, device, 'a')).toBe(TRANSMIT.CONGESTED);
    send(host, device, 'b');
    expect(driver.sent).toEqual([]);
    open = true;
    host.traffic().schedule(queue);
    expect(driver.sent).toEqual([]);
    await host.settle();
    expect(driver.sent).toEqual(['a', 'b']);
    open = false;
    send(host, device, 'c');
    host.devices().close(device);
    expect(host.skbsOut()).toBe(0);
  });
});

test('whatever driver and senders do: in order, none twice, none lost but by name', async () => {
  const { host, driver, device, queue, waiting } = await boot();
  const step = fc.oneof(
    fc.record({ send: fc.nat(20) }),
    fc.record({ room: fc.nat(10) }),
    fc.record({ complete: fc.nat(200) }),
    fc.record({ limit: fc.constantFrom(0, 20, 100) }),
    fc.constant({ settle: true }),
    fc.constant({ bounce: true }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, completes) => {
      driver.sent.length = 0;
      driver.completes = completes;
      device.txQueueLen = 25;
      const before = host.drops();
      let number = 0;
      for (const each of steps) {
        if ('send' in each) for (let i = 0; i < each.send; i++) send(host, device, `${number++}`);
        else if ('room' in each) driver.wake(queue, each.room);
        else if ('complete' in each) host.traffic().completed(queue, 1, each.complete);
        else if ('limit' in each) queue.limitBytes = each.limit;
        else if ('settle' in each) await host.settle();
        else {
          host.devices().close(device);
          expect([waiting(), host.skbsOut()]).toEqual([[], 0]);
          host.devices().open(device);
        }
      }
      queue.limitBytes = 0;
      driver.wake(queue, Number.POSITIVE_INFINITY);
      await host.settle();
      const sent = driver.sent.map(Number);
      expect(sent).toEqual([...new Set(sent)].sort((a, b) => a - b));
      const dropped = Object.entries(host.drops()).reduce((sum, [name, count]) => sum + count - (before[name] ?? 0), 0);
      expect([sent.length + dropped, waiting(), host.skbsOut()]).toEqual([number, [], 0]);
    }),
    { numRuns: 150 },
  );
});

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
    device.hardwareFeatures = DEVICE_FEATURE.TX_CHECKSUM;
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

test('taps see what leaves, as OUTGOING, once each', async () => {
  const { host, driver, device, queue } = await boot();
  const seen: string[] = [];
  const tap: Tap = {
    ...{ ethertype: ETHERTYPE.ALL, ifindex: 0 },
    tap: (skb) => void seen.push(`${textOf(skb)} ${skb.type === SKB_TYPE.OUTGOING} ${skb.data === skb.mac}`),
  };
  await host.load('tap', { taps: [tap] });
  driver.room = 1;
  for (const text of ['a', 'b', 'c']) send(host, device, text);
  driver.wake(queue, 0);
  await host.settle();
  driver.wake(queue, 5);
  await host.settle();
  expect([seen, driver.sent]).toEqual([
    ['a true true', 'b true true', 'c true true'],
    ['a', 'b', 'c'],
  ]);
});

test('egress hooks come first, and may drop', async () => {
  const { host, driver, device } = await boot();
  const reason = new DropReason(99, 'test.drop', '');
  const hook = deviceHook(
    HOOK_POINT.EGRESS,
    (skb, _chain, input, output) => {
      expect([input, output, skb.dst]).toEqual([null, device, null]);
      return textOf(skb) === 'bad' ? VERDICT.DROP : VERDICT.ACCEPT;
    },
    reason,
  );
  await host.load('hook', { hooks: [hook] });
  const routed = Object.assign(outgoing(host, device, 'good'), { dst: new Dst(new Generation(), () => 0) });
  expect([host.traffic().transmit(device, routed), send(host, device, 'bad')]).toEqual([TRANSMIT.OK, TRANSMIT.DROPPED]);
  expect([driver.sent, reason.count, host.skbsOut()]).toEqual([['good'], 1, 0]);
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

test('a queue of a driver’s making that nobody registered is no way out', async () => {
  const { host, device } = await boot();
  device.txQueues = [];
  expect([send(host, device, 'x'), host.drops()]).toEqual([TRANSMIT.DROPPED, { 'netdev.down': 1 }]);
});
