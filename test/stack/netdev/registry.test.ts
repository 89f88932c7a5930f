import type { DeviceListener, ModuleContext, NetDevice, NetworkLayer, Skb, Tap } from '@softnet/contract';
import { DEVICE_EVENT, DEVICE_FLAG, NetDevice as Device, ETHERTYPE, HOOK_POINT, OPERSTATE, TxQueue, VERDICT } from '@softnet/contract';
import { NetdevModule } from '@softnet/netdev';
import { etherLink } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import type { NetdevHost } from './netdev-host.ts';
import { bootNetdev, deviceHook, FakeDriver, FakeHandler, frame, packet, plug, receive, send } from './netdev-host.ts';

const EVENTS = Object.entries(DEVICE_EVENT);

/** Writes down what it hears. */
class Ear implements DeviceListener {
  readonly heard: string[] = [];
  deviceChanged({ name }: NetDevice, event: number): void {
    this.heard.push(`${EVENTS.find(([, number]) => number === event)![0]} ${name}`);
  }
  take(): string[] {
    return this.heard.splice(0);
  }
}

async function boot() {
  const host = await bootNetdev();
  const ear = new Ear();
  await host.load('ear', { listeners: [ear] });
  return { host, ear, driver: new FakeDriver(host) };
}

function bare(host: NetdevHost, name: string): NetDevice {
  const device = new Device(new FakeDriver(host), etherLink);
  device.name = name;
  device.txQueues = [new TxQueue(device, 0)];
  return device;
}

describe('names', () => {
  test('a number for %d, the lowest that is free; ifindexes are never used twice', async () => {
    const { host, driver } = await boot();
    const [a, b, c] = [plug(host, driver, 'eth%d'), plug(host, driver, 'eth%d'), plug(host, driver, 'wan')];
    expect([a, b, c].map(({ name, ifindex }) => [name, ifindex])).toEqual([
      ['eth0', 1],
      ['eth1', 2],
      ['wan', 3],
    ]);
    host.devices().unregister(a);
    expect([a.ifindex, host.traffic().byName('eth0')]).toEqual([0, null]);
    host.devices().register(a);
    expect([a.ifindex, a.name]).toEqual([4, 'eth0']);
    expect(host.traffic().all()).toEqual([b, c, a]);
    expect([host.traffic().byIndex(4), host.traffic().byIndex(1)]).toEqual([a, null]);
  });

  test.each(['', '.', '..', 'a b', 'a/b', 'a:b', 'sixteen-letters-', 'eth%', 'eth%x', '%d%d', 'fifteen-letters%d'])(
    '%j is none',
    async (name) => {
      const { host } = await boot();
      expect(() => host.devices().register(bare(host, name))).toThrow(expect.objectContaining({ code: 'EINVAL' }));
      expect(host.traffic().all()).toEqual([]);
    },
  );

  test('another device’s name is EEXIST; renamed, while up too, with %d too', async () => {
    const { host, driver, ear } = await boot();
    const eth0 = plug(host, driver);
    expect(() => plug(host, driver, 'eth0')).toThrow("EEXIST: a device is named 'eth0' already (ifindex 1)");
    ear.take();
    host.devices().rename(eth0, 'lan%d');
    expect([eth0.name, host.traffic().byName('lan0'), host.traffic().byName('eth0')]).toEqual(['lan0', eth0, null]);
    host.devices().rename(eth0, 'lan0');
    expect(ear.take()).toEqual(['NAME lan0']);
    plug(host, driver, 'eth0');
    expect(() => host.devices().rename(eth0, 'eth0')).toThrow('EEXIST');
  });
});

