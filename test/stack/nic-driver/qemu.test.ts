import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, duplexPair } from 'node:stream';
import type { NetDevice } from '@softnet/contract';
import { DEVICE_FEATURE, SkbPool, TRANSMIT } from '@softnet/contract';
import { QemuModule } from '@softnet/nic-driver/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { differing, FrameHost, testFrame, until } from './frame-host.ts';
import { FramePeer } from './frame-peer.ts';
import { Frames, FramesModule } from './frames.ts';
import { silentServer } from './silent-server.ts';

let folder: string;
let path: string;
let host: FrameHost;
const peers: FramePeer[] = [];

async function listening(): Promise<FramePeer> {
  const peer = await FramePeer.listen(path);
  peers.push(peer);
  return peer;
}

async function connecting(): Promise<FramePeer> {
  const peer = await FramePeer.connect({ path });
  peers.push(peer);
  return peer;
}

/** A device that is up, and has carrier. */
async function device(options: object): Promise<NetDevice> {
  const made = await host.create('qemu', 'eth0', options);
  host.devices.open(made);
  await until('it has carrier', () => made.carrier);
  return made;
}

/** A peer of a device that listens, once there is a way. */
async function connectingTo(listener: NetDevice): Promise<FramePeer> {
  host.devices.open(listener);
  const peer = await connecting();
  await until('it has carrier', () => listener.carrier);
  return peer;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'softnet-qemu-'));
  path = join(folder, 'nic.sock');
  host = await FrameHost.boot(QemuModule);
});
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await host.kernel.shutdown();
  expect(host.kernel.modules()).toEqual([]);
  rmSync(folder, { recursive: true });
});

const sizes = [14, 15, 33, 60, 64, 1000, 1513, 1514, 1518];

