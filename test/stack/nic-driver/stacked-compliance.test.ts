import type { NetDevice } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { Cable, CaptureModule, FaultModule, TraceModule, WireModule } from '@softnet/nic-driver';
import { SkbModule } from '@softnet/skb';
import type { Traffic } from '@softnet/testkit';
import { complianceChecks } from '@softnet/testkit';
import { describe, test } from 'vitest';
import type { FrameUser } from './frames.ts';
import { addDevice, Frames, FramesModule, numbered } from './frames.ts';
import { remove } from './stacked-hosts.ts';

/** A user of each end, and what stands below it. */
interface Pair {
  readonly near: FrameUser;
  readonly far: FrameUser;
  readonly wires: readonly [NetDevice, NetDevice];
}

const framesOf = (kernel: Kernel): Frames => kernel.port(Frames).current;

/** Frames there and back over devices that are stacked on wires at both ends, which their users hold. */
async function stackedTraffic(kind: string, options: object, [a, b]: readonly [Kernel, Kernel]): Promise<Traffic> {
  const pairs: Pair[] = [];
  /** Of both kernels, which name their devices alike. */
  const take = (device: NetDevice): void => {
    for (const kernel of [a, b]) if (device.holdNext !== null) remove(kernel, device);
  };
  const join = async (): Promise<void> => {
    const cable = new Cable({ delayUs: 200 });
    const wires = [await addDevice(a, 'wire', 'eth%d', { cable }), await addDevice(b, 'wire', 'eth%d', { cable })] as const;
    try {
      const near = framesOf(a).open(await addDevice(a, kind, 'top%d', { link: wires[0].name, ...options }), 'near');
      const far = framesOf(b).open(await addDevice(b, kind, 'top%d', { link: wires[1].name, ...options }), 'far');
      far.heard = (payload) => void framesOf(b).send(far.device, payload);
      pairs.push({ near, far, wires });
    } catch (error) {
      remove(a, wires[0]);
      remove(b, wires[1]);
      throw error;
    }
  };
  await join();
  let sent = 0;
  const there = ({ near }: Pair): Promise<number> =>
    new Promise((resolve, reject) => {
      if (!near.open) return reject(new Error('its user was closed'));
      const payload = numbered(++sent, 900);
      near.heard = (got) => (Buffer.compare(got, payload) === 0 ? resolve(got.length) : reject(new Error('damaged')));
      if (framesOf(a).send(near.device, payload) !== 0) reject(new Error('not sent'));
    });
  return {
    exchange: async () => (await Promise.all(pairs.map(there))).reduce((sum, count) => sum + count, 0),
    openAnother: join,
    close: async () => {
      for (const { near, far, wires } of pairs.splice(0)) {
        framesOf(a).close(near);
        framesOf(b).close(far);
        remove(a, wires[0]);
        remove(b, wires[1]);
        for (const { device } of [near, far]) take(device);
      }
    },
  };
}

describe.each([
  ['fault', FaultModule, { delayUs: 150, rateBps: 100_000_000 }],
  ['trace', TraceModule, {}],
  ['capture', CaptureModule, { write: () => {} }],
] as const)('compliance of %s', (kind, source, options) => {
  const subject = {
    source,
    needs: [SkbModule, NetdevModule, FramesModule, WireModule],
    traffic: (kernels: readonly Kernel[]) => stackedTraffic(kind, options, kernels as [Kernel, Kernel]),
  };
  test.each(complianceChecks(subject))('$name', async ({ run }) => {
    await run();
  });
});