describe('listeners', () => {
  test('hear every change, in order', async () => {
    const { host, driver, ear } = await boot();
    const eth0 = plug(host, driver, 'eth0', { up: false });
    eth0.hardwareFeatures |= 1;
    host.devices().open(eth0);
    host.devices().open(eth0);
    host.traffic().setCarrier(eth0, true);
    host.traffic().setCarrier(eth0, true);
    host.devices().setMtu(eth0, 1400);
    host.devices().setMtu(eth0, 1400);
    host.devices().setAddress(eth0, Uint8Array.of(2, 0, 0, 0, 0, 9));
    host.devices().setFeatures(eth0, 1);
    host.devices().setFlags(eth0, eth0.flags | DEVICE_FLAG.PROMISC);
    host.devices().close(eth0);
    host.devices().close(eth0);
    host.devices().unregister(eth0);
    host.devices().unregister(eth0);
    expect(ear.take().map((line) => line.replace(' eth0', ''))).toEqual([
      ...['REGISTER', 'UP', 'CHANGE', 'MTU', 'ADDRESS', 'FEATURES', 'CHANGE', 'GOING_DOWN', 'DOWN', 'UNREGISTER'],
    ]);
    expect(driver.calls).toEqual(['open eth0', 'stop eth0']);
    expect([eth0.mtuBytes, eth0.address[5], eth0.features]).toEqual([1400, 9, 1]);
  });

  test('one that comes later hears once of what is there, as itself, without anybody asking', async () => {
    const { host, driver } = await boot();
    plug(host, driver, 'eth0');
    plug(host, driver, 'eth1', { up: false });
    const late = new Ear();
    const owners: boolean[] = [];
    let ctx!: ModuleContext;
    const listener: DeviceListener = {
      deviceChanged: (device, event) => {
        owners.push(ctx.current.id === ctx.owner);
        late.deviceChanged(device, event);
      },
    };
    await host.load('late', { listeners: [listener] }, (its) => {
      ctx = its;
    });
    await host.settle();
    expect(late.take()).toEqual(['REGISTER eth0', 'UP eth0', 'REGISTER eth1']);
    expect(owners).toEqual([true, true, true]);
    await host.load('later', { listeners: [new Ear()] });
    await host.run(host.kernel.unload('later'));
    await host.settle();
    expect(late.take()).toEqual([]);
    plug(host, driver, 'eth2', { up: false });
    expect(late.take()).toEqual(['REGISTER eth2']);
  });

  test('a device that comes in the same tick as a listener is told once', async () => {
    const { host, driver } = await boot();
    const late = new Ear();
    plug(host, driver, 'eth0', { up: false });
    const loaded = host.load('late', { listeners: [late] });
    await loaded;
    plug(host, driver, 'eth1', { up: false });
    await host.settle();
    expect(late.take()).toEqual(['REGISTER eth0', 'REGISTER eth1']);
  });

  test('one that throws keeps nobody from hearing', async () => {
    const { host, driver } = await boot();
    const after = new Ear();
    const bad: DeviceListener = {
      deviceChanged: () => {
        throw new Error('no');
      },
    };
    await host.load('bad', { listeners: [bad] });
    await host.load('after', { listeners: [after] });
    expect(() => plug(host, driver, 'eth0')).toThrow('no');
    expect(after.take()).toEqual(['REGISTER eth0']);
    expect(host.traffic().byName('eth0')).not.toBeNull();
  });
});

describe('refused', () => {
  const refusals: readonly [string, string, (host: NetdevHost, device: NetDevice) => void][] = [
    ['an MTU out of range', 'EINVAL: an MTU of', (host, device) => host.devices().setMtu(device, 67)],
    ['an MTU that is no integer', 'EINVAL', (host, device) => host.devices().setMtu(device, 1500.5)],
    ['an address of another length', 'EINVAL', (host, device) => host.devices().setAddress(device, new Uint8Array(5))],
    ['a group’s address', 'EINVAL', (host, device) => host.devices().setAddress(device, Uint8Array.of(1, 0, 0, 0, 0, 0))],
    ['a feature that is fixed', 'EINVAL', (host, device) => host.devices().setFeatures(device, 2)],
    ['a flag that says what it is', 'EINVAL', (host, device) => host.devices().setFlags(device, device.flags | DEVICE_FLAG.LOOPBACK)],
    ['a second registration', 'EINVAL', (host, device) => host.devices().register(device)],
    ['removal of what goes with its driver', 'EOPNOTSUPP', (host, device) => host.devices().remove(device)],
    ['what is not registered', 'ENODEV', (host) => host.devices().open(bare(host, 'x'))],
    ['no queue', 'EINVAL', (host) => host.devices().register(Object.assign(bare(host, 'x'), { txQueues: [] }))],
    ['another device’s queue', 'EINVAL', (host, { txQueues }) => host.devices().register(Object.assign(bare(host, 'x'), { txQueues }))],
    ['UP before it is open', 'EINVAL', (host) => host.devices().register(Object.assign(bare(host, 'x'), { flags: DEVICE_FLAG.UP }))],
  ];
  test.each(refusals)('%s', async (_what, message, act) => {
    const { host, driver, ear } = await boot();
    const eth0 = plug(host, driver, 'eth0');
    ear.take();
    expect(() => act(host, eth0)).toThrow(message);
    expect([ear.take(), host.traffic().all()]).toEqual([[], [eth0]]);
  });

  test('what the driver refuses is not done', async () => {
    const { host, ear } = await boot();
    const no = (): never => {
      throw new Error('driver says no');
    };
    const eth0 = plug(host, Object.assign(new FakeDriver(host), { open: no, setMtu: no, setAddress: no }), 'eth0', { up: false });
    ear.take();
    expect(() => host.devices().open(eth0)).toThrow('no');
    expect(() => host.devices().setMtu(eth0, 1000)).toThrow('no');
    expect(() => host.devices().setAddress(eth0, Uint8Array.of(2, 0, 0, 0, 0, 9))).toThrow('no');
    expect([eth0.flags & DEVICE_FLAG.UP, eth0.mtuBytes, eth0.address[5], eth0.qdisc, ear.take()]).toEqual([0, 1500, 1, null, []]);
  });
});

