import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NetDevice } from '@softnet/contract';
import { TRANSMIT } from '@softnet/contract';
import { QemuModule } from '@softnet/nic-driver/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { skipAloud } from '../../interop/linux/linux-side.ts';
import { differing, FrameHost, testFrame, until } from './frame-host.ts';
import { pythonSkipReason, UnixPeer } from './unix-peer.ts';

const platform = process.platform === 'linux' ? null : 'unix datagram sockets are called on Linux only';
const PERM = '1';

let host: FrameHost;
let folder: string;
let a: string;
let b: string;
const peers: UnixPeer[] = [];

async function device(local: string, remote: string, options: object = {}): Promise<NetDevice> {
  const made = await host.create('qemu', 'eth%d', { local: { path: local }, remote: { path: remote }, ...options });
  host.devices.open(made);
  return made;
}

async function joined(options: object = {}): Promise<[near: NetDevice, far: NetDevice]> {
  const near = await device(a, b, options);
  const far = await device(b, a, options);
  await until('both have carrier', () => near.carrier && far.carrier);
  return [near, far];
}

async function python(): Promise<UnixPeer> {
  const peer = await UnixPeer.start(b, a);
  peers.push(peer);
  return peer;
}

/** Sends them all, and waits wherever the queue stands, or the softirq loop has yet to take what waited. Returns how often it stood. */
async function sendAll(by: NetDevice, frames: readonly Uint8Array[]): Promise<number> {
  const queue = by.txQueues[0]!;
  const flows = (): boolean => !queue.stopped && queue.qdisc!.lenPackets === 0;
  let stopped = 0;
  for (const frame of frames) {
    expect(host.send(by, frame)).toBe(TRANSMIT.OK);
    if (queue.stopped) stopped++;
    if (!flows()) await until('it goes on', flows);
  }
  return stopped;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'softnet-'));
  a = join(folder, 'a');
  b = join(folder, 'b');
  host = await FrameHost.boot(QemuModule);
});
afterEach(async () => {
  for (const peer of peers.splice(0)) await peer.kill();
  await host.kernel.shutdown();
  expect(host.kernel.modules()).toEqual([]);
  expect(existsSync(a)).toBe(false);
  rmSync(folder, { recursive: true });
});

