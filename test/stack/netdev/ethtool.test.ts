import type { Ethtool, FlowRule, ModuleContext, NetDevice } from '@softnet/contract';
import { evenIndirection, ReceiveSpread, RSS_ENTRIES, RxQueue, TxQueue } from '@softnet/contract';
import { NetdevModule } from '@softnet/netdev';
import { describe, expect, test } from 'vitest';
import { FakeNic, plugNic } from './fake-nic.ts';
import type { NetdevHost } from './netdev-host.ts';
import { FakeDriver, plug, send } from './netdev-host.ts';
import { bootNic, code, rule } from './nic-host.ts';

describe('rings', () => {
  test('are as large as is wanted; what is left out stays', async () => {
    const { nic, eth0, ethtool, events } = await bootNic();
    ethtool.setRings(eth0, { rxPackets: 1024 });
    ethtool.setRings(eth0, { txPackets: 1 });
    ethtool.setRings(eth0, { rxPackets: 1024, txPackets: 1 });
    ethtool.setRings(eth0, {});
    expect([nic.asked, events]).toEqual([
      ['rings 1024 64', 'rings 1024 1'],
      ['SETTINGS', 'SETTINGS'],
    ]);
    expect(eth0.rxQueues.map(({ ringPackets }) => ringPackets)).toEqual([1024, 1024, 1024, 1024]);
    expect(eth0.txQueues.map(({ ringPackets }) => ringPackets)).toEqual([1, 1, 1, 1]);
  });

  test.each([
    [{ rxPackets: 0 }, code('EINVAL', "receive ring of 'eth0' takes 1 to 1024 packets, got 0")],
    [{ rxPackets: 1025 }, code('EINVAL', 'got 1025')],
    [{ txPackets: 1.5 }, code('EINVAL', 'transmit ring', 'got 1.5')],
  ])('not %j', async (sizes, message) => {
    const { nic, eth0, ethtool, events } = await bootNic();
    expect(() => ethtool.setRings(eth0, sizes)).toThrow(message);
    expect([nic.asked, events, eth0.rxQueues[0]!.ringPackets]).toEqual([[], [], 64]);
  });

  test('where nothing limits a sort, there is none', async () => {
    const { nic, eth0, ethtool } = await bootNic();
    for (const queue of eth0.txQueues) Object.assign(queue, { ringPackets: 0, maxRingPackets: 0 });
    ethtool.setRings(eth0, { rxPackets: 10 });
    expect(nic.asked).toEqual(['rings 10 0']);
    expect(() => ethtool.setRings(eth0, { txPackets: 10 })).toThrow(code('EOPNOTSUPP', "'eth0' has no transmit rings"));
  });
});

