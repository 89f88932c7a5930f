import { Kernel, World } from '@softnet/kernel';
import { TapModule } from '@softnet/nic-driver/node';
import { HOST_STACK, NetHost, QUIET_HOST } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Meeting } from './linux/exercises.ts';
import { exercises, PREFIXES } from './linux/exercises.ts';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';

describe.skipIf(skipAloud('Linux through TAP', netnsSkipReason()))('this machine’s Linux, through TAP', () => {
  const device = `sntap${process.pid % 100_000}`;
  let meeting: Meeting & { readonly linux: Netns };

  beforeAll(async () => {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'tap', settings: QUIET_HOST });
    for (const source of [...HOST_STACK, TapModule, UdpEchoModule]) await kernel.load(source);
    const host = new NetHost(kernel);
    const linux = new Netns('tap');
    await host.addDevice('tap', device, { ifname: device });
    await linux.adopt(device);
    host.up(device);
    for (const prefix of PREFIXES) host.addAddress(device, prefix);
    meeting = { linux, host, device };
  });
  afterAll(async () => {
    await meeting?.host.kernel.shutdown();
    meeting?.linux.dispose();
  });

  exercises(() => meeting);
});