describe.skipIf(skipAloud('unix datagrams', platform))('two devices at unix datagram sockets', () => {
  test('a datagram is a frame, of all sizes, both ways, as it was sent, in order', async () => {
    const [near, far] = await joined({ mtuBytes: 65_521 });
    const frames = [14, 15, 60, 1514, 1982, 1983, 6078, 6079, 9018, 65_535, 65_539].map((lenBytes, number) => testFrame(number, lenBytes));
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      host.received.length = 0;
      await sendAll(from, frames);
      await until('all are there', () => host.received.length === frames.length);
      expect(differing(host.received, frames)).toEqual([]);
      const bytes = frames.reduce((sum, { length }) => sum + length, 0);
      expect([from.stats.txPackets, from.stats.txBytes, to.stats.rxPackets, to.stats.rxBytes]).toEqual([11, bytes, 11, bytes]);
    }
    expect([near.txQueues[0]!.inFlightBytes, host.skbsOut]).toEqual([0, 0]);
  });

  test('more than the socket takes: the queue stops, goes on, and nothing is lost', async () => {
    const [near, far] = await joined();
    const frames = Array.from({ length: 1500 }, (_, number) => testFrame(number % 251, 60 + (number % 1455)));
    expect(await sendAll(near, frames)).toBeGreaterThan(0);
    await until('all are there', () => host.received.length === frames.length);
    expect(differing(host.received, frames)).toEqual([]);
    expect([
      near.stats.txPackets,
      far.stats.rxMissed + host.drops('qemu.receive-full'),
      near.txQueues[0]!.inFlightBytes,
      host.skbsOut,
    ]).toEqual([1500, 0, 0, 0]);
  });

  test('carrier comes with the peer, goes with it, and comes again', async () => {
    const near = await device(a, b);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([near.carrier, existsSync(a)]).toEqual([false, true]);
    for (let round = 1; round <= 2; round++) {
      const far = await device(b, a);
      await until('both have carrier', () => near.carrier && far.carrier);
      host.send(far, testFrame(round));
      await until('it is there', () => host.received.length === round);
      host.devices.remove(far);
      expect(existsSync(b)).toBe(false);
      // Nobody sends: it is looked for.
      await until('it has gone', () => !near.carrier);
    }
    expect(host.kernel.counters().find(({ name }) => name === 'qemu.connections')?.value).toBe(4);
  });

  test('a module is replaced between two frames: the same sockets', async () => {
    const [near, far] = await joined();
    host.send(near, testFrame(1));
    await until('it is there', () => far.stats.rxPackets === 1);
    const { mode, drained } = await host.kernel.replace('qemu', QemuModule, { mode: 'handover' });
    host.send(near, testFrame(2));
    host.send(far, testFrame(3));
    expect([mode, (await drained).outcome]).toEqual(['handover', 'gone']);
    await until('all are there', () => host.received.length === 3);
    expect([near.carrier, far.carrier, near.stats.txDropped]).toEqual([true, true, 0]);
    const report = await host.kernel.unload('qemu', { force: true });
    expect([report.outcome, report.leaks, existsSync(a), existsSync(b)]).toEqual(['gone', [], false, false]);
  });

  test("a file that another has put in the socket's place is left alone", async () => {
    const near = await device(a, b);
    rmSync(a);
    writeFileSync(a, 'mine');
    host.devices.remove(near);
    expect(existsSync(a)).toBe(true);
    rmSync(a);
  });

  test('a mistake is one sentence that says what to do', async () => {
    const refused = async (options: object): Promise<string> =>
      host.create('qemu', 'eth9', options).then(
        () => 'taken',
        (error: unknown) => String(error),
      );
    const both = (local: string, remote: string): object => ({ local: { path: local }, remote: { path: remote } });
    const file = join(folder, 'file');
    writeFileSync(file, 'mine');
    expect(await refused(both(file, b))).toContain(`EADDRINUSE: qemu: ${file} is a file, and no socket`);
    expect(existsSync(file)).toBe(true);
    await device(a, b);
    expect(await refused(both(a, b))).toContain(`EADDRINUSE: qemu: another socket is at ${a}`);
    expect(await refused(both(join(folder, 'no', 'a'), b))).toMatch(/ENOENT: qemu: the folder of .* is not there/);
    expect(await refused(both(b, b))).toContain('EINVAL: qemu: local and remote are two paths');
    expect(await refused(both('x'.repeat(108), b))).toContain('EINVAL: qemu: local takes { path } of 1 to 107 bytes');
    expect(await refused(both('', b))).toContain('EINVAL: qemu: local takes { path }');
    expect(await refused({ local: { path: b }, remote: { port: 7 } })).toContain('EINVAL: qemu: remote takes { path }');
    expect(await refused({ ...both(b, a), reconnect: true })).toContain('reconnect goes with a stream');
    expect(await refused({ ...both(b, a), mtuBytes: 65_522 })).toContain('mtuBytes takes 68 to 65521');
    const server = createServer().listen(join(folder, 'stream'));
    expect(await refused(both(b, join(folder, 'stream')))).toMatch(/EINVAL: qemu: the socket at .*stream is no datagram socket/);
    expect(existsSync(b)).toBe(false);
    server.close();
  });
});

