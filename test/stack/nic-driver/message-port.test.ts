import { EventEmitter } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { MessageChannel } from 'node:worker_threads';
import type { NetDevice } from '@softnet/contract';
import { DEVICE_FEATURE, TRANSMIT } from '@softnet/contract';
import { World } from '@softnet/kernel';
import { MessagePortModule } from '@softnet/nic-driver';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { differing, FrameHost, testFrame, until } from './frame-host.ts';
import { Frames, FramesModule, frameHost } from './frames.ts';

/** Both ends in one thread, which is the same to them. */
describe('two kernels, joined by a port', () => {
  let a: FrameHost;
  let b: FrameHost;
  let channel: MessageChannel;

  async function joined(options: object = {}): Promise<[NetDevice, NetDevice]> {
    const near = await a.create('message-port', 'eth0', { port: channel.port1, ...options });
    const far = await b.create('message-port', 'eth0', { port: channel.port2, ...options });
    a.devices.open(near);
    b.devices.open(far);
    await until('both have carrier', () => near.carrier && far.carrier);
    return [near, far];
  }

  beforeEach(async () => {
    channel = new MessageChannel();
    [a, b] = [await FrameHost.boot(MessagePortModule), await FrameHost.boot(MessagePortModule)];
  });
  afterEach(async () => {
    await Promise.all([a.kernel.shutdown(), b.kernel.shutdown()]);
    channel.port1.close();
    expect([a.kernel.modules(), b.kernel.modules()]).toEqual([[], []]);
  });

  test('frames go both ways, as they were sent, in order', async () => {
    const [near, far] = await joined();
    const frames = [14, 15, 60, 64, 1000, 1513, 1514, 1518].map((lenBytes, number) => testFrame(number, lenBytes));
    for (const frame of frames) expect(a.send(near, frame)).toBe(TRANSMIT.OK);
    for (const frame of frames) expect(b.send(far, frame)).toBe(TRANSMIT.OK);
    await until('all are there', () => a.received.length === frames.length && b.received.length === frames.length);
    expect([differing(a.received, frames), differing(b.received, frames)]).toEqual([[], []]);
    const bytes = frames.reduce((sum, { length }) => sum + length, 0);
    for (const { stats, txQueues } of [near, far]) {
      expect([stats.txPackets, stats.txBytes, stats.rxPackets, stats.rxBytes, txQueues[0]!.inFlightBytes]).toEqual([8, bytes, 8, bytes, 0]);
    }
    expect([a.skbsOut, b.skbsOut]).toEqual([0, 0]);
  });

  test('the longest frame of all', async () => {
    const [near] = await joined({ mtuBytes: 65_521 });
    const frames = [9014, 65_539].map((lenBytes, number) => testFrame(number, lenBytes));
    for (const frame of frames) a.send(near, frame);
    await until('both are there', () => b.received.length === 2);
    expect(differing(b.received, frames)).toEqual([]);
  });

  test('headers are split off where that is asked for', async () => {
    const [near, far] = await joined();
    b.devices.setFeatures(far, far.features | DEVICE_FEATURE.HEADER_SPLIT);
    const frames = [60, 1000, 1514].map((lenBytes, number) => testFrame(number, lenBytes));
    for (const frame of frames) a.send(near, frame);
    await until('all are there', () => b.received.length === frames.length);
    expect(differing(b.received, frames)).toEqual([]);
    expect(b.kernel.counters().find(({ name }) => name === 'receive.splits')?.value).toBe(2);
  });

  test('carrier goes from end to end: up, down, up again, gone, and another one', async () => {
    const [near, far] = await joined();
    b.devices.close(far);
    await until('the other one is told', () => !near.carrier);
    expect(a.send(near, testFrame(1))).not.toBe(TRANSMIT.OK);
    b.devices.open(far);
    await until('there is a way', () => near.carrier && far.carrier);
    b.devices.remove(far);
    await until('it said goodbye', () => !near.carrier);
    const again = await b.create('message-port', 'eth1', { port: channel.port2 });
    b.devices.open(again);
    await until('it has come', () => near.carrier && again.carrier);
    a.send(near, testFrame(2));
    await until('it hears', () => b.received.length === 1);
  });

  test('who comes later is waited for', async () => {
    const near = await a.create('message-port', 'eth0', { port: channel.port1 });
    a.devices.open(near);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const far = await b.create('message-port', 'eth0', { port: channel.port2 });
    b.devices.open(far);
    await until('both have carrier', () => near.carrier && far.carrier);
  });

  test('a port that is closed takes the carrier along, and loses no memory', async () => {
    const [near, far] = await joined();
    for (let i = 0; i < 20; i++) a.send(near, testFrame(i));
    channel.port2.close();
    await until('both are told', () => !near.carrier && !far.carrier);
    await until('nothing is out', () => a.skbsOut === 0 && b.skbsOut === 0);
    a.send(near, testFrame(1));
    expect([near.txQueues[0]!.stopped, near.txQueues[0]!.inFlightBytes]).toEqual([false, 0]);
  });

  test('more frames than may be on the way: the queue stops, goes on, and none is lost', async () => {
    const [near] = await joined();
    const queue = near.txQueues[0]!;
    const frames = Array.from({ length: 900 }, (_, number) => testFrame(number % 256, 1514));
    for (const frame of frames) a.send(near, frame);
    expect([queue.stopped, near.stats.txPackets]).toEqual([true, 8 * 43]);
    await until('all are there', () => b.received.length === frames.length);
    expect(differing(b.received, frames)).toEqual([]);
    expect([queue.stopped, queue.inFlightBytes, a.skbsOut, b.skbsOut]).toEqual([false, 0, 0, 0]);
  });

  test('frames longer than the MTU of either end are dropped, counted', async () => {
    const near = await a.create('message-port', 'eth0', { port: channel.port1, mtuBytes: 3000 });
    const far = await b.create('message-port', 'eth0', { port: channel.port2 });
    a.devices.open(near);
    b.devices.open(far);
    await until('both have carrier', () => near.carrier && far.carrier);
    a.send(near, testFrame(1, 2000));
    a.send(near, testFrame(2, 1518));
    await until('one is there', () => b.received.length === 1);
    expect([a.drops('message-port.too-long'), near.stats.txErrors, a.skbsOut]).toEqual([1, 1, 0]);
    b.devices.setMtu(far, 3000);
    await until('the other end knows', () => {
      a.send(near, testFrame(3, 2000));
      return b.received.length > 1;
    });
  });

  test('a module is replaced on either side amid the traffic, and no frame is lost', async () => {
    const [near, far] = await joined();
    const frames = Array.from({ length: 600 }, (_, number) => testFrame(number % 256, 1514));
    for (const [number, frame] of frames.entries()) {
      a.send(near, frame);
      if (number === 200 || number === 400) {
        const { mode, drained } = await (number === 200 ? a : b).kernel.replace('message-port', MessagePortModule, { mode: 'handover' });
        expect([mode, (await drained).leaks]).toEqual(['handover', []]);
      }
    }
    await until('all are there', () => b.received.length === frames.length);
    expect(differing(b.received, frames)).toEqual([]);
    expect([near.carrier, far.carrier]).toEqual([true, true]);
  });

  test('an unload waits for who goes by it; by force it goes, and the other end is told', async () => {
    await a.kernel.load(FramesModule);
    const [near, far] = await joined();
    const user = a.kernel.port(Frames).current.open(near, 'user');
    const unload = a.kernel.unload('message-port');
    await until('it drains', () => a.kernel.module('message-port')?.state === 'draining');
    b.send(far, testFrame(1));
    await until('it goes on', () => a.received.length === 1);
    await a.kernel.abort('message-port');
    await unload;
    const forced = await a.kernel.unload('message-port', { force: true });
    expect([forced.outcome, forced.leaks, forced.faults, user.open]).toEqual(['gone', [], [], false]);
    await until('the other end is told', () => !far.carrier);
  });
});

