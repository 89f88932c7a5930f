import { Kernel, World } from '@softnet/kernel';
import { QemuModule } from '@softnet/nic-driver/node';
import { HOST_STACK, NetHost, QUIET_HOST } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Meeting } from './linux/exercises.ts';
import { exercises, PREFIXES } from './linux/exercises.ts';
import { Guest, guestSkipReason } from './linux/guest.ts';
import { skipAloud } from './linux/linux-side.ts';

/** The guest, or why there is none here: what it is made of may have to be fetched first. */
const datagrams = { ours: 15_000 + (process.pid % 10_000), theirs: 25_000 + (process.pid % 7000) };
const nics = [`udp:${datagrams.theirs}:${datagrams.ours}`];
const booted = guestSkipReason() ?? (await Guest.boot('udp', nics).catch((error: Error) => `it does not boot: ${error.message}`));
const isSkipped = skipAloud('a Linux guest', typeof booted === 'string' ? booted : null);
const linux = booted as Guest;
afterAll(async () => {
  if (!isSkipped) await linux.dispose();
});

describe.skipIf(isSkipped)('a Linux guest, through its stream socket', () => {
  let meeting: Meeting;

  beforeAll(async () => {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'host', settings: QUIET_HOST });
    for (const source of [...HOST_STACK, QemuModule, UdpEchoModule]) await kernel.load(source);
    const host = new NetHost(kernel);
    await host.addDevice('qemu', 'eth0', { path: linux.socketPath });
    host.up('eth0');
    for (const prefix of PREFIXES) host.addAddress('eth0', prefix);
    meeting = { linux, host, device: 'eth0' };
  });
  afterAll(async () => {
    await meeting?.host.kernel.shutdown();
  });

  exercises(() => meeting);
});

describe.skipIf(isSkipped)('a Linux guest, through UDP: a datagram is a frame', () => {
  const addresses = [
    ['10.78.0.1', '10.78.0.2', 24],
    ['fd78::1', 'fd78::2', 64],
  ] as const;
  let host: NetHost;

  beforeAll(async () => {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'host', settings: QUIET_HOST });
    for (const source of [...HOST_STACK, QemuModule, UdpEchoModule]) await kernel.load(source);
    host = new NetHost(kernel);
    await host.addDevice('qemu', 'eth0', { local: { port: datagrams.ours }, remote: { port: datagrams.theirs } });
    host.up('eth0');
    await linux.exec('sysctl -qw net.ipv6.conf.eth1.accept_dad=0 net.ipv6.conf.eth1.router_solicitations=0; ip link set eth1 up');
    for (const [theirs, ours, bits] of addresses) {
      await linux.exec(`ip addr add ${theirs}/${bits} dev eth1 ${theirs.includes(':') ? 'nodad' : ''}`);
      host.addAddress('eth0', `${ours}/${bits}`);
    }
  });
  afterAll(() => host?.kernel.shutdown());

  test.each(addresses)('pings both ways, and datagrams of all sizes, with %s', async (theirs, ours) => {
    for (const lenBytes of [0, 56, 1472, 1473, 20_000]) {
      const { code, stdout } = await linux.exec(`ping -c 1 -W 5 -s ${lenBytes} ${ours}`);
      expect([code, lenBytes], stdout).toEqual([0, lenBytes]);
      expect(await host.ping(theirs, { lenBytes, timeoutMs: 5000 })).toMatchObject({ lenBytes });
    }
    expect(await linux.exchange(ours, 7, [0, 1, 1452, 1473, 9000, 65_507])).toEqual([]);
  });
});
