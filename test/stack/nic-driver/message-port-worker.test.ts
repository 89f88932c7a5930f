import { once } from 'node:events';
import { resolve } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { NetDevice } from '@softnet/contract';
import { DeviceTraffic, SkbPool } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { MessagePortModule } from '@softnet/nic-driver';
import { copyIn } from '@softnet/skb';
import { HOST_STACK, NetHost, pattern, QUIET_HOST } from '@softnet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundled } from '../../bundled.ts';
import { until } from './frame-host.ts';
import type { WorkerOrder, WorkerWord } from './message-port-worker.ts';

const FRAMES = 100_000;
/** Local experimental (IEEE 802): nobody takes them, so the device's counts say what came. */
const NOBODY = 0x88b5;

let worker: Worker;
let kernel: Kernel;
let host: NetHost;
let device: NetDevice;

async function order(what: WorkerOrder): Promise<WorkerWord> {
  worker.postMessage(what);
  const [word] = (await once(worker, 'message')) as [WorkerWord];
  expect(word).toMatchObject({ done: what, leaks: 0 });
  return word;
}

/** So many datagrams there and back, each looked at. */
async function echo(count: number): Promise<void> {
  const user = host.open();
  user.connect('fd09::2', 7);
  for (let i = 0; i < count; i++) {
    await user.send(pattern(i, 0, 3000));
    expect(Buffer.compare((await user.receive()).data, pattern(i, 0, 3000))).toBe(0);
  }
  user.close();
}

/** As fast as the device takes them. */
async function sendFrames(count: number): Promise<void> {
  const pool = kernel.port(SkbPool);
  const traffic = kernel.port(DeviceTraffic);
  const payload = new Uint8Array(100);
  for (let sent = 0; sent < count; sent++) {
    while ((device.txQueues[0]!.qdisc?.lenPackets ?? 0) > 500) await new Promise((resolve) => setImmediate(resolve));
    const skb = pool.current.alloc(64, 200)!;
    copyIn(skb, payload);
    skb.network = skb.data;
    device.link.write(skb, device, NOBODY, device.broadcast, null);
    traffic.current.transmit(device, skb);
  }
}

beforeAll(async () => {
  const { port1, port2 } = new MessageChannel();
  worker = new Worker(await bundled(resolve(import.meta.dirname, 'message-port-worker.ts')), {
    eval: true,
    workerData: port2,
    transferList: [port2],
  });
  kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'main', settings: QUIET_HOST });
  for (const source of [...HOST_STACK, MessagePortModule]) await kernel.load(source);
  host = new NetHost(kernel);
  device = await host.addDevice('message-port', 'eth0', { port: port1 });
  host.up('eth0');
  for (const prefix of ['10.9.0.1/24', 'fd09::1/64']) host.addAddress('eth0', prefix);
  await until('there is a way', () => device.carrier);
});
afterAll(async () => {
  await kernel.shutdown();
  worker.postMessage('end' satisfies WorkerOrder);
  await once(worker, 'exit');
});

test('a kernel in a worker is pinged, over both families', async () => {
  for (const address of ['10.9.0.2', 'fd09::2']) {
    for (const lenBytes of [0, 1000, 20_000]) expect(await host.ping(address, { lenBytes, timeoutMs: 5000 })).toMatchObject({ lenBytes });
  }
});

test('it echoes while the module is replaced on its side, and on this one', async () => {
  await Promise.all([echo(60), order('replace')]);
  const [, { drained }] = await Promise.all([echo(60), kernel.replace('message-port', MessagePortModule)]);
  expect(await drained).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
});

test('100,000 frames, none is lost', async () => {
  const before = await order('count');
  await sendFrames(FRAMES);
  let now = before;
  await until('all are away', () => device.txQueues[0]!.qdisc!.lenPackets === 0);
  for (let tries = 0; now.received < before.received + FRAMES && tries < 500; tries++) now = await order('count');
  expect(now.received - before.received).toBeGreaterThanOrEqual(FRAMES);
  expect([now.dropped - before.dropped, device.stats.txDropped]).toEqual([0, 0]);
});

test('its module is unloaded under traffic: the carrier is gone here, and nothing leaks', async () => {
  const sending = sendFrames(5000);
  await order('unload');
  await sending;
  await until('the carrier is gone', () => !device.carrier);
  expect(await kernel.unload('message-port', { force: true })).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
});