describe.skipIf(skipAloud('unix datagrams with a peer', platform ?? pythonSkipReason()))('a device and a process beside it', () => {
  test('frames of all sizes, there and back; while the peer does not read the queue stands, and nothing is lost', async () => {
    const near = await device(a, b, { mtuBytes: 65_521 });
    const peer = await python();
    await until('it has carrier', () => near.carrier);
    const frames = [14, 60, 1514, 1983, 9018, 65_539].map((lenBytes, number) => testFrame(number, lenBytes));
    await sendAll(near, frames);
    await until('all are back', () => host.received.length === frames.length);
    expect(differing(host.received, frames)).toEqual([]);
    await peer.tell('hold');
    const more = Array.from({ length: 60 }, (_, number) => testFrame(number, 1000));
    for (const frame of more) host.send(near, frame);
    const queue = near.txQueues[0]!;
    expect([queue.stopped, near.stats.txPackets < 60]).toEqual([true, true]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(queue.stopped).toBe(true);
    await peer.tell('go');
    await until('all are back', () => host.received.length === frames.length + more.length);
    expect(differing(host.received.slice(frames.length), more)).toEqual([]);
    expect([queue.stopped, near.stats.txDropped, near.stats.txErrors, host.skbsOut]).toEqual([false, 0, 0, 0]);
  });

  test('a peer that dies is found out by the next frame, and its next life at once', async () => {
    const first = await python();
    const near = await device(a, b);
    await until('it has carrier', () => near.carrier);
    await first.kill();
    expect(existsSync(b)).toBe(true);
    host.send(near, testFrame(1));
    await until('it has none', () => !near.carrier);
    host.send(near, testFrame(2));
    expect([host.drops('qemu.refused'), near.stats.txErrors]).toEqual([1, 1]);
    await python();
    await until('it has carrier again', () => near.carrier);
    host.send(near, testFrame(3));
    await until('it is back', () => host.received.length === 1);
    expect(host.received).toEqual([testFrame(3)]);
  });

  test('a peer that dies while it does not read: the queue goes on', async () => {
    const first = await python();
    const near = await device(a, b);
    await until('it has carrier', () => near.carrier);
    await first.tell('hold');
    for (let number = 0; number < 30; number++) host.send(near, testFrame(number));
    expect(near.txQueues[0]!.stopped).toBe(true);
    await first.kill();
    await until('it has none', () => !near.carrier);
    expect(near.txQueues[0]!.stopped).toBe(false);
    await until('nothing is left', () => host.skbsOut === 0 && near.txQueues[0]!.inFlightBytes === 0);
  });

  test('who is in the place of one that died, and sends first, is heard', async () => {
    await (await python()).kill();
    const near = await device(a, b);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const second = await python();
    await second.tell('send 60 7');
    await until('it is there', () => host.received.length === 1, 300);
    expect([near.carrier, host.received[0]![20]]).toEqual([true, 7]);
  });

  test('what is no frame is counted: nothing, too long, too short; and strangers are not heard', async () => {
    const near = await device(a, b);
    const peer = await python();
    await until('it has carrier', () => near.carrier);
    for (const lenBytes of [0, 1519, 1983, 65_000, 3, 100]) await peer.tell(`send ${lenBytes} 136`);
    await until('the last one is there', () => host.received.length === 1);
    expect(host.received[0]).toHaveLength(100);
    expect([host.drops('qemu.empty'), host.drops('qemu.too-long'), near.stats.rxErrors]).toEqual([1, 3, 5]);
    expect(await peer.tell('stranger')).toEqual([PERM]);
    expect([host.skbsOut, host.kernel.module('qemu')?.throws, near.carrier]).toEqual([0, 0, true]);
  });

  test('strangers are not heard before the peer is there either', async () => {
    const near = await device(a, join(folder, 'nobody'));
    const stranger = await python();
    for (let i = 0; i < 3; i++) await stranger.tell('send 60');
    await until('all are gone', () => host.drops('qemu.unconnected') === 3);
    expect([host.received.length, near.carrier, near.stats.rxErrors]).toEqual([0, false, 3]);
  });

  test('the file of one that died is in nobody’s way', async () => {
    await (await python()).kill();
    const far = await device(b, a);
    const near = await device(a, b);
    await until('both have carrier', () => near.carrier && far.carrier);
  });
});
