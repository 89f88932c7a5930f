import type { NetDevice } from '@softnet/contract';
import { DEVICE_FEATURE, Devices } from '@softnet/contract';
import { Cable, Captures, ReplayModule } from '@softnet/nic-driver';
import type { NetHost } from '@softnet/testkit';
import { HOST_STACK, Net, pattern } from '@softnet/testkit';
import { UDP_OPTION } from '@softnet/udp';
import { describe, expect, test } from 'vitest';
import type { BurstHost } from '../stack/offload/burst-host.ts';
import { BurstSocket } from '../stack/offload/burst-socket.ts';
import { tsharkComplaints } from './linux/tshark.ts';

interface Recording {
  readonly file: () => Uint8Array;
}

function record(host: NetHost, device: NetDevice): Recording {
  const pieces: Uint8Array[] = [];
  const write = (piece: Uint8Array): void => void pieces.push(piece);
  host.kernel.port(Captures).current.start({ device, write, epochUs: 1_700_000_000_000_000 }, { name: 'test' });
  return { file: () => new Uint8Array(Buffer.concat(pieces)) };
}

/** Two hosts and a cable that passes bursts and unfinished checksums on as they are, or not. */
async function joined(offloads: boolean) {
  const net = new Net({ modules: [...HOST_STACK, ReplayModule] });
  const hosts = [await net.host('a'), await net.host('b')] as const;
  const cable = new Cable({ delayUs: 50 });
  const devices: NetDevice[] = [];
  for (const [i, host] of hosts.entries()) {
    const device = await host.addDevice('wire', 'eth0', { cable, offloads });
    devices.push(device);
    host.up('eth0');
    for (const prefix of [`10.5.0.${i + 1}/24`, `fd05::${i + 1}/64`]) host.addAddress('eth0', prefix);
  }
  await net.pass(3000);
  return { net, a: hosts[0], b: hosts[1], devices: devices as [NetDevice, NetDevice] };
}

/** Bursts of datagrams, cut by whoever cuts them. */
async function burst(net: Net, from: NetHost, to: string): Promise<void> {
  const socket = new BurstSocket({ kernel: from.kernel, host: from } as object as BurstHost).connect(to, 9);
  expect(socket.set(UDP_OPTION.SEGMENT, 1000)).toBe(0);
  for (const lenBytes of [8000, 7777, 2001, 1000]) expect(socket.send(pattern(1, 0, lenBytes))).toBe(lenBytes);
  socket.close();
  await net.pass(10);
}

describe('tshark finds no fault, no wrong checksum', () => {
  test.each([
    ['uncut bursts with unfinished checksums', true, false],
    ['what was cut, and merged again', false, true],
  ])('in captures of %s, on either end', async (_what, offloads, merges) => {
    const { net, a, b, devices } = await joined(offloads);
    if (merges) {
      b.kernel.sysctl.set('net.udp.gro', 2);
      b.kernel.port(Devices).current.setFeatures(devices[1], devices[1].features | DEVICE_FEATURE.GRO);
    }
    const captures = [record(a, devices[0]), record(b, devices[1])];
    for (const address of ['10.5.0.2', 'fd05::2']) await burst(net, a, address);
    await net.pass(100);
    for (const { file } of captures) {
      const complaints = await tsharkComplaints(file());
      if (complaints === null) return console.warn('skipped: captures of bursts: tshark is not installed');
      expect(complaints).toEqual({ packets: expect.any(Number), complaints: [] });
    }
    const sizes = [devices[0].stats.txPackets, devices[1].stats.rxPackets];
    // A burst counts once where it crosses uncut.
    expect(sizes.every((packets) => (offloads ? packets < 40 : packets >= 40))).toBe(true);
    await net.dispose();
  });
});
