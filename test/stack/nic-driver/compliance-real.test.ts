import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { MessageChannel } from 'node:worker_threads';
import type { NetDevice } from '@softnet/contract';
import { Devices } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { MessagePortModule } from '@softnet/nic-driver';
import { QemuModule, TapModule } from '@softnet/nic-driver/node';
import { SkbModule } from '@softnet/skb';
import type { Traffic } from '@softnet/testkit';
import { complianceChecks } from '@softnet/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { skipAloud } from '../../interop/linux/linux-side.ts';
import { netnsSkipReason } from '../../interop/linux/netns.ts';
import type { Ends } from './frame-pairs.ts';
import { pairTraffic } from './frame-pairs.ts';
import { addDevice, FramesModule } from './frames.ts';
import { LinuxNetwork } from './linux-network.ts';

const needs = [SkbModule, NetdevModule, FramesModule];
/** Judged in real time, on a host that may be busy. */
const LIMIT_MS = 60_000;
/** What cannot apply to a driver in real time. */
const NOT_APPLICABLE = ['it goes at once', 'parked objects are silent, and live again', 'code is collected', 'determinism'];

/** Makes the far end, or unmakes the near one. */
async function both(a: Kernel, near: NetDevice, makeFar: () => Promise<NetDevice>): Promise<Ends> {
  try {
    return [near, await makeFar()];
  } catch (error) {
    a.port(Devices).current.remove(near);
    throw error;
  }
}

/** Where nobody looks for ports by chance. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;
let portsTaken = 0;

/** Over UDP; over TCP, where the first kernel connects; and over streams that are handed in, within the process. */
async function qemuTraffic(kernels: readonly Kernel[]): Promise<Traffic> {
  const [a, b] = kernels as [Kernel, Kernel];
  const clients: Socket[] = [];
  const server: Server = createServer((socket) => void clients.push(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { port: number };
  const client = async (): Promise<Socket> => {
    if (clients.length === 0) await once(server, 'connection');
    return clients.shift()!;
  };
  const overTcp = async (): Promise<Ends> => {
    const near = await addDevice(a, 'qemu', 'eth%d', { port }).catch((error: unknown) => {
      for (const each of clients.splice(0)) each.resume();
      throw error;
    });
    return both(a, near, async () => addDevice(b, 'qemu', 'eth%d', { stream: await client() }));
  };
  const inProcess = async (): Promise<Ends> => {
    const [one, other] = duplexPair();
    const near = await addDevice(a, 'qemu', 'eth%d', { stream: one });
    return both(a, near, () => addDevice(b, 'qemu', 'eth%d', { stream: other }));
  };
  const overUdp = async (): Promise<Ends> => {
    const [one, other] = [0, 1].map(() => ({ port: FIRST_PORT + ((process.pid * 200 + portsTaken++) % PORTS) }));
    const near = await addDevice(a, 'qemu', 'eth%d', { local: one, remote: other });
    return both(a, near, () => addDevice(b, 'qemu', 'eth%d', { local: other, remote: one }));
  };
  const folder = mkdtempSync(join(tmpdir(), 'softnet-'));
  const overUnix = async (): Promise<Ends> => {
    const [one, other] = [0, 1].map(() => ({ path: join(folder, String(portsTaken++)) })) as [{ path: string }, { path: string }];
    const near = await addDevice(a, 'qemu', 'eth%d', { local: one, remote: other });
    return both(a, near, () => addDevice(b, 'qemu', 'eth%d', { local: other, remote: one }));
  };
  const ways = process.platform === 'linux' ? [overUnix, overUdp, overTcp, inProcess] : [overUdp, overTcp, inProcess];
  return pairTraffic(
    kernels,
    (nth) => ways[nth % ways.length]!(),
    () => {
      rmSync(folder, { recursive: true, force: true });
      server.close();
      // Who was refused hangs up by itself; else the kit sees a socket that is left.
      for (const each of clients.splice(0)) each.resume();
    },
  );
}

describe('compliance of qemu', () => {
  const checks = complianceChecks({ source: QemuModule, needs, traffic: qemuTraffic });
  test.each(checks.map((check) => [check.name, check] as const))(
    '%s',
    async (name, { run }) => {
      const { applies, sentence } = await run();
      expect([sentence, applies]).toEqual([sentence, !NOT_APPLICABLE.includes(name)]);
    },
    LIMIT_MS,
  );
});

async function messagePortTraffic(kernels: readonly Kernel[]): Promise<Traffic> {
  const [a, b] = kernels as [Kernel, Kernel];
  const channels: MessageChannel[] = [];
  const join = async (): Promise<Ends> => {
    const channel = new MessageChannel();
    channels.push(channel);
    const near = await addDevice(a, 'message-port', 'eth%d', { port: channel.port1 });
    return both(a, near, () => addDevice(b, 'message-port', 'eth%d', { port: channel.port2 }));
  };
  return pairTraffic(kernels, join, () => {
    for (const { port1 } of channels.splice(0)) port1.close();
  });
}

describe('compliance of message-port', () => {
  const checks = complianceChecks({ source: MessagePortModule, needs, traffic: messagePortTraffic });
  test.each(checks.map((check) => [check.name, check] as const))(
    '%s',
    async (name, { run }) => {
      const { applies, sentence } = await run();
      expect([sentence, applies]).toEqual([sentence, !NOT_APPLICABLE.includes(name)]);
    },
    LIMIT_MS,
  );
});

/** Taps of both kernels, and a bridge of Linux between those of a pair: with all that they can, and with as little. */
async function tapTraffic(kernels: readonly Kernel[]): Promise<Traffic> {
  const [a, b] = kernels as [Kernel, Kernel];
  const linux = new LinuxNetwork();
  let closed = false;
  const join = async (nth: number): Promise<Ends> => {
    const names = [`${linux.tag}t${2 * nth}`, `${linux.tag}t${2 * nth + 1}`] as const;
    const options = nth % 2 === 0 ? { queues: 2 } : { vnetHeader: false };
    const near = await addDevice(a, 'tap', 'tap%d', { ifname: names[0], ...options });
    return both(a, near, async () => {
      const far = await addDevice(b, 'tap', 'tap%d', { ifname: names[1], ...options });
      linux.take(...names);
      linux.bridge(`br${nth}`, ...names);
      return far;
    });
  };
  return pairTraffic(kernels, join, () => {
    if (!closed) linux.close();
    closed = true;
  });
}

/** Descriptors of taps that this process has open. */
function openTaps(): string[] {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === '/dev/net/tun';
    } catch {
      // The one that this listing had.
      return false;
    }
  });
}

describe.skipIf(skipAloud('compliance of tap', netnsSkipReason()))('compliance of tap', () => {
  const checks = complianceChecks({ source: TapModule, needs, traffic: tapTraffic });
  afterEach(() => expect(openTaps()).toEqual([]));
  test.each(checks.map((check) => [check.name, check] as const))(
    '%s',
    async (name, { run }) => {
      const { applies, sentence } = await run();
      expect([sentence, applies]).toEqual([sentence, !NOT_APPLICABLE.includes(name)]);
    },
    LIMIT_MS,
  );
});
