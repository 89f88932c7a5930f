import { fileURLToPath } from 'node:url';
import type { NetDevice } from '@softnet/contract';
import { DEVICE_FEATURE, Ethtool } from '@softnet/contract';
import { UdpEchoModule } from '@softnet/udp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from '../../interop/linux/linux-side.ts';
import { netnsSkipReason } from '../../interop/linux/netns.ts';
import { until } from './frame-host.ts';
import { TapRouter } from './tap-router.ts';

const DATAGRAMS = fileURLToPath(new URL('../../interop/linux/datagrams.mjs', import.meta.url));
const BURST = fileURLToPath(new URL('../../interop/linux/udp-burst.mjs', import.meta.url));
const FLOWS = 24;

describe.skipIf(skipAloud('a tap with several queues', netnsSkipReason()))('a tap with several queues', () => {
  let router: TapRouter;
  let device: NetDevice;
  beforeAll(async () => {
    router = await TapRouter.boot();
    await router.host.kernel.load(UdpEchoModule);
    await router.join('tap', { queues: 4 });
    await router.join('tap', { vnetHeader: false });
    device = router.devices[0]!;
  });
  afterAll(() => router.close());

  /** How many queues have received, and how many have sent, while flows had their echoes. */
  async function spread(): Promise<readonly [rx: number, tx: number]> {
    const before = [...device.rxQueues, ...device.txQueues].map(({ packets }) => packets);
    const echoes = await router.run(0, process.execPath, DATAGRAMS, 'flows', '10.88.0.2', '7', String(FLOWS));
    expect(Number(echoes)).toBe(3 * FLOWS);
    const used = [...device.rxQueues, ...device.txQueues].map(({ packets }, at) => packets > before[at]!);
    const count = (flags: readonly boolean[]): number => flags.filter((flag) => flag).length;
    return [count(used.slice(0, device.rxQueues.length)), count(used.slice(device.rxQueues.length))];
  }

  test('Linux spreads flows over them, and so do we', async () => {
    const [rx, tx] = await spread();
    expect([rx >= 3, tx >= 3]).toEqual([true, true]);
    const { stats } = device;
    const sum = (queues: readonly { packets: number }[]): number => queues.reduce((all, { packets }) => all + packets, 0);
    expect([sum(device.rxQueues), sum(device.txQueues)]).toEqual([stats.rxPackets, stats.txPackets]);
  });

  test('fewer of them are used, and all again, by ethtool', async () => {
    const ethtool = router.host.kernel.port(Ethtool).current;
    expect([device.maxRxQueues, device.maxTxQueues]).toEqual([4, 4]);
    expect(() => ethtool.setChannels(device, { rx: 2 })).toThrow(/EINVAL: .*give as many rx as tx/);
    ethtool.setChannels(device, { rx: 1, tx: 1 });
    await until('it has carrier again', () => device.carrier);
    expect(await spread()).toEqual([1, 1]);
    ethtool.setChannels(device, { rx: 4, tx: 4 });
    await until('it has carrier again', () => device.carrier);
    const [rx, tx] = await spread();
    expect([rx >= 3, tx >= 3]).toEqual([true, true]);
    expect(() => ethtool.setChannels(router.devices[1]!, { rx: 2, tx: 2 })).toThrow(/EINVAL/);
  });

  test.each([
    ['comes whole', DEVICE_FEATURE.RX_GSO, (packets: number) => packets < 5],
    ['is cut by Linux, and merged here', DEVICE_FEATURE.GRO, (packets: number) => packets >= 21],
  ] as const)(
    'a burst of UDP that Linux sends %s; it is read datagram by datagram, and cut for who takes none',
    async (_how, feature, fits) => {
      if ((device.features & DEVICE_FEATURE.GSO_UDP) === 0) return void skipAloud('bursts of UDP', 'this Linux is older than 6.2');
      const { sysctl } = router.host.kernel;
      sysctl.set('net.udp.gro', 2);
      router.setFeatures(0, feature, true);
      const user = router.host.open();
      user.bind('::', 4000);
      const { rxPackets } = device.stats;
      const sent = Buffer.from(Array.from({ length: 20 * 1000 + 5 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
      expect((await router.run(0, process.execPath, BURST, '10.88.0.2', '4000', '1000', String(sent.length))).trim()).toBe(
        String(sent.length),
      );
      const got: Uint8Array[] = [];
      for (let i = 0; i < 21; i++) got.push((await user.receive()).data);
      expect(got.map(({ length }) => length)).toEqual([...new Array(20).fill(1000), 5]);
      expect([Buffer.compare(Buffer.concat(got), sent), fits(device.stats.rxPackets - rxPackets)]).toEqual([0, true]);
      user.close();
      const { stats } = router.devices[1]!;
      const before = stats.txPackets;
      await router.run(0, process.execPath, BURST, '10.88.1.1', '4000', '1000', String(sent.length));
      await until('it is cut', () => stats.txPackets >= before + 21);
      router.setFeatures(0, feature, false);
    },
  );

  test('deleted under us: all of it is gone, once; removed, it can be made again', async () => {
    router.sides[0]!.ip('link', 'del', `${router.sides[0]!.tag}t`);
    await until('it has no carrier', () => !device.carrier);
    expect(router.host.kernel.counters().find(({ name }) => name === 'tap.deleted')?.value).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(router.host.kernel.counters().find(({ name }) => name === 'tap.deleted')?.value).toBe(1);
  });
});