describe('a device at a stream socket', () => {
  test('frames of all sizes go both ways, as they were sent, in order', async () => {
    const peer = await listening();
    const eth0 = await device({ path });
    const frames = sizes.map((lenBytes, number) => testFrame(number, lenBytes));
    for (const frame of frames) expect(host.send(eth0, frame)).toBe(TRANSMIT.OK);
    await until('the peer has all', () => peer.received.length === frames.length);
    expect(differing(peer.received, frames)).toEqual([]);
    peer.send(...frames);
    await until('all are there', () => host.received.length === frames.length);
    expect(differing(host.received, frames)).toEqual([]);
    const { txPackets, txBytes, rxPackets, rxBytes, multicast } = eth0.stats;
    const bytes = sizes.reduce((sum, lenBytes) => sum + lenBytes);
    expect([txPackets, txBytes, rxPackets, rxBytes, multicast]).toEqual([9, bytes, 9, bytes, 9]);
  });

  test('byte by byte, and many in one chunk', async () => {
    const peer = await listening();
    await device({ path });
    const frames = Array.from({ length: 3 }, (_, number) => testFrame(number, 20));
    for (const byte of FramePeer.framed(...frames)) {
      peer.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until('all are there', () => host.received.length === 3);
    expect(differing(host.received, frames)).toEqual([]);
    const many = Array.from({ length: 4000 }, (_, number) => testFrame(number % 256, 14 + (number % 40)));
    peer.send(...many);
    await until('all are there', () => host.received.length === 4003);
    expect(differing(host.received.slice(3), many)).toEqual([]);
  });

  test('jumbo frames lie on pages; an MTU of 65,521 takes the longest frame of QEMU less 15', async () => {
    const peer = await listening();
    const eth0 = await device({ path, mtuBytes: 65_521 });
    const frames = [2000, 9014, 65_535, 65_539].map((lenBytes, number) => testFrame(number, lenBytes));
    peer.send(...frames);
    await until('all are there', () => host.received.length === frames.length);
    expect(differing(host.received, frames)).toEqual([]);
    for (const frame of frames) host.send(eth0, frame);
    await until('the peer has all', () => peer.received.length === frames.length);
    expect(differing(peer.received, frames)).toEqual([]);
  });

  test('a peer that reads slowly stops the queue, and loses nothing', async () => {
    const peer = await listening();
    const eth0 = await device({ path });
    peer.socket!.pause();
    const frames = Array.from({ length: 900 }, (_, number) => testFrame(number % 256, 1514));
    for (const frame of frames) host.send(eth0, frame);
    await until('the queue stands', () => eth0.txQueues[0]!.stopped);
    expect(eth0.txQueues[0]!.qdisc!.lenPackets).toBeGreaterThan(0);
    peer.socket!.resume();
    await until('the peer has all', () => peer.received.length === frames.length);
    expect(differing(peer.received, frames)).toEqual([]);
    expect([eth0.txQueues[0]!.stopped, eth0.txQueues[0]!.inFlightBytes]).toEqual([false, 0]);
  });

  test('reading pauses while the stack has enough', async () => {
    const peer = await listening();
    await device({ path });
    const many = FramePeer.framed(...Array.from({ length: 1000 }, (_, number) => testFrame(number, 1000)));
    for (let i = 0; i < 20; i++) peer.write(many);
    await until('all are there', () => host.received.length === 20_000, 10_000);
    expect([host.drops('qemu.receive-full'), host.drops('qemu.down')]).toEqual([0, 0]);
  });

  test('a length that cannot be: counted, the connection ends, no carrier', async () => {
    const peer = await listening();
    const eth0 = await device({ path });
    peer.send(testFrame(1));
    peer.write(Uint8Array.of(0, 1, 0, 15, 1, 2, 3));
    await until('no carrier', () => !eth0.carrier);
    await until('what was before it is there', () => host.received.length === 1);
    expect([host.drops('qemu.lying-length'), eth0.stats.rxErrors]).toEqual([1, 1]);
    await until('the peer is told', () => peer.socket!.destroyed);
    expect(host.send(eth0, testFrame(1))).toBe(TRANSMIT.DROPPED);
  });

  test('a peer that goes in the middle of a frame: counted, no carrier, nothing is kept', async () => {
    for (const [cut, drops] of [
      [2, 1],
      [4, 1],
      [100, 1],
      [1518, 0],
    ] as const) {
      const before = host.drops('qemu.cut-off');
      const peer = await listening();
      const eth0 = await host.create('qemu', 'eth%d', { path });
      host.devices.open(eth0);
      await until('it has carrier', () => eth0.carrier);
      peer.write(FramePeer.framed(testFrame(1, 1514)).subarray(0, cut));
      await new Promise((resolve) => setTimeout(resolve, 20));
      peer.close();
      await until('no carrier', () => !eth0.carrier);
      expect(host.drops('qemu.cut-off') - before).toBe(drops);
      await until('nothing is kept', () => host.kernel.holders('skb').length === 0);
      host.devices.remove(eth0);
    }
    expect(host.received).toEqual([testFrame(1, 1514)]);
  });

  test('what came before the end is received', async () => {
    const peer = await listening();
    const eth0 = await device({ path });
    peer.send(...Array.from({ length: 700 }, (_, number) => testFrame(number, 1000)));
    peer.socket!.end();
    await until('no carrier', () => !eth0.carrier);
    await until('all are there', () => host.received.length === 700);
    expect(host.drops('qemu.cut-off')).toBe(0);
  });

  test('frames that are too long for us are passed over, with a reason; the next one is received', async () => {
    const peer = await listening();
    const eth0 = await device({ path });
    peer.send(testFrame(1, 1519), testFrame(2, 65_550), testFrame(3, 60));
    await until('one is there', () => host.received.length === 1);
    expect(host.received).toEqual([testFrame(3, 60)]);
    expect([host.drops('qemu.too-long'), eth0.stats.rxErrors]).toEqual([2, 2]);
  });

  test('packet memory is out: frames are missed and counted, and come again', async () => {
    const peer = await listening();
    host.kernel.sysctl.set('net.core.skb_buffers', 2);
    host.kernel.sysctl.set('net.core.skb_pages', 1);
    const eth0 = await device({ path });
    const pool = host.kernel.port(SkbPool).current;
    const kept = [pool.alloc(0, 10)!, pool.alloc(0, 10)!, pool.alloc(0, 3000)!];
    peer.send(testFrame(1), testFrame(2));
    await until('they are missed', () => eth0.stats.rxMissed === 2);
    for (const skb of kept) skb.memory.pool.release(skb);
    peer.send(testFrame(3));
    await until('it is there', () => host.received.length === 1);
    expect(host.received).toEqual([testFrame(3)]);
  });

  test('headers are split off where that is asked for, also of a frame that came in pieces', async () => {
    const peer = await listening();
    const eth0 = await device({ path });
    host.devices.setFeatures(eth0, eth0.features | DEVICE_FEATURE.HEADER_SPLIT);
    const frames = [60, 1000, 1514].map((lenBytes, number) => testFrame(number, lenBytes));
    peer.send(...frames);
    await until('all are there', () => host.received.length === 3);
    const cut = FramePeer.framed(testFrame(3, 1400));
    peer.write(cut.subarray(0, 700));
    await new Promise((resolve) => setTimeout(resolve, 5));
    peer.write(cut.subarray(700));
    await until('the last one, too', () => host.received.length === 4);
    expect(differing(host.received, [...frames, testFrame(3, 1400)])).toEqual([]);
    expect(host.kernel.counters().find(({ name }) => name === 'receive.splits')?.value).toBe(3);
  });

  test('a device that is down takes nothing, and a part of a frame takes no packet memory', async () => {
    const peer = await listening();
    const eth0 = await device({ path });
    const [first, rest] = [0, 30].map((at) => FramePeer.framed(testFrame(1, 100)).subarray(at, at === 0 ? 30 : undefined));
    peer.write(first!);
    await new Promise((resolve) => setTimeout(resolve, 20));
    // Whoever begins a frame, and sends nothing of its rest, has no packet memory.
    expect(host.kernel.holders('skb')).toEqual([]);
    host.devices.close(eth0);
    peer.write(rest!);
    peer.send(testFrame(2));
    await until('it is dropped', () => host.drops('qemu.down') === 2);
    host.devices.open(eth0);
    peer.send(testFrame(3));
    await until('it is there', () => host.received.length === 1);
    expect(host.received).toEqual([testFrame(3)]);
  });

  test('reconnects, when it is told to', async () => {
    const eth0 = await host.create('qemu', 'eth0', { path, reconnect: true });
    host.devices.open(eth0);
    expect(eth0.carrier).toBe(false);
    const peer = await listening();
    await until('it has carrier', () => eth0.carrier);
    peer.hangUp();
    await until('no carrier', () => !eth0.carrier);
    await until('it has carrier again', () => eth0.carrier);
    peer.send(testFrame(1));
    await until('it is there', () => host.received.length === 1);
    expect(peer.clients).toBe(2);
    expect(host.kernel.counters().find(({ name }) => name === 'qemu.connections')?.value).toBe(2);
  });

  test('listens, for one client at a time', async () => {
    const eth0 = await host.create('qemu', 'eth0', { path, listen: true });
    host.devices.open(eth0);
    const peer = await connecting();
    await until('it has carrier', () => eth0.carrier);
    const second = await connecting();
    await until('the second is sent away', () => second.socket!.destroyed);
    peer.send(testFrame(1));
    host.send(eth0, testFrame(2));
    await until('both are there', () => host.received.length === 1 && peer.received.length === 1);
    peer.hangUp();
    await until('no carrier', () => !eth0.carrier);
    const third = await connecting();
    await until('it has carrier', () => eth0.carrier);
    third.send(testFrame(3));
    await until('it is there', () => host.received.length === 2);
    host.devices.remove(eth0);
    await until('the third is told', () => third.socket!.destroyed);
    await expect(FramePeer.connect({ path })).rejects.toThrow(/ENOENT/);
  });

  test('speaks over any stream', async () => {
    const [ours, theirs] = duplexPair();
    const eth0 = await device({ stream: ours });
    theirs.write(FramePeer.framed(testFrame(1), testFrame(2, 1514)));
    host.send(eth0, testFrame(3));
    await until('two are there', () => host.received.length === 2);
    expect(theirs.read()).toEqual(FramePeer.framed(testFrame(3)));
    theirs.end();
    await until('no carrier', () => !eth0.carrier);
    expect(ours.destroyed).toBe(true);
  });

  test('writes what stays as it is, though a stream within the process keeps no copy and says at once that it is done', async () => {
    const [ours, theirs] = duplexPair();
    const eth0 = await device({ stream: ours });
    const frames = Array.from({ length: 6 }, (_, number) => testFrame(number, 60 + 100 * number));
    for (const frame of frames) {
      host.send(eth0, frame);
      // One write each.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(theirs.read()).toEqual(FramePeer.framed(...frames));
  });

  test('a stream of objects, and one that fails, end with a lost carrier', async () => {
    const stream = new Duplex({ objectMode: true, read: () => {}, write: (_chunk, _encoding, done) => done(new Error('no')) });
    const eth0 = await device({ stream });
    stream.push('words');
    await until('no carrier', () => !eth0.carrier);
    const failing = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done(new Error('no')) });
    const eth1 = await host.create('qemu', 'eth1', { stream: failing });
    host.devices.open(eth1);
    await until('it has carrier', () => eth1.carrier);
    host.send(eth1, testFrame(1));
    await until('no carrier', () => !eth1.carrier);
  });
});

