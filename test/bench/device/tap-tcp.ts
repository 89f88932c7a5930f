import { DEVICE_FEATURE } from '@softnet/contract';
import { TapRouter } from '../../stack/nic-driver/tap-router.ts';
import { cpuMs } from '../span.ts';
import type { Figures } from '../work.ts';

/** Linux's TCP for a second between two namespaces, by iperf3, with softnet as the router. @param bursts both taps pass bursts on whole. */
export async function tcpThrough(bursts: boolean): Promise<Figures> {
  const router = await TapRouter.boot();
  try {
    for (const side of [0, 1]) {
      await router.join('tap', { vnetHeader: bursts });
      if (bursts) router.setFeatures(side, DEVICE_FEATURE.RX_GSO, true);
    }
    await router.run(1, 'iperf3', '--server', '--one-off', '--daemon');
    await router.run(0, 'ping', '-c', '1', '10.88.1.1');
    const fromMs = cpuMs();
    const said = await router.run(0, 'iperf3', '--client', '10.88.1.1', '--time', '1', '--json');
    const spentMs = cpuMs() - fromMs;
    const { end, error } = JSON.parse(said) as { end: { sum_received?: { bytes: number; seconds: number } }; error?: string };
    if (end.sum_received === undefined) throw new Error(`iperf3: ${error ?? said}`);
    const megabytes = end.sum_received.bytes / 1e6;
    return { 'MB/s': megabytes / end.sum_received.seconds, 'µs CPU': (spentMs * 1000) / megabytes };
  } finally {
    await router.close();
  }
}
