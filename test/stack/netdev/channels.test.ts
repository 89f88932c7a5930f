import { DEVICE_FLAG, evenIndirection } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { send } from './netdev-host.ts';
import { bootNic, code, rule } from './nic-host.ts';

describe('channels', () => {
  test('a device that is up goes down and up, and sends and receives by its new queues', async () => {
    const { host, nic, eth0, ethtool, events } = await bootNic();
    const before = eth0.txQueues;
    ethtool.setChannels(eth0, { rx: 2, tx: 8 });
    expect([nic.asked, nic.calls]).toEqual([['channels 2 8 down'], ['open eth0', 'stop eth0', 'open eth0']]);
    expect(events).toEqual(['GOING_DOWN', 'DOWN', 'SETTINGS', 'UP']);
    expect([eth0.rxQueues.length, eth0.txQueues.length, before.map(({ sender }) => sender)]).toEqual([2, 8, [null, null, null, null]]);
    const hashes = new Set<number>();
    nic.take = (queue) => void hashes.add(queue.index);
    for (let i = 0; i < 64; i++) send(host, eth0, `${i}`);
    expect([hashes.size, host.skbsOut()]).toEqual([1, 0]);
    ethtool.setChannels(eth0, { rx: 2 });
    expect(nic.asked).toHaveLength(1);
  });

  test('what waits in a queue that goes is dropped with a reason; what a qdisc of old was, nobody calls', async () => {
    const { host, nic, eth0, ethtool } = await bootNic();
    nic.room = 0;
    for (const text of ['a', 'b']) send(host, eth0, text);
    ethtool.setChannels(eth0, { tx: 1 });
    expect([host.drops(), host.skbsOut()]).toEqual([{ 'netdev.queue-reset': 2 }, 0]);
    nic.wake(eth0.txQueues[0]!, 9);
    send(host, eth0, 'c');
    await host.settle();
    expect(nic.sent).toEqual(['c']);
  });

  test('one that is down stays so', async () => {
    const { host, nic, eth0, ethtool, events } = await bootNic();
    host.devices().close(eth0);
    events.length = 0;
    ethtool.setChannels(eth0, { tx: 3 });
    expect([nic.asked, events, eth0.flags & DEVICE_FLAG.UP]).toEqual([['channels 4 3 down'], ['SETTINGS'], 0]);
    host.devices().open(eth0);
    expect(eth0.txQueues.every(({ qdisc }) => qdisc !== null)).toBe(true);
  });

  test.each([
    [{ rx: 0 }, code('EINVAL', "'eth0' takes 1 to 8 receive queues, got 0")],
    [{ tx: 9 }, code('EINVAL', '1 to 8 transmit queues, got 9')],
    [{ rx: 2.5 }, code('EINVAL', 'got 2.5')],
  ])('not %j', async (channels, message) => {
    const { nic, eth0, ethtool, events } = await bootNic();
    expect(() => ethtool.setChannels(eth0, channels)).toThrow(message);
    expect([nic.asked, events]).toEqual([[], []]);
  });

  test('the RSS table is made anew where it names queues that are gone, before they go; where it was even, it is even over the new ones', async () => {
    const { nic, eth0, ethtool } = await bootNic();
    ethtool.setSpread(eth0, null, [0, 3]);
    const { key } = eth0.rss!;
    ethtool.setChannels(eth0, { rx: 3 });
    expect([[...eth0.rss!.indirection], eth0.rss!.key]).toEqual([[...evenIndirection(3)], key]);
    ethtool.setChannels(eth0, { rx: 5 });
    expect(nic.asked).toEqual(['spread 03', 'spread 01201', 'channels 3 4 down', 'channels 5 4 down', 'spread 01234']);
    ethtool.setSpread(eth0, null, [1, 0]);
    ethtool.setChannels(eth0, { rx: 8 });
    expect([...eth0.rss!.indirection]).toEqual([1, 0]);
  });

  test('not while a rule sends a flow to a queue that would go: it is named; automatic ones go with it', async () => {
    const { nic, eth0, ethtool } = await bootNic();
    ethtool.addFlowRule(eth0, rule(7, 3));
    expect(() => ethtool.setChannels(eth0, { rx: 3 })).toThrow(code('EINVAL', "rule 7 of 'eth0'", 'receive queue 3', 'remove it first'));
    ethtool.removeFlowRule(eth0, 7);
    ethtool.addFlowRule(eth0, rule(1, -1));
    ethtool.addFlowRule(eth0, Object.assign(rule(2, 3, 6000), { automatic: true }));
    ethtool.setChannels(eth0, { rx: 3 });
    expect(nic.asked.slice(-2)).toEqual(['rules 1:-1', 'channels 3 4 down']);
    expect(eth0.flowRules.map(({ location }) => location)).toEqual([1]);
  });

  test.each(['channels', 'spread', 'rules'])('a driver that refuses %s has all as it was', async (refuses) => {
    const { host, nic, eth0, ethtool } = await bootNic();
    ethtool.setSpread(eth0, null, null);
    ethtool.addFlowRule(eth0, Object.assign(rule(2, 3), { automatic: true }));
    const { rss, flowRules, rxQueues, txQueues } = eth0;
    nic.refuses = refuses;
    expect(() => ethtool.setChannels(eth0, { rx: 2 })).toThrow(`the driver refuses ${refuses}`);
    expect([eth0.rss, eth0.flowRules, eth0.rxQueues, eth0.txQueues]).toEqual([rss, flowRules, rxQueues, txQueues]);
    expect([eth0.rss === rss, eth0.rxQueues === rxQueues]).toEqual([true, true]);
    nic.refuses = '';
    send(host, eth0, 'still here');
    expect([nic.sent, eth0.flags & DEVICE_FLAG.UP]).toEqual([['still here'], DEVICE_FLAG.UP]);
  });

  test('more queues that it will not spread over are given back', async () => {
    const { nic, eth0, ethtool } = await bootNic();
    ethtool.setSpread(eth0, null, null);
    nic.refuses = 'spread 01234';
    expect(() => ethtool.setChannels(eth0, { rx: 6 })).toThrow('the driver refuses spread');
    expect([nic.asked.slice(1), eth0.rxQueues.length]).toEqual([['channels 6 4 down', 'channels 4 4 down'], 4]);
  });

  test('a driver that cannot go up again stays down, with its new queues', async () => {
    const { nic, eth0, ethtool, events } = await bootNic();
    nic.open = () => {
      throw new Error('the driver cannot open');
    };
    expect(() => ethtool.setChannels(eth0, { rx: 2 })).toThrow('the driver cannot open');
    expect([eth0.rxQueues.length, eth0.flags & DEVICE_FLAG.UP, events]).toEqual([2, 0, ['GOING_DOWN', 'DOWN', 'SETTINGS']]);
  });

  test('what a driver says first is what is heard, whatever it refuses when it is to go back', async () => {
    const { nic, eth0, ethtool } = await bootNic();
    ethtool.setSpread(eth0, null, null);
    const { setChannels } = nic;
    nic.setChannels = (device, rx, tx) => {
      if (rx === 4) throw new Error('it keeps its queues');
      setChannels.call(nic, device, rx, tx);
    };
    nic.refuses = 'spread';
    nic.open = () => {
      throw new Error('the driver cannot open');
    };
    expect(() => ethtool.setChannels(eth0, { rx: 6 })).toThrow('the driver refuses spread');
    expect([eth0.rxQueues.length, eth0.flags & DEVICE_FLAG.UP]).toEqual([6, 0]);
  });

  test('a driver that makes others than it was asked for', async () => {
    const { nic, eth0, ethtool } = await bootNic();
    const { rxQueues } = eth0;
    nic.setChannels = (device) => {
      device.rxQueues = [];
    };
    expect(() => ethtool.setChannels(eth0, { rx: 2 })).toThrow(code('EIO', 'asked for 2 receive and 4 transmit queues, and made others'));
    expect(eth0.rxQueues).toBe(rxQueues);
  });
});