test('flags: UP opens and closes, PROMISC is told to the driver', async () => {
  const { host } = await boot();
  const modes: number[] = [];
  const driver = Object.assign(new FakeDriver(host), {
    setReceiveMode: ({ flags }: NetDevice) => void modes.push(flags & DEVICE_FLAG.PROMISC),
  });
  const eth0 = plug(host, driver, 'eth0', { up: false });
  host.devices().setFlags(eth0, eth0.flags | DEVICE_FLAG.UP | DEVICE_FLAG.PROMISC);
  host.devices().setFlags(eth0, eth0.flags & ~DEVICE_FLAG.UP);
  expect([driver.calls, modes]).toEqual([['open eth0', 'stop eth0'], [DEVICE_FLAG.PROMISC]]);
});

test('remove: down, out, and its driver lets go of it', async () => {
  const { host, ear } = await boot();
  const driver = Object.assign(new FakeDriver(host), { remove: ({ name }: NetDevice) => void driver.calls.push(`remove ${name}`) });
  const eth0 = plug(host, driver, 'eth0');
  ear.take();
  host.devices().remove(eth0);
  expect([driver.calls, ear.take()]).toEqual([
    ['open eth0', 'stop eth0', 'remove eth0'],
    ['GOING_DOWN eth0', 'DOWN eth0', 'UNREGISTER eth0'],
  ]);
});

test('while the module leaves, no device comes in; those that are there can go; an abort lets others come again', async () => {
  const { host, driver } = await boot();
  const eth0 = plug(host, driver, 'eth0');
  driver.room = 0;
  send(host, eth0, 'waits');
  send(host, eth0, 'waits too');
  const unload = host.kernel.unload('netdev');
  await host.settle();
  expect(host.kernel.holders('netdev').map(({ description, place }) => `${description} at ${place}`)).toEqual(['2 skb at netdev.queue']);
  expect(() => host.devices().register(bare(host, 'x'))).toThrow('ESHUTDOWN: netdev#1 is leaving');
  await host.run(host.kernel.abort('netdev'));
  expect((await host.run(unload)).outcome).toBe('live');
  host.devices().register(bare(host, 'x'));
  const again = host.kernel.unload('netdev');
  await host.settle();
  host.devices().unregister(eth0);
  expect((await host.run(again)).outcome).toBe('gone');
  expect(host.skbsOut()).toBe(0);
});

