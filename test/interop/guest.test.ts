import { Kernel, World } from '@softnet/kernel';
import { QemuModule } from '@softnet/nic-driver/node';
import { HOST_STACK, NetHost } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Meeting } from './linux/exercises.ts';
import { exercises, PREFIXES } from './linux/exercises.ts';
import { Guest, guestSkipReason } from './linux/guest.ts';
import { skipAloud } from './linux/linux-side.ts';

/** The guest, or why there is none here: what it is made of may have to be fetched first. */
const booted = guestSkipReason() ?? (await Guest.boot('udp').catch((error: Error) => `it does not boot: ${error.message}`));

describe.skipIf(skipAloud('a Linux guest', typeof booted === 'string' ? booted : null))('a Linux guest, through its stream socket', () => {
  const linux = booted as Guest;
  let meeting: Meeting;

  beforeAll(async () => {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'host' });
    for (const source of [...HOST_STACK, QemuModule, UdpEchoModule]) await kernel.load(source);
    const host = new NetHost(kernel);
    await host.addDevice('qemu', 'eth0', { path: linux.socketPath });
    host.up('eth0');
    for (const prefix of PREFIXES) host.addAddress('eth0', prefix);
    meeting = { linux, host, device: 'eth0' };
  });
  afterAll(async () => {
    await meeting?.host.kernel.shutdown();
    await linux.dispose();
  });

  exercises(() => meeting);
});
