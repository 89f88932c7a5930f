import type { DeviceOps } from '@softnet/contract';
import { Counter, CurrentOwner, DEVICE_FEATURE, DEVICE_FLAG, FlowKey, NetDevice, RxQueue } from '@softnet/contract';
import { etherLink } from '@softnet/wire';
import { expect, test } from 'vitest';
import { DeviceTable } from '../device-table.ts';
import { FlowSteerer } from './flow-steerer.ts';

function nic(room: { left: number }): NetDevice {
  const ops: DeviceOps = { open: () => {}, stop: () => {}, transmit: () => {}, steer: () => room.left-- > 0 };
  const device = new NetDevice(ops, etherLink);
  Object.assign(device, { name: 'eth0', flags: DEVICE_FLAG.UP, features: DEVICE_FEATURE.FLOW_STEERING });
  device.rxQueues = [0, 1].map((shard) => Object.assign(new RxQueue(device, shard), { shard }));
  return device;
}

test('the shard is remembered where a device cannot; it never contradicts what devices do', () => {
  const table = new DeviceTable();
  const room = { left: 0 };
  table.admit(nic(room), 'eth0');
  const counters = { steered: new Counter('s'), refused: new Counter('r'), evicted: new Counter('e') };
  const steerer = new FlowSteerer(table, new CurrentOwner(), counters);
  const moved = (hash: number, shard: number, left: number): void => {
    room.left = left;
    steerer.readerMoved(new FlowKey(), hash, shard, 0);
  };
  moved(8, 1, 1);
  expect(steerer.shardOf(8), 'its device steers it').toBe(-1);
  moved(9, 1, 0);
  expect(steerer.shardOf(9)).toBe(1);
  moved(9, 0, 1);
  expect([steerer.shardOf(9), counters.steered.value, counters.refused.value]).toEqual([0, 2, 1]);
  moved(9, 5, 1);
  expect([steerer.shardOf(9), counters.refused.value], 'no queue of that shard').toEqual([5, 2]);
  const { refused } = counters;
  table.all[0]!.features = 0;
  moved(10, 3, 1);
  expect([steerer.shardOf(10), refused.value], 'it was not asked').toEqual([3, 2]);
});
