import { DEVICE_FEATURE } from '@softnet/contract';
import { Captures } from '@softnet/nic-driver';
import { TapModule } from '@softnet/nic-driver/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipAloud } from '../../interop/linux/linux-side.ts';
import { netnsSkipReason } from '../../interop/linux/netns.ts';
import { tsharkComplaints } from '../../interop/linux/tshark.ts';
import { until } from './frame-host.ts';
import { drops } from './frames.ts';
import { TapRouter } from './tap-router.ts';
import { tsharkFields } from './tshark-fields.ts';

const { RX_CHECKSUM, RX_GSO, TX_CHECKSUM } = DEVICE_FEATURE;
/** Sides. */
const [TAP, SERVER, PLAIN, TUN, PLAIN_TUN] = [0, 1, 2, 3, 4] as const;
const SAME = { same: true, error: null };

/** Linux's TCP speaks to itself through us: what is wrong with a byte or a checksum stops it. */
describe.skipIf(skipAloud('softnet between namespaces of Linux', netnsSkipReason()))('TCP of Linux, through softnet as a router', () => {
  let router: TapRouter;
  beforeAll(async () => {
    router = await TapRouter.boot();
    await router.join('tap', { queues: 3 });
    await router.join('tap', { queues: 2 });
    await router.join('tap', { vnetHeader: false });
    await router.join('tun');
    await router.join('tun', { vnetHeader: false });
    await router.serve(SERVER);
  });
  afterAll(() => router.close());

  /** Of what is received by a side from here on. */
  function frameBytes(side: number): () => number {
    const { stats } = router.devices[side]!;
    const { rxBytes, rxPackets } = stats;
    return () => (stats.rxBytes - rxBytes) / (stats.rxPackets - rxPackets);
  }

  /** Nothing went wrong, as far as it is counted. */
  function checkCounters(): void {
    for (const { stats } of router.devices) expect([stats.rxErrors, stats.txErrors, stats.rxMissed]).toEqual([0, 0, 0]);
    expect(Object.keys(drops(router.host.kernel)).filter((name) => name.startsWith('tap.'))).toEqual([]);
  }

  function setBursts(on: boolean): void {
    for (const side of [TAP, SERVER, TUN]) router.setFeatures(side, RX_GSO, on);
  }

  test('bursts pass whole, between taps of several queues, and from a tun to a tap', async () => {
    setBursts(true);
    const meanBytes = frameBytes(TAP);
    const ends = await Promise.all([router.streams(TAP, SERVER, 5_000_000), router.streams(TUN, SERVER, 1_000_000)]);
    expect(ends.flat()).toMatchObject([SAME, SAME, SAME, SAME]);
    expect(meanBytes()).toBeGreaterThan(10_000);
    checkCounters();
  });

  test('checksums are right in the end, whoever finishes them, and frames honest: as TCP, counters and a capture have it', async () => {
    setBursts(false);
    const chunks: Uint8Array[] = [];
    const write = (bytes: Uint8Array): void => void chunks.push(bytes.slice());
    const capture = router.host.kernel.port(Captures).current.start({ device: null, write, epochUs: Date.now() * 1000 }, { name: 'test' });
    const ways = [TAP, PLAIN, PLAIN_TUN].map((from) => router.streams(from, SERVER, 150_000));
    expect((await Promise.all(ways)).flat()).toMatchObject(new Array(6).fill(SAME));
    // And where neither leaves any to the other.
    for (const side of [TAP, SERVER]) router.setFeatures(side, RX_CHECKSUM | TX_CHECKSUM, false);
    expect(await router.streams(TAP, SERVER, 150_000)).toMatchObject([SAME, SAME]);
    for (const side of [TAP, SERVER]) router.setFeatures(side, RX_CHECKSUM | TX_CHECKSUM, true);
    capture.close();
    checkCounters();
    for (const side of [TAP, SERVER, PLAIN, PLAIN_TUN]) {
      const [names, values] = (await router.run(side, 'grep', 'Tcp:', '/proc/net/snmp')).split('\n').map((line) => line.split(' '));
      expect(values![names!.indexOf('InCsumErrors')]).toBe('0');
    }
    const reading = await tsharkComplaints(Buffer.concat(chunks));
    const raw = await tsharkFields(Buffer.concat(chunks), ['frame.protocols'], 'raw');
    if (raw !== null)
      expect(new Set(raw.map(([protocols]) => protocols!.split(':').slice(0, 3).join(':')))).toEqual(
        new Set(['raw:ip:tcp', 'raw:ipv6:tcp']),
      );
    if (reading === null) return void skipAloud('checksums in a capture', 'tshark is not installed');
    expect([reading.packets > 1000, reading.complaints.filter((line) => /checksum|malformed/i.test(line))]).toEqual([true, []]);
  });

  test('replaced by hand-over, then unloaded, under bursts', async () => {
    setBursts(true);
    const { kernel } = router.host;
    const { stats } = router.devices[SERVER]!;
    const flows = (bytes: number): Promise<void> => {
      const from = stats.txBytes;
      return until('bytes flow', () => stats.txBytes > from + bytes);
    };
    const streams = router.streams(TAP, SERVER, 10_000_000);
    await flows(1_000_000);
    const { mode, adopted, drained } = await kernel.replace('tap', TapModule, { mode: 'handover' });
    expect([mode, adopted.device, (await drained).outcome]).toEqual(['handover', 5, 'gone']);
    expect(await streams).toMatchObject([SAME, SAME]);
    checkCounters();
    const endless = "require('node:net').connect(5001, '10.88.1.1').on('error', () => {}).write(Buffer.alloc(1e9))";
    const sender = router.start(TAP, process.execPath, '-e', endless);
    await flows(1_000_000);
    const report = await kernel.unload('tap', { force: true });
    expect([report.outcome, report.leaks, report.faults]).toEqual(['gone', [], []]);
    sender.kill();
    expect(kernel.holders('skb')).toEqual([]);
    for (const side of router.sides) expect(side.ip('link')).not.toMatch(new RegExp(`${side.tag}t`));
  });
});
