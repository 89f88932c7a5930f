import type { SkbQueue as Batch, DeviceOps, EthertypeHandler, NetDevice, Skb, TxQueue } from '@softnet/contract';
import { dequeue, enqueue, GRO, HOOK_POINT, SkbQueue, VERDICT } from '@softnet/contract';
import { describe, expect, test, vi } from 'vitest';

// Before anything is imported: this file looks at what users run.
vi.hoisted(() => {
  Object.assign(globalThis, { SOFTNET_DEBUG: '0' });
});

import { DEVICE_FEATURE, FlowKey, LINK_TYPE, PARSER_LEVEL } from '@softnet/contract';
import { onceWarmCalls } from '@softnet/contract/testing';
import { put } from '@softnet/skb';
import type { NetdevHost } from './netdev-host.ts';
import { bootNetdev, deviceHook, OUR_MAC, PEER_MAC, plug } from './netdev-host.ts';

const CHUNK = 5_000;
const LEN_BYTES = 100;

/** Takes all; frees it. */
class Sink implements DeviceOps {
  sent = 0;
  full = false;
  open(): void {}
  stop(): void {}
  transmit(queue: TxQueue, batch: Batch): void {
    if (this.full) {
      queue.stopped = true;
      return;
    }
    for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) {
      this.sent++;
      skb.memory.pool.release(skb);
    }
  }
}

/** Takes all; never merges. */
class Counting implements EthertypeHandler {
  readonly name = 'ip';
  readonly ethertype = 0x0800;
  readonly dissect = null;
  readonly gro = { sameFlow: () => false, begin: () => true, merge: () => GRO.DIFFERENT, finish: () => {} };
  readonly segment = null;
  got = 0;
  input(skb: Skb): void {
    this.got++;
    skb.memory.pool.release(skb);
  }
}

async function boot(features = 0) {
  const host = await bootNetdev();
  const driver = new Sink();
  const device = plug(host, driver, 'eth0', { features });
  const handler = new Counting();
  const tap = { ethertype: 3, ifindex: 0, tap: () => {} };
  const hooks = [HOOK_POINT.INGRESS, HOOK_POINT.EGRESS].map((point) => deviceHook(point, () => VERDICT.ACCEPT));
  await host.load('ip', { handlers: [handler], taps: [tap], hooks });
  return { host, driver, device, handler, traffic: host.traffic(), pool: host.pool() };
}

test('nobody follows who owns a packet', async () => {
  const { host, device } = await boot();
  const skb = made(host, device, OUR_MAC);
  expect(skb.memory.pool).toHaveProperty('ledger', null);
  expect(Object.getOwnPropertySymbols(skb)).toEqual([]);
});

function made(host: NetdevHost, device: NetDevice, to: Uint8Array): Skb {
  const skb = host.pool().alloc(64, LEN_BYTES)!;
  put(skb, LEN_BYTES);
  skb.network = skb.data;
  device.link.write(skb, device, 0x0800, to, null);
  return skb;
}

describe('once warm, nothing is allocated', () => {
  test.each([0, DEVICE_FEATURE.GRO])('received, through GRO, tap and hook, features %i', async (features) => {
    const { host, device, handler, traffic } = await boot(features);
    const batch = new SkbQueue();
    const { bytes, calls } = onceWarmCalls(1, CHUNK, () => {
      for (let i = 0; i < 4; i++) enqueue(batch, made(host, device, OUR_MAC));
      traffic.receive(device.rxQueues[0]!, batch);
    });
    expect(bytes).toBeLessThan(1);
    expect([handler.got, host.skbsOut()]).toEqual([4 * calls, 0]);
  });

  test('sent at once, through hook and tap', async () => {
    const { host, driver, device, traffic } = await boot();
    const { bytes, calls } = onceWarmCalls(1, CHUNK, () => traffic.transmit(device, made(host, device, PEER_MAC)));
    expect(bytes).toBeLessThan(1);
    expect([driver.sent, host.skbsOut()]).toEqual([calls, 0]);
  });

  test('headers found, flows steered', async () => {
    const { host, device } = await boot();
    device.type = LINK_TYPE.ETHER;
    await host.load('rest', {
      parsers: [
        {
          ...{ name: 'ip', level: PARSER_LEVEL.ETHERTYPE, number: 0x0800 },
          parse: (view, offset, _end, found) => {
            found.lenBytes = 4 * (view.getUint8(offset) & 15);
            return true;
          },
        },
      ],
    });
    const skb = made(host, device, OUR_MAC);
    const { view } = skb.memory;
    view.setUint8(skb.network, 0x45);
    const split = host.split();
    let headers = 0;
    const found = onceWarmCalls(1, CHUNK, () => {
      headers = split.headerBytes(device, view, skb.data, skb.tail);
    });
    expect([found.bytes < 1, headers]).toEqual([true, 34]);
    const steering = host.steering();
    const key = new FlowKey();
    const steered = onceWarmCalls(1, CHUNK, (call) => steering.readerMoved(key, call, 0, 0));
    expect(steered.bytes).toBeLessThan(1);
  });

  test('sent by the qdisc', async () => {
    const { host, driver, device, traffic } = await boot();
    const [queue] = device.txQueues;
    const { bytes, calls } = onceWarmCalls(1, CHUNK, () => {
      driver.full = true;
      for (let i = 0; i < 4; i++) traffic.transmit(device, made(host, device, PEER_MAC));
      driver.full = false;
      queue!.stopped = false;
      traffic.transmit(device, made(host, device, PEER_MAC));
    });
    expect(bytes).toBeLessThan(1);
    expect([driver.sent, host.skbsOut()]).toEqual([5 * calls, 0]);
  });
});