describe('coalescing', () => {
  test('of one queue, of all of a sort; what is left out stays', async () => {
    const { nic, eth0, ethtool, events } = await bootNic();
    ethtool.setCoalescing(eth0, [eth0.rxQueues[2]!], { us: 50, packets: 8 });
    ethtool.setCoalescing(eth0, eth0.rxQueues.slice(1, 3), { us: 1_000_000 });
    ethtool.setCoalescing(eth0, [eth0.txQueues[0]!], { packets: 65535 });
    ethtool.setCoalescing(eth0, [eth0.txQueues[0]!], { packets: 65535 });
    expect(nic.asked).toEqual(['coalescing rx2 50 8', 'coalescing rx1 1000000 0', 'coalescing rx2 1000000 8', 'coalescing tx0 0 65535']);
    expect(events).toHaveLength(3);
    expect(eth0.rxQueues.map(({ coalesceUs, coalescePackets }) => [coalesceUs, coalescePackets])).toEqual([
      ...[[0, 0] as const, [1_000_000, 0] as const, [1_000_000, 8] as const, [0, 0] as const],
    ]);
  });

  test.each<[string, (device: NetDevice) => readonly (RxQueue | TxQueue)[], object, RegExp]>([
    ['too long', ({ rxQueues }) => rxQueues, { us: 1_000_001 }, code('EINVAL', '0 to 1000000 µs, got 1000001')],
    ['too many packets', ({ rxQueues }) => rxQueues, { packets: 65536 }, code('EINVAL', '0 to 65535 packets')],
    ['less than nothing', ({ txQueues }) => txQueues, { us: -1 }, code('EINVAL', 'got -1')],
    ['no queue', () => [], { us: 1 }, code('EINVAL', "'eth0' has no such queue")],
    ['a queue that it has not', (device) => [new RxQueue(device, 4)], { us: 1 }, code('EINVAL', "queue 4 is none of 'eth0'")],
    ['a queue that was replaced', (device) => [new TxQueue(device, 0)], { us: 1 }, code('EINVAL', "queue 0 is none of 'eth0'")],
  ])('not %s', async (_what, queues, coalescing, message) => {
    const { nic, eth0, ethtool, events } = await bootNic();
    expect(() => ethtool.setCoalescing(eth0, queues(eth0), coalescing)).toThrow(message);
    expect([nic.asked, events]).toEqual([[], []]);
  });

  test('a driver that refuses one queue has them all as they were', async () => {
    const { nic, eth0, ethtool, events } = await bootNic();
    ethtool.setCoalescing(eth0, [eth0.rxQueues[0]!], { us: 5 });
    nic.refuses = 'coalescing rx2';
    expect(() => ethtool.setCoalescing(eth0, eth0.rxQueues, { us: 9 })).toThrow('the driver refuses coalescing rx2 9 0');
    expect(nic.asked.slice(1)).toEqual(['coalescing rx0 9 0', 'coalescing rx1 9 0', 'coalescing rx1 0 0', 'coalescing rx0 5 0']);
    expect([eth0.rxQueues.map(({ coalesceUs }) => coalesceUs), events]).toEqual([[5, 0, 0, 0], ['SETTINGS']]);
  });
});

describe('RSS', () => {
  test('a key by chance, kept; a table, or evenly over all', async () => {
    const { nic, eth0, ethtool, events } = await bootNic();
    ethtool.setSpread(eth0, null, null);
    const { key, indirection } = eth0.rss!;
    expect([indirection.length, [...new Set(indirection)], new Set(key).size > 20]).toEqual([RSS_ENTRIES, [0, 1, 2, 3], true]);
    const table = [3, 3, 2, 2];
    ethtool.setSpread(eth0, null, table);
    table[0] = 0;
    expect([eth0.rss!.key, [...eth0.rss!.indirection]]).toEqual([key, [3, 3, 2, 2]]);
    const own = new Uint8Array(40).fill(7);
    ethtool.setSpread(eth0, own, null);
    own[0] = 1;
    expect([[...eth0.rss!.key], nic.asked, events.length]).toEqual([
      new Array(40).fill(7),
      ['spread 01230', 'spread 3322', 'spread 01230'],
      3,
    ]);
  });

  test.each<[string, Uint8Array | null, readonly number[] | null, RegExp]>([
    ['a short key', new Uint8Array(39), null, code('EINVAL', 'has 40 bytes, got 39')],
    ['no entries', null, [], code('EINVAL', 'a power of two of entries, 1 to 1024, got 0')],
    ['three entries', null, [0, 1, 2], code('EINVAL', 'got 3')],
    ['too many entries', null, new Array(2048).fill(0), code('EINVAL', 'got 2048')],
    ['a queue that it has not', null, [0, 4], code('EINVAL', '0 to 3 for its queue, got 4')],
    ['no queue', null, [-1], code('EINVAL', 'got -1')],
  ])('not %s', async (_what, key, indirection, message) => {
    const { nic, eth0, ethtool, events } = await bootNic();
    expect(() => ethtool.setSpread(eth0, key, indirection)).toThrow(message);
    expect([nic.asked, events, eth0.rss]).toEqual([[], [], null]);
  });

  test('a driver that comes with a table of queues that it has not is refused', async () => {
    const { host, eth0 } = await bootNic();
    host.devices().unregister(eth0);
    eth0.rss = new ReceiveSpread(new Uint8Array(40), evenIndirection(5));
    expect(() => host.devices().register(eth0)).toThrow(code('EINVAL', 'its RSS table names receive queues that it has not'));
  });
});

