import { Kernel, World } from '@softnet/kernel';
import { QemuModule } from '@softnet/nic-driver/node';
import { HOST_STACK, NetHost } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Meeting } from './linux/exercises.ts';
import { exercises, PREFIXES } from './linux/exercises.ts';
import { Guest, guestSkipReason } from './linux/guest.ts';
import { skipAloud } from './linux/linux-side.ts';

describe.skipIf(skipAloud('a Linux guest', guestSkipReason()))('a Linux guest, through its stream socket', () => {
  let meeting: Meeting & { readonly linux: Guest };

  beforeAll(async () => {
    const linux = await Guest.boot('udp');
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'host' });
    for (const source of [...HOST_STACK, QemuModule, UdpEchoModule]) await kernel.load(source);
    const host = new NetHost(kernel);
    await host.addDevice('qemu', 'eth0', { path: linux.socketPath });
    host.up('eth0');
    for (const prefix of PREFIXES) host.addAddress('eth0', prefix);
    meeting = { linux, host, device: 'eth0' };
  }, 180_000);
  afterAll(async () => {
    await meeting?.host.kernel.shutdown();
    await meeting?.linux.dispose();
  });

  exercises(() => meeting);
});