describe('replaced', () => {
  const replace = async ({ run, kernel }: NetdevHost) => run((await run(kernel.replace('netdev', NetdevModule))).drained);

  test('the next generation has the devices as they stand, and what waits for them; nobody is told', async () => {
    const { host, driver, ear } = await boot();
    const gone = plug(host, driver, 'gone', { up: false });
    const [eth0, eth1] = [plug(host, driver, 'eth0', { queues: 2 }), plug(host, driver, 'eth1', { up: false })];
    host.devices().unregister(gone);
    driver.room = 1;
    for (const text of ['0', '1', '2', '3']) send(host, eth0, text);
    ear.take();
    const [queue] = eth0.txQueues;
    const before = [queue!.stopped, queue!.qdisc!.lenPackets];
    await replace(host);
    expect(host.traffic().all()).toEqual([eth0, eth1]);
    expect([host.traffic().byIndex(2), host.traffic().byName('eth1'), eth0.operstate]).toEqual([eth0, eth1, OPERSTATE.UP]);
    expect([queue!.stopped, queue!.qdisc!.lenPackets, eth0.qdisc === queue!.qdisc]).toEqual([...before, true]);
    expect(host.kernel.holders('netdev#2').map(({ description }) => description)).toEqual(['3 skb']);
    send(host, eth0, '4');
    driver.wake(queue!, 100);
    await host.settle();
    expect([driver.sent, ear.take(), host.skbsOut()]).toEqual([['0', '1', '2', '3', '4'], [], 0]);
    const late = new Ear();
    await host.load('late', { listeners: [late] });
    await host.settle();
    expect([late.take(), ear.take()]).toEqual([['REGISTER eth0', 'UP eth0', 'REGISTER eth1'], []]);
    host.devices().unregister(eth0);
    expect([ear.take().at(-1), plug(host, driver, 'eth0', { up: false }).ifindex]).toEqual(['UNREGISTER eth0', 4]);
  });

  test('a qdisc of somebody else stays in its cell', async () => {
    const { host, driver } = await boot();
    const eth0 = plug(host, driver, 'eth0');
    const [queue] = eth0.txQueues;
    driver.room = 0;
    for (const text of ['0', '1', '2']) send(host, eth0, text);
    const builtIn = queue!.qdisc!;
    const qdisc = {
      ...{ kind: 'other', handle: 1, backlogBytes: 0 },
      get lenPackets() {
        return builtIn.lenPackets;
      },
      enqueue: (skb: Skb) => builtIn.enqueue(skb),
      dequeue: () => builtIn.dequeue(),
      reset: () => builtIn.reset(),
    };
    queue!.qdisc = qdisc;
    const { drained } = await host.run(host.kernel.replace('netdev', NetdevModule));
    const late = new Ear();
    await host.load('late', { listeners: [late] });
    await host.settle();
    expect(host.kernel.holders('netdev#1'), 'its packets are in the other qdisc').toHaveLength(1);
    expect(late.take(), 'told by one generation').toEqual(['REGISTER eth0', 'UP eth0']);
    driver.wake(queue!, 100);
    await host.settle();
    expect([driver.sent, queue!.qdisc === qdisc]).toEqual([['0', '1', '2'], true]);
    await host.run(drained);
    expect(host.skbsOut()).toBe(0);
  });

  test('packets in the backlog arrive; draining beside another is refused', async () => {
    const { host, driver } = await boot();
    const eth0 = plug(host, driver, 'eth0');
    const ip = new FakeHandler();
    await host.load('ip', { handlers: [ip] });
    for (let i = 0; i < 100; i++) host.backlog().receive(packet(host, frame(`${i}`)), eth0);
    await replace(host);
    expect([ip.got.length, host.skbsOut()]).toEqual([100, 0]);
    await expect(host.run(host.kernel.replace('netdev', NetdevModule, { mode: 'drain' }))).rejects.toThrow('EBUSY');
  });
});

/** Loads a module, sends a packet through all that it brought, and unloads it. Its items, weakly. */
async function visit(host: NetdevHost): Promise<WeakRef<object>[]> {
  const device = plug(host, new FakeDriver(host), 'eth0');
  const ip = new FakeHandler();
  const ear = new Ear();
  const layer = { name: 'layer', reenter: (skb: Skb) => skb.memory.pool.release(skb) } as unknown as NetworkLayer;
  const hooks = [HOOK_POINT.INGRESS, HOOK_POINT.EGRESS].map((point) => deviceHook(point, () => VERDICT.ACCEPT));
  const tap: Tap = { ethertype: ETHERTYPE.ALL, ifindex: 0, tap: () => {} };
  await host.load('visitor', { handlers: [ip], listeners: [ear], layers: [layer], hooks, taps: [tap] });
  receive(host, device, frame('hello'));
  send(host, device, 'hello');
  host.backlog().send(packet(host, frame('hello')), layer);
  await host.settle();
  expect([ip.got, ear.heard]).toEqual([['hello'], ['REGISTER eth0', 'UP eth0']]);
  await host.run(host.kernel.unload('visitor'));
  await host.settle();
  return [ip, ear, layer, tap, ...hooks].map((item) => new WeakRef<object>(item));
}

test('nothing is kept of a module that has gone', async () => {
  const { host } = await boot();
  const weak = await visit(host);
  await new Promise((resolve) => setTimeout(resolve, 0));
  globalThis.gc!();
  expect(weak.map((each) => each.deref())).toEqual(weak.map(() => undefined));
});