describe('flow rules', () => {
  test('in order of their location; one takes the place of another; nobody can change them behind', async () => {
    const { nic, eth0, ethtool, events } = await bootNic();
    const given = rule(5, 2);
    ethtool.addFlowRule(eth0, given);
    given.key.remotePort = 1;
    expect(eth0.flowRules[0]!.key.remotePort).toBe(5000);
    ethtool.addFlowRule(eth0, rule(0, -1, 6000));
    ethtool.addFlowRule(eth0, rule(5, 3));
    expect(nic.asked).toEqual(['rules 5:2', 'rules 0:-1 5:2', 'rules 0:-1 5:3']);
    expect(eth0.flowRules.map(({ location, queue, key }) => [location, queue, key.remotePort])).toEqual([
      [0, -1, 6000],
      [5, 3, 5000],
    ]);
    ethtool.removeFlowRule(eth0, 0);
    expect([nic.asked.at(-1), eth0.flowRules.length, events.length]).toEqual(['rules 5:3', 1, 4]);
    expect(() => ethtool.removeFlowRule(eth0, 0)).toThrow(code('ENOENT', "'eth0' has no flow rule 0; there are: 5"));
  });

  test.each<[string, () => FlowRule, RegExp]>([
    ['a queue that it has not', () => rule(0, 4), code('EINVAL', 'rule 0', '-1 to 3 for its receive queue', 'got 4')],
    ['a location below 0', () => rule(-1, 0), code('EINVAL', 'location', 'got -1')],
    ['a port of 17 bits', () => rule(0, 0, 65536), code('EINVAL', 'for a port, got 65536')],
    [
      'a protocol of 9 bits',
      () => Object.assign(rule(0, 0), { key: Object.assign(rule(0, 0).key, { protocol: 256 }) }),
      code('EINVAL', '256'),
    ],
  ])('not %s', async (_what, made, message) => {
    const { nic, eth0, ethtool, events } = await bootNic();
    expect(() => ethtool.addFlowRule(eth0, made())).toThrow(message);
    expect([nic.asked, events, eth0.flowRules]).toEqual([[], [], []]);
  });

  test('there is an end of them; a driver may have less room', async () => {
    const { nic, eth0, ethtool } = await bootNic();
    eth0.flowRules = Array.from({ length: 1024 }, (_, i) => rule(i, 0));
    expect(() => ethtool.addFlowRule(eth0, rule(1024, 0))).toThrow(code('ENOSPC', "'eth0' has 1024 flow rules"));
    ethtool.addFlowRule(eth0, rule(1023, 1));
    eth0.flowRules = eth0.flowRules.map((each) => Object.assign(each, { automatic: true }));
    nic.setFlowRules = (device, rules) => {
      device.flowRules = rules.filter(({ automatic }) => !automatic);
    };
    ethtool.addFlowRule(eth0, rule(1024, 0));
    expect(
      eth0.flowRules.map(({ location }) => location),
      'automatic ones give way, as the driver likes it',
    ).toEqual([1024]);
    const { flowRules } = eth0;
    nic.setFlowRules = () => {
      throw new Error('the driver refuses');
    };
    expect(() => ethtool.removeFlowRule(eth0, 1024)).toThrow('the driver refuses');
    expect(eth0.flowRules).toBe(flowRules);
  });
});