describe('the other side of a port is a stranger', () => {
  /** Something that says messages as they are, and keeps what is said. */
  async function strange(): Promise<{ host: FrameHost; device: NetDevice; port: MessagePort; said: unknown[] }> {
    const host = await FrameHost.boot(MessagePortModule);
    const { port1, port2 } = new MessageChannel();
    const said: unknown[] = [];
    port2.on('message', (message) => said.push(message));
    const device = await host.create('message-port', 'eth0', { port: port1 });
    host.devices.open(device);
    await until('it has said hello', () => said.length === 2);
    return { host, device, port: port2, said };
  }

  /** By the protocol's own table, written anew. */
  function message(sort: number, numbers: readonly number[], tail: Uint8Array = new Uint8Array(0)): ArrayBuffer {
    const words = [0x504d4e53, sort, ...numbers];
    const bytes = new Uint8Array(Math.max(16, 4 * words.length) + tail.length);
    const view = new DataView(bytes.buffer);
    for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true);
    bytes.set(tail, bytes.length - tail.length);
    return bytes.buffer;
  }
  const hello = (version = 1): ArrayBuffer => message(1, [(version << 8) | 2, 1500, 8]);
  function frames(...all: readonly Uint8Array[]): ArrayBuffer {
    const tail = Buffer.concat(all.flatMap((frame) => [Buffer.from(Uint32Array.of(frame.length).buffer), frame]));
    return message(2, [16 + tail.length, 0], tail);
  }

  test('that says rubbish: counted with a reason, nothing thrown, nothing leaked, and what is right is heard', async () => {
    const { host, device, port } = await strange();
    port.postMessage(hello());
    await until('there is a way', () => device.carrier);
    const rubbish = [
      null,
      'hello',
      { frames: [1] },
      7,
      new Uint8Array(20),
      new ArrayBuffer(3),
      new ArrayBuffer(100),
      message(9, [0, 0]),
      new ArrayBuffer(1 << 20),
    ];
    for (const each of rubbish) port.postMessage(each);
    // A return of what was never given; a hello that is cut off.
    port.postMessage(message(3, [0, 0]));
    port.postMessage(message(1, [0x102, 0]));
    port.postMessage(frames(testFrame(1)));
    await until('the frame is there', () => host.received.length === 1);
    expect([host.drops('message-port.garbage'), device.stats.rxErrors]).toEqual([rubbish.length + 2, rubbish.length + 2]);
    const lying = frames(testFrame(2), testFrame(3), testFrame(4));
    new DataView(lying).setUint32(16 + 64, 5000, true);
    port.postMessage(lying);
    const beyond = frames(testFrame(5));
    new DataView(beyond).setUint32(8, 70_000, true);
    port.postMessage(beyond);
    port.postMessage(frames(testFrame(6, 1519), Uint8Array.of(1, 2), new Uint8Array(0), testFrame(7)));
    await until('the last one is there', () => host.received.length === 3);
    expect(host.received).toEqual([testFrame(1), testFrame(2), testFrame(7)]);
    expect([host.drops('message-port.lying-length'), host.drops('message-port.too-long')]).toEqual([2, 1]);
    expect([host.skbsOut, host.kernel.module('message-port')?.throws]).toEqual([0, 0]);
    await host.kernel.shutdown();
    port.close();
  });

  test('that sends more than it may: bounded', async () => {
    const { host, device, port, said } = await strange();
    port.postMessage(hello());
    await until('there is a way', () => device.carrier);
    said.length = 0;
    for (let i = 0; i < 200; i++) port.postMessage(frames(...Array.from({ length: 400 }, (_, number) => testFrame(number))));
    await until('all are read or dropped', () => host.drops('message-port.too-many') + said.length === 200);
    expect(host.drops('message-port.too-many')).toBeGreaterThan(0);
    await until('nothing is out', () => host.skbsOut === 0);
    await host.kernel.shutdown();
    port.close();
  });

  test('that never gives a buffer back: so many are away, and no more', async () => {
    const { host, device, port, said } = await strange();
    port.postMessage(hello());
    await until('there is a way', () => device.carrier);
    said.length = 0;
    for (let i = 0; i < 900; i++) host.send(device, testFrame(i, 1514));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([said.length, device.txQueues[0]!.stopped]).toEqual([8, true]);
    // It begins anew: what it had is lost, and it is sent the rest.
    port.postMessage(message(1, [(1 << 8) | 3, 1500, 2]));
    await until('two more', () => said.filter((each) => (each as ArrayBuffer).byteLength > 60_000).length === 10);
    port.postMessage(message(4, [0, 0]));
    await until('it has gone', () => !device.carrier);
    await until('what waited is let go', () => host.skbsOut === 0);
    await host.kernel.shutdown();
    port.close();
  });

  test('that speaks another version: no carrier, said so', async () => {
    const { host, device, port } = await strange();
    port.postMessage(hello(2));
    await until('it is counted', () => host.drops('message-port.version') === 1);
    expect(device.carrier).toBe(false);
    await host.kernel.shutdown();
    port.close();
  });

  test('and what is no port is refused', async () => {
    const host = await FrameHost.boot(MessagePortModule);
    const refused = (options: object): Promise<NetDevice> => host.create('message-port', 'eth0', options);
    await expect(refused({})).rejects.toThrow('EINVAL: message-port: port takes a MessagePort (new MessageChannel().port1) or a Worker');
    await expect(refused({ port: new EventEmitter() })).rejects.toThrow('EINVAL: message-port: port takes');
    await expect(refused({ port: {}, path: 'x' })).rejects.toThrow('EINVAL: message-port: there is no option path');
    await host.kernel.shutdown();
    const virtual = await frameHost(new World({ seed: 1 }), 'v');
    await expect(virtual.load(MessagePortModule)).rejects.toThrow(/EINVAL|EOPNOTSUPP/);
  });
});
