import type { Skb, Tap } from '@softnet/contract';
import { DropReason, Dst, ETHERTYPE, Generation, HOOK_POINT, SKB_TYPE, TRANSMIT, VERDICT } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bootNetdev, deviceHook, FakeDriver, outgoing, plug, send, textOf } from './netdev-host.ts';

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

test('a queue of a driver’s making that nobody registered is no way out', async () => {
  const { host, device } = await boot();
  device.txQueues = [];
  expect([send(host, device, 'x'), host.drops()]).toEqual([TRANSMIT.DROPPED, { 'netdev.down': 1 }]);
});