const acts: readonly [string, (ethtool: Ethtool, device: NetDevice) => void][] = [
  ['the sizes of its rings', (ethtool, device) => ethtool.setRings(device, { rxPackets: 1 })],
  ['the moderation of its interrupts', (ethtool, device) => ethtool.setCoalescing(device, device.rxQueues, { us: 1 })],
  ['how many queues it has', (ethtool, device) => ethtool.setChannels(device, { rx: 1 })],
  ['how it spreads flows', (ethtool, device) => ethtool.setSpread(device, null, null)],
  ['which flows go to queues of their own', (ethtool, device) => ethtool.addFlowRule(device, rule(0, 0))],
  ['which flows go to queues of their own', (ethtool, device) => ethtool.removeFlowRule(device, 0)],
];

describe('a driver without, or a device that is not there', () => {
  test.each(acts)('%s', async (what, act) => {
    const { host, ethtool, events } = await bootNic();
    const plain = plug(host, new FakeDriver(host), 'plain');
    plain.kind = 'wire';
    events.length = 0;
    expect(() => act(ethtool, plain)).toThrow(code('EOPNOTSUPP', `the driver of 'plain' .wire. cannot change ${what}`));
    host.devices().unregister(plain);
    expect(() => act(ethtool, plain)).toThrow(code('ENODEV', "'plain' is not registered"));
    expect(events).toEqual(['GOING_DOWN', 'DOWN', 'UNREGISTER']);
  });

  test('a driver that refuses rings has them as they were', async () => {
    const { nic, eth0, ethtool, events } = await bootNic();
    nic.refuses = 'rings';
    expect(() => ethtool.setRings(eth0, { rxPackets: 9 })).toThrow('the driver refuses rings 9 64');
    expect([eth0.rxQueues[0]!.ringPackets, events]).toEqual([64, []]);
  });
});

test('drivers are called as themselves', async () => {
  const { host } = await bootNic();
  let ctx!: ModuleContext;
  const ids: number[] = [];
  const nic = Object.assign(new FakeNic(host), { setRings: () => void ids.push(ctx.current.id) });
  await host.load('driver', {}, (its) => {
    ctx = its;
    const held = its.objects<NetDevice>('device', { drain: 'keep', close: () => {} });
    queueMicrotask(() => held.hold(plugNic(host, nic, 'own'), its, 'driver.start'));
  });
  await host.settle();
  host.ethtool().setRings(host.traffic().byName('own')!, { rxPackets: 5 });
  expect([ids, ctx.current.id]).toEqual([[ctx.owner], 0]);
  host.devices().unregister(host.traffic().byName('own')!);
});

describe('the door', () => {
  async function replaced(host: NetdevHost): Promise<void> {
    await host.run((await host.run(host.kernel.replace('netdev', NetdevModule))).drained);
  }

  test('what was set stays when netdev is replaced, and can be set again', async () => {
    const { host, nic, eth0, ethtool } = await bootNic();
    ethtool.setRings(eth0, { rxPackets: 100 });
    ethtool.setSpread(eth0, null, [3, 1]);
    ethtool.addFlowRule(eth0, rule(3, 1));
    const { rss, flowRules } = eth0;
    await replaced(host);
    expect([eth0.rxQueues[0]!.ringPackets, eth0.rss, eth0.flowRules]).toEqual([100, rss, flowRules]);
    host.ethtool().setChannels(eth0, { rx: 2, tx: 2 });
    send(host, eth0, 'hello');
    expect([nic.sent, [...eth0.rss!.indirection.slice(0, 3)], host.skbsOut()]).toEqual([['hello'], [0, 1, 0], 0]);
  });

  test('is shut while netdev leaves', async () => {
    const { host, nic, eth0 } = await bootNic();
    nic.room = 0;
    for (const text of ['a', 'b']) send(host, eth0, text);
    const unload = host.kernel.unload('netdev');
    await host.settle();
    expect(() => host.ethtool().setRings(eth0, { rxPackets: 5 })).toThrow(code('ENODEV', 'netdev'));
    await host.run(host.kernel.abort('netdev'));
    await host.run(unload);
    host.ethtool().setRings(eth0, { rxPackets: 5 });
    expect(nic.asked).toEqual(['rings 5 64']);
  });
});
