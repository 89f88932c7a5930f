import type { DeviceListener, ModuleContext, NetDevice, ReceiveHandler, RxQueue, SkbQueue } from '@softnet/contract';
import { DEVICE_EVENT, ETHERTYPE, enqueue, OPERSTATE, SkbQueue as Queue, splice, VERDICT } from '@softnet/contract';
import { purge } from '@softnet/skb';
import { describe, expect, test } from 'vitest';
import { bootNetdev, deviceHook, FakeDriver, FakeHandler, frame, packet, plug, receive } from './netdev-host.ts';

/** Hands up what the device below receives, as its own, from a poll: as a fault injector does. */
class Above implements ReceiveHandler {
  owner = 0;
  readonly batches: number[] = [];
  readonly queues: RxQueue[] = [];
  readonly waiting: SkbQueue = new Queue();
  receive(queue: RxQueue, batch: SkbQueue): void {
    this.batches.push(batch.lenPackets);
    this.queues.push(queue);
    splice(this.waiting, batch);
  }
}

async function boot() {
  const host = await bootNetdev();
  const eth0 = plug(host, new FakeDriver(host), 'eth0');
  const fault0 = plug(host, new FakeDriver(host), 'fault0', { up: false, lower: eth0 });
  host.devices().open(fault0);
  const ip = new FakeHandler();
  await host.load('ip', { handlers: [ip] });
  const above = new Above();
  return { host, eth0, fault0, ip, above };
}

describe('a device that has all that another receives', () => {
  test('gets whole batches as from a driver; below, taps alone see them', async () => {
    const { host, eth0, fault0, ip, above } = await boot();
    const seen: string[] = [];
    const hook = deviceHook(5, (_skb, _chain, input) => {
      seen.push(`hook ${input!.name}`);
      return VERDICT.ACCEPT;
    });
    const tap = { ethertype: ETHERTYPE.ALL, ifindex: 0, tap: (_skb: unknown, { name }: NetDevice) => void seen.push(`tap ${name}`) };
    await host.load('watch', { hooks: [hook], taps: [tap] });
    eth0.above = above;
    receive(host, eth0, frame('one'), frame('two'));
    expect([above.batches, above.queues, ip.got, seen.splice(0)]).toEqual([[2], [eth0.rxQueues[0]], [], ['tap eth0', 'tap eth0']]);
    expect(above.waiting.first!.mac, 'the link header is not read').toBe(-1);
    host.traffic().receive(fault0.rxQueues[0]!, above.waiting);
    expect([ip.got, seen, host.skbsOut()]).toEqual([['one', 'two'], ['tap fault0', 'hook fault0', 'tap fault0', 'hook fault0'], 0]);
    eth0.above = null;
    receive(host, eth0, frame('three'));
    expect(ip.got).toEqual(['one', 'two', 'three']);
  });

  test('from the backlog, too; not while the one below is down', async () => {
    const { host, eth0, above } = await boot();
    eth0.above = above;
    for (const text of ['a', 'b']) host.backlog().receive(packet(host, frame(text)), eth0);
    await host.settle();
    expect(above.batches).toEqual([2]);
    host.devices().close(eth0);
    receive(host, eth0, frame('c'));
    expect([above.batches, host.drops(), eth0.stats.rxDropped]).toEqual([[2], { 'netdev.down': 1 }, 1]);
  });

  test('is called as its module; what it throws is its own, and costs the batch only', async () => {
    const { host, eth0, ip, above } = await boot();
    let ctx!: ModuleContext;
    await host.load('fault', {}, (its) => {
      ctx = its;
    });
    const ids: number[] = [];
    above.owner = ctx.owner;
    above.receive = (_queue, batch) => {
      ids.push(ctx.current.id);
      purge(batch, { id: 1, name: 'x', text: '', count: 0 });
      throw new Error('oops');
    };
    eth0.above = above;
    host.backlog().receive(packet(host, frame('x')), eth0);
    await host.settle();
    expect([ids, host.kernel.faults.map(({ module }) => module)]).toEqual([[ctx.owner], ['fault#1']]);
    eth0.above = null;
    host.backlog().receive(packet(host, frame('y')), eth0);
    await host.settle();
    expect([ip.got, host.skbsOut(), host.kernel.holders('netdev')]).toEqual([['y'], 0, []]);
  });

  test('is asked to let go when the one below is taken out; if it does not, netdev does', async () => {
    const { host, eth0, fault0, above } = await boot();
    const told: (ReceiveHandler | null)[] = [];
    const listener: DeviceListener = {
      deviceChanged: (device, event) => {
        if (device === eth0 && event === DEVICE_EVENT.UNREGISTER) told.push(device.above);
      },
    };
    await host.load('ear', { listeners: [listener] });
    eth0.above = above;
    host.devices().unregister(eth0);
    expect([told, eth0.above, fault0.carrier]).toEqual([[above], null, false]);
  });

  test('a listener that throws keeps nothing of a device that is gone', async () => {
    const { host, eth0, fault0, above } = await boot();
    const listener: DeviceListener = {
      deviceChanged: (_device, event) => {
        if (event === DEVICE_EVENT.UNREGISTER) throw new Error('no');
      },
    };
    await host.load('bad', { listeners: [listener] });
    eth0.above = above;
    expect(() => host.devices().unregister(eth0)).toThrow('no');
    expect([eth0.ifindex, eth0.above, host.traffic().byName('eth0')]).toEqual([0, null, null]);
    expect(fault0.operstate, 'who stands on it knows').toBe(OPERSTATE.NOT_PRESENT);
  });

  test('a tap that throws leaves no clone behind; the batch is still the driver’s', async () => {
    const { host, eth0, above } = await boot();
    const tap = (): void => {
      throw new Error('oops');
    };
    await host.load('watch', { taps: [{ ethertype: ETHERTYPE.ALL, ifindex: 0, tap }] });
    eth0.above = above;
    const batch = new Queue();
    enqueue(batch, packet(host, frame('x')));
    expect(() => host.traffic().receive(eth0.rxQueues[0]!, batch)).toThrow('oops');
    expect([host.skbsOut(), batch.lenPackets, above.batches]).toEqual([1, 1, []]);
    purge(batch, { id: 1, name: 'x', text: '', count: 0 });
  });

  test('nobody is above a device without a receive queue', async () => {
    const { host, eth0, ip, above } = await boot();
    eth0.rxQueues = [];
    eth0.above = above;
    host.backlog().receive(packet(host, frame('x')), eth0);
    await host.settle();
    expect([ip.got, above.batches]).toEqual([['x'], []]);
  });
});
