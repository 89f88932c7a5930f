import { Kernel, World } from '@softnet/kernel';
import { TapModule } from '@softnet/nic-driver/node';
import { HOST_STACK, NetHost, pattern, QUIET_HOST } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PREFIXES } from './linux/exercises.ts';
import { skipAloud } from './linux/linux-side.ts';
import { Netns, netnsSkipReason } from './linux/netns.ts';

const SOFTNET = PREFIXES.map((prefix) => prefix.replace(/\/.*/, ''));
const SIZES = [0, 1, 1472, 1473, 65_507];

/** What both sides counted: where a packet that was lost has gone. */
async function accounts(host: NetHost, linux: Netns, device: string): Promise<string> {
  const drops = host.kernel.dropReasons().flatMap(({ name, count }) => (count === 0 ? [] : `${name} ${count}`));
  const theirs = await linux.exec(`ip -s link show ${device}; nstat -s; cat /proc/net/softnet_stat`);
  return [`softnet dropped: ${drops.join(', ')}`, JSON.stringify(host.device(device).stats), theirs.stdout].join('\n');
}

/** The same as `tap.test.ts`, in short, for what is not its device: a tap whose frames are all finished, and TUN. */
describe.skipIf(skipAloud('Linux through TUN, and through TAP without offloads', netnsSkipReason())).each([
  ['tap', { vnetHeader: false }],
  ['tun', {}],
  ['tun', { vnetHeader: false }],
] as const)('this machine’s Linux, through a %s with %j', (kind, options) => {
  const device = `sn${kind}${process.pid % 100_000}`;
  let linux: Netns;
  let host: NetHost;

  beforeAll(async () => {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: kind, settings: QUIET_HOST });
    for (const source of [...HOST_STACK, TapModule, UdpEchoModule]) await kernel.load(source);
    host = new NetHost(kernel);
    linux = new Netns(`${kind}${Object.keys(options).join('')}`);
    await host.addDevice(kind, device, { ifname: device, ...options });
    await linux.adopt(device);
    host.up(device);
    for (const prefix of PREFIXES) host.addAddress(device, prefix);
  });
  afterAll(async () => {
    await host?.kernel.shutdown();
    linux?.dispose();
  });

  test('Linux pings softnet and has its datagrams back, of all sizes, over both families', async () => {
    const pings = SOFTNET.flatMap((address) =>
      [0, 1473, 65_507].map((size) => `ping -c 1 -W 10 -s ${size} ${address} > /dev/null || echo ${size} ${address}`),
    );
    const went = await linux.exec(pings.join('; '));
    expect(went, went.stdout && (await accounts(host, linux, device))).toEqual({ code: 0, stdout: '', stderr: '' });
    for (const address of SOFTNET) expect(await linux.exchange(address, 7, SIZES)).toEqual([]);
  });

  test('softnet pings Linux and has its datagrams back, of all sizes, over both families', async () => {
    const end = await linux.serve(7007);
    const user = host.open();
    for (const address of linux.addresses) {
      for (const lenBytes of [0, 1473, 65_507])
        expect(await host.ping(address, { lenBytes, timeoutMs: 10_000 })).toMatchObject({ lenBytes });
      user.connect(address, 7007);
      for (const size of SIZES) {
        await user.send(pattern(size, 0, size));
        expect(Buffer.compare((await user.receive()).data, pattern(size, 0, size)), `${size} bytes with ${address}`).toBe(0);
      }
    }
    user.close();
    end();
  });

  test('no frame was lost or refused', () => {
    const { stats } = host.device(device);
    expect([stats.rxErrors, stats.txErrors, stats.rxMissed, stats.txDropped]).toEqual([0, 0, 0, 0]);
  });
});
