import type { Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { NetDevice } from '@softnet/contract';
import { DEVICE_FEATURE, TRANSMIT } from '@softnet/contract';

import { QemuModule } from '@softnet/nic-driver/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BadParserModule } from './bad-parser.ts';
import { differing, FrameHost, testFrame, until } from './frame-host.ts';

let host: FrameHost;
const sockets: Socket[] = [];

/** A plain socket, and what came to it. */
async function bound(): Promise<{ socket: Socket; port: number; received: Uint8Array[] }> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  const received: Uint8Array[] = [];
  socket.on('message', (bytes) => received.push(new Uint8Array(bytes)));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { socket, port: socket.address().port, received };
}

/** A port that nobody has just now. */
async function freePort(): Promise<number> {
  const { socket, port } = await bound();
  sockets.splice(sockets.indexOf(socket), 1);
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

async function device(options: object): Promise<NetDevice> {
  const made = await host.create('qemu', 'eth%d', options);
  host.devices.open(made);
  await until('it has carrier', () => made.carrier);
  return made;
}

/** A device and its peer. */
async function joined(options: object = {}) {
  const peer = await bound();
  const port = await freePort();
  const eth0 = await device({ local: { port }, remote: { port: peer.port }, ...options });
  const send = (frame: Uint8Array): void => peer.socket.send(frame, port, '127.0.0.1');
  return { ...peer, eth0, send, devicePort: port };
}

beforeEach(async () => {
  host = await FrameHost.boot(QemuModule);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  await host.kernel.shutdown();
  expect(host.kernel.modules()).toEqual([]);
});

describe('a device at a UDP socket', () => {
  test('a datagram is a frame, both ways, as it was sent, in order', async () => {
    const { eth0, received, send } = await joined();
    const frames = [14, 15, 60, 64, 1000, 1513, 1514, 1518].map((lenBytes, number) => testFrame(number, lenBytes));
    for (const frame of frames) expect(host.send(eth0, frame)).toBe(TRANSMIT.OK);
    await until('the peer has all', () => received.length === frames.length);
    expect(differing(received, frames)).toEqual([]);
    for (const frame of frames) send(frame);
    await until('all are there', () => host.received.length === frames.length);
    expect(differing(host.received, frames)).toEqual([]);
    const bytes = frames.reduce((sum, { length }) => sum + length, 0);
    const { txPackets, txBytes, rxPackets, rxBytes } = eth0.stats;
    expect([txPackets, txBytes, rxPackets, rxBytes]).toEqual([8, bytes, 8, bytes]);
    expect([eth0.txQueues[0]!.inFlightBytes, host.skbsOut]).toEqual([0, 0]);
  });

  test('the longest frame of all is the longest datagram', async () => {
    const { eth0, received, send } = await joined({ mtuBytes: 65_489 });
    const frames = [9014, 65_507].map((lenBytes, number) => testFrame(number, lenBytes));
    for (const frame of frames) host.send(eth0, frame);
    await until('the peer has all', () => received.length === 2);
    expect(differing(received, frames)).toEqual([]);
    for (const frame of frames) send(frame);
    await until('all are there', () => host.received.length === 2);
    expect(differing(host.received, frames)).toEqual([]);
  });

  test('more frames than buffers: the queue stops, and goes on', async () => {
    const { eth0, received } = await joined();
    const queue = eth0.txQueues[0]!;
    let stopped = 0;
    const frames = Array.from({ length: 900 }, (_, number) => testFrame(number % 256, 1514));
    for (const frame of frames) {
      host.send(eth0, frame);
      if (!queue.stopped) continue;
      stopped++;
      await until('it goes on', () => !queue.stopped);
    }
    await until('all are sent', () => eth0.stats.txPackets === frames.length);
    expect([stopped > 0, queue.inFlightBytes, host.skbsOut]).toEqual([true, 0, 0]);
    // UDP: what the peer's socket has no room for is lost, the last ones too, and nothing else. When it has emptied its queue, a later one arrives.
    const later = testFrame(1, 60);
    await until('the peer has a later one', () => {
      host.send(eth0, later);
      return received.at(-1)?.length === later.length;
    });
    const came = received.filter(({ length }) => length !== later.length);
    let at = 0;
    for (const frame of came) at = frames.findIndex((each, number) => number >= at && Buffer.compare(each, frame) === 0) + 1;
    expect([at > 0, came.length > 300]).toEqual([true, true]);
  });

  test('headers are split off where that is asked for', async () => {
    const { eth0, send } = await joined();
    host.devices.setFeatures(eth0, eth0.features | DEVICE_FEATURE.HEADER_SPLIT);
    const frames = [60, 1000, 1514].map((lenBytes, number) => testFrame(number, lenBytes));
    for (const frame of frames) send(frame);
    await until('all are there', () => host.received.length === frames.length);
    expect(differing(host.received, frames)).toEqual([]);
    expect(host.kernel.counters().find(({ name }) => name === 'receive.splits')?.value).toBe(2);
  });

  test('a parser that throws is told of, and what comes behind it is received', async () => {
    const { eth0, send } = await joined();
    await host.kernel.load(BadParserModule);
    host.devices.setFeatures(eth0, eth0.features | DEVICE_FEATURE.HEADER_SPLIT);
    for (const lenBytes of [1000, 60, 60]) send(testFrame(1, lenBytes));
    await until('the short ones are there', () => host.received.length === 2);
    expect(host.kernel.faults.map(({ module }) => module)).toEqual(['bad-parser#1']);
    expect([host.skbsOut, host.kernel.module('qemu')?.throws]).toEqual([0, 0]);
  });

  test('a peer that cannot be reached from there is refused, and leaves no socket', async () => {
    // Not on loopback's net, so 127.0.0.1 sends nothing there.
    const options = { local: { port: 0 }, remote: { port: 9, address: '192.0.2.1' } };
    await expect(host.create('qemu', 'eth0', options)).rejects.toMatchObject({ name: 'NetError' });
    await until('its socket is closed', () => !process.getActiveResourcesInfo().includes('UDPWRAP'));
  });

  test('what is no frame: nothing, too long, cut off; all counted, nothing thrown', async () => {
    const { eth0, send } = await joined();
    for (const frame of [new Uint8Array(0), testFrame(1, 1519), testFrame(2, 65_000), Uint8Array.of(1, 2, 3), testFrame(3, 100)])
      send(frame);
    await until('the last one is there', () => host.received.length === 1);
    expect(host.received[0]).toEqual(testFrame(3, 100));
    expect([host.drops('qemu.empty'), host.drops('qemu.too-long'), eth0.stats.rxErrors]).toEqual([1, 2, 4]);
    expect(host.kernel.dropReasons().find(({ name, count }) => name.startsWith('netdev.') && count === 1)).toBeDefined();
    expect([host.skbsOut, host.kernel.module('qemu')?.throws]).toEqual([0, 0]);
  });

  test('hears its peer only', async () => {
    const { send, devicePort } = await joined();
    const stranger = await bound();
    stranger.socket.send(testFrame(1), devicePort, '127.0.0.1');
    await new Promise((resolve) => setTimeout(resolve, 30));
    send(testFrame(2));
    await until('one is there', () => host.received.length > 0);
    expect(host.received).toEqual([testFrame(2)]);
  });

  test('a peer that is not there is counted, and may come later', async () => {
    const [port, peerPort] = [await freePort(), await freePort()];
    const eth0 = await device({ local: { port }, remote: { port: peerPort } });
    for (let i = 0; i < 5; i++) {
      host.send(eth0, testFrame(i));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until('the host has said so', () => host.drops('qemu.refused') > 0);
    expect(eth0.carrier).toBe(true);
    const socket = createSocket('udp4');
    sockets.push(socket);
    const received: Uint8Array[] = [];
    socket.on('message', (bytes) => received.push(new Uint8Array(bytes)));
    socket.bind(peerPort, '127.0.0.1');
    await once(socket, 'listening');
    await until('it hears us', () => {
      host.send(eth0, testFrame(9));
      return received.length > 0;
    });
    expect(received[0]).toEqual(testFrame(9));
  });

  test('two devices hear one another; a module is replaced between two frames', async () => {
    const [one, other] = [await freePort(), await freePort()];
    const near = await device({ local: { port: one }, remote: { port: other } });
    const far = await device({ local: { port: other }, remote: { port: one } });
    host.send(near, testFrame(1));
    await until('it is there', () => far.stats.rxPackets === 1);
    const { mode, drained } = await host.kernel.replace('qemu', QemuModule, { mode: 'handover' });
    expect([mode, (await drained).outcome]).toEqual(['handover', 'gone']);
    host.send(near, testFrame(2));
    host.send(far, testFrame(3));
    await until('all are there', () => host.received.length === 3);
    expect(near.carrier && far.carrier).toBe(true);
  });

  test('is closed with its device, and with its module', async () => {
    const { eth0, devicePort, port } = await joined();
    host.devices.remove(eth0);
    const again = await device({ local: { port: devicePort }, remote: { port } });
    const report = await host.kernel.unload('qemu');
    expect([report.outcome, report.leaks, again.ifindex]).toEqual(['gone', [], 0]);
    const next = createSocket('udp4');
    sockets.push(next);
    next.bind(devicePort, '127.0.0.1');
    await once(next, 'listening');
  });

  test('a mistake is one sentence that says what to do', async () => {
    const refused = (options: object): Promise<NetDevice> => host.create('qemu', 'eth9', options);
    const remote = { port: 9 };
    const { port } = await bound();
    await expect(refused({ local: { port }, remote })).rejects.toThrow(`EADDRINUSE: qemu: UDP at 127.0.0.1:${port} is in use`);
    await expect(refused({ local: { port: 1, address: '203.0.113.9' }, remote })).rejects.toThrow(
      'EADDRNOTAVAIL: qemu: UDP at 203.0.113.9:1',
    );
    await expect(refused({ local: { port: 7 } })).rejects.toThrow('EINVAL: qemu: remote takes { port, address }: 1 to 65535');
    await expect(refused({ remote })).rejects.toThrow('EINVAL: qemu: takes exactly one of');
    await expect(refused({ local: { port: 70_000 }, remote })).rejects.toThrow('EINVAL: qemu: local takes { port, address }: 0 to 65535');
    await expect(refused({ local: { port: 7, address: 'here' }, remote })).rejects.toThrow('EINVAL: qemu: local takes');
    await expect(refused({ local: { port: 7, address: '::1' }, remote })).rejects.toThrow('both of IPv4 or both of IPv6');
    await expect(refused({ local: { port: 7 }, remote, listen: true })).rejects.toThrow('listen goes with a stream');
    await expect(refused({ local: { port: 7 }, remote, mtuBytes: 65_490 })).rejects.toThrow('mtuBytes takes 68 to 65489');
    await expect(refused({ local: { port: 7 }, remote, stallMs: 5 })).rejects.toThrow('stallMs takes 1 to 3600000, of a stream');
  });
});