describe('the module', () => {
  test('unloaded under traffic: it goes at once, and nothing is left', async () => {
    const peer = await listening();
    const eth0 = await device({ path });
    const traffic = setInterval(() => {
      if (eth0.ifindex > 0) host.send(eth0, testFrame(3, 1000));
    }, 1);
    peer.send(...Array.from({ length: 2000 }, (_, number) => testFrame(number, 1000)));
    peer.write(FramePeer.framed(testFrame(4, 1514)).subarray(0, 700));
    await until('frames flow', () => host.received.length > 50 && peer.received.length > 50);
    const { outcome, leaks, broken, faults } = await host.kernel.unload('qemu');
    clearInterval(traffic);
    expect([outcome, leaks, broken, faults]).toEqual(['gone', [], [], []]);
    expect(host.kernel.holders('skb')).toEqual([]);
    await until('the peer is told', () => peer.socket!.destroyed);
    await host.kernel.load(QemuModule);
    const again = await device({ path });
    peer.send(testFrame(5));
    const before = host.received.length;
    await until('it is there', () => host.received.length > before);
    expect(again.stats.rxPackets).toBe(1);
  });

  test.each([{ reconnect: true }, { listen: true }])('unloaded while nobody is there (%j): nothing is left', async (options) => {
    const eth0 = await host.create('qemu', 'eth0', { path, ...options });
    host.devices.open(eth0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { outcome, leaks, faults } = await host.kernel.unload('qemu');
    expect([outcome, leaks, faults]).toEqual(['gone', [], []]);
    const peer = await listening();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(peer.clients).toBe(0);
  });

  test('unloaded while the first attempt to connect hangs: it is given up', async () => {
    const { port, end } = await silentServer();
    try {
      const refused = expect(host.create('qemu', 'eth0', { port })).rejects.toThrow(/EIO: qemu: .* cannot be used: .*given up/);
      const { outcome, leaks } = await host.kernel.unload('qemu');
      expect([outcome, leaks]).toEqual(['gone', []]);
      await refused;
    } finally {
      await end();
    }
  });

  test('handed over while it tries to connect: the next generation goes on trying', async () => {
    const eth0 = await host.create('qemu', 'eth0', { path, reconnect: true });
    const { drained } = await host.kernel.replace('qemu', QemuModule, { mode: 'handover' });
    expect((await drained).outcome).toBe('gone');
    await listening();
    await until('it has carrier', () => eth0.carrier);
  });

  test('replaced by hand-over: the connection goes on, in the middle of a frame', async () => {
    const peer = await listening();
    const eth0 = await device({ path });
    const stream = FramePeer.framed(...sizes.map((lenBytes, number) => testFrame(number, lenBytes)));
    const cut = 1200;
    peer.write(stream.subarray(0, cut));
    await until('three are there', () => host.received.length === 5);
    const { mode, drained } = await host.kernel.replace('qemu', QemuModule, { mode: 'handover' });
    expect([mode, (await drained).outcome]).toEqual(['handover', 'gone']);
    peer.write(stream.subarray(cut));
    await until('all are there', () => host.received.length === sizes.length);
    expect(host.received).toEqual(sizes.map((lenBytes, number) => testFrame(number, lenBytes)));
    host.send(eth0, testFrame(1));
    await until('the peer has it', () => peer.received.length === 1);
    expect([peer.clients, eth0.carrier]).toEqual([1, true]);
    peer.hangUp();
    await until('no carrier', () => !eth0.carrier);
  });

  test('waits for who goes by a device, lets nobody new in, comes back, and goes by force', async () => {
    const { kernel } = host;
    await kernel.load(FramesModule);
    const peer = await listening();
    const eth0 = await device({ path });
    const user = kernel.port(Frames).current.open(eth0, 'user');
    const unload = kernel.unload('qemu');
    await until('it drains', () => kernel.module('qemu')?.state === 'draining');
    expect(kernel.holders('qemu').map(({ kind, owner }) => `${kind} of ${owner}`)).toEqual(['use of user']);
    await expect(host.create('qemu', 'eth1', { path })).rejects.toThrow('no kind qemu');
    peer.send(testFrame(1));
    host.send(eth0, testFrame(2));
    await until('both are there', () => host.received.length === 1 && peer.received.length === 1);
    await kernel.abort('qemu');
    expect((await unload).outcome).toBe('live');
    expect(kernel.module('qemu')?.state).toBe('live');
    const forced = await kernel.unload('qemu', { force: true });
    expect([forced.outcome, forced.leaks, forced.faults, user.use.holdNext]).toEqual(['gone', [], [], null]);
    await until('the peer is told', () => peer.socket!.destroyed);
  });

  test('replaced by draining: the old one serves who is there, the new one makes what is new', async () => {
    const { kernel } = host;
    await kernel.load(FramesModule);
    const peer = await listening();
    const eth0 = await device({ path });
    const user = kernel.port(Frames).current.open(eth0, 'user');
    const { mode, drained } = await kernel.replace('qemu', QemuModule, { mode: 'drain' });
    const [ours, theirs] = duplexPair();
    const eth1 = await host.create('qemu', 'eth1', { stream: ours });
    host.devices.open(eth1);
    await until('it has carrier', () => eth1.carrier);
    peer.send(testFrame(1));
    theirs.write(FramePeer.framed(testFrame(2)));
    await until('both are there', () => host.received.length === 2);
    expect([mode, eth0.ifindex > 0, eth1.ifindex > 0]).toEqual(['drain', true, true]);
    kernel.port(Frames).current.close(user);
    expect(await drained).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
    await until('the peer is told', () => peer.socket!.destroyed);
    expect([eth0.ifindex, eth1.carrier]).toEqual([0, true]);
  });

  test('the rest of a frame is waited for no longer than stallMs: counted, the connection ends; who is slow but comes is heard', async () => {
    const peer = await connectingTo(await host.create('qemu', 'eth0', { path, listen: true, stallMs: 60 }));
    const [frame, last] = [FramePeer.framed(testFrame(1)), testFrame(2)];
    // In pieces, together longer than stallMs.
    for (let at = 0; at < frame.length; at += 8) {
      peer.write(frame.subarray(at, at + 8));
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    await until('it is there', () => host.received.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    peer.send(last);
    await until('between frames nobody is waited for', () => host.received.length === 2);
    peer.write(frame.subarray(0, 20));
    await until('the peer is let go', () => peer.socket!.destroyed);
    expect([host.drops('qemu.stalled'), host.drops('qemu.cut-off'), host.skbsOut]).toEqual([1, 0, 0]);
    const next = await connecting();
    next.send(testFrame(3));
    await until('the next one is heard', () => host.received.length === 3);
  });

  test('a mistake is one sentence that says what to do', async () => {
    const refused = (options: object): Promise<NetDevice> => host.create('qemu', 'eth9', options);
    await expect(refused({})).rejects.toThrow(
      'EINVAL: qemu: takes exactly one of path (a unix socket), port (TCP), stream and local (datagrams)',
    );
    await expect(refused({ path, port: 1 })).rejects.toThrow(/exactly one/);
    await expect(refused({ path, tcp: 1 })).rejects.toThrow(/EINVAL: qemu: there is no option tcp; it takes path, port/);
    await expect(refused({ port: 70_000 })).rejects.toThrow(/EINVAL: qemu: port takes 1 to 65535/);
    await expect(refused({ stream: 7 })).rejects.toThrow(/EINVAL: qemu: stream takes a Duplex/);
    await expect(refused({ path, listen: true, reconnect: true })).rejects.toThrow(/EINVAL: qemu: reconnect goes with connecting/);
    await expect(refused({ path, address: '01:00:00:00:00:00' })).rejects.toThrow(/EINVAL: qemu: address/);
    await expect(refused({ path })).rejects.toThrow(
      /ENOENT: qemu: nobody listens at .*nic\.sock: start QEMU with -netdev stream,id=net0,server=on,addr\.type=unix,addr\.path=.*nic\.sock first, or say reconnect: true/,
    );
    await expect(refused({ port: 1 })).rejects.toThrow(/ECONNREFUSED: qemu: nobody listens at 127\.0\.0\.1:1: start QEMU/);
    await listening();
    await expect(refused({ path, listen: true })).rejects.toThrow(/EADDRINUSE: qemu: listening at .* is in use/);
    expect(host.kernel.holders('qemu')).toEqual([]);
  });
});
