import type { NetDevice } from '@softnet/contract';
import { Devices } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { Cable } from '@softnet/nic-driver';
import type { Traffic } from '@softnet/testkit';
import type { FrameUser } from './frames.ts';
import { addDevice, Frames, numbered } from './frames.ts';

export interface WireTrafficOptions {
  readonly queues?: number;
  /** Done with each device that is made. */
  readonly each?: (kernel: Kernel, device: NetDevice) => void;
}

/** Frames there and back over each of some wires, which their users hold. */
export async function wireTraffic([a, b]: readonly [Kernel, Kernel], { queues = 1, each }: WireTrafficOptions = {}): Promise<Traffic> {
  const pairs: { near: FrameUser; far: FrameUser }[] = [];
  const frames = (kernel: Kernel): Frames => kernel.port(Frames).current;
  const join = async (): Promise<void> => {
    const cable = new Cable({ delayUs: 200 });
    const add = async (kernel: Kernel): Promise<NetDevice> => {
      const device = await addDevice(kernel, 'wire', 'eth%d', { cable, queues });
      each?.(kernel, device);
      return device;
    };
    const near = frames(a).open(await add(a), 'near');
    const far = frames(b).open(await add(b), 'far');
    far.heard = (payload) => void frames(b).send(far.device, payload);
    pairs.push({ near, far });
  };
  await join();
  let sent = 0;
  const there = ({ near }: (typeof pairs)[number]): Promise<number> =>
    new Promise((resolve, reject) => {
      if (!near.open) return reject(new Error('its user was closed'));
      const payload = numbered(++sent, 900);
      near.heard = (got) => (Buffer.compare(got, payload) === 0 ? resolve(got.length) : reject(new Error('damaged')));
      if (frames(a).send(near.device, payload) !== 0) reject(new Error('not sent'));
    });
  return {
    exchange: async () => (await Promise.all(pairs.map(there))).reduce((sum, count) => sum + count, 0),
    openAnother: join,
    close: async () => {
      for (const { near, far } of pairs.splice(0)) {
        for (const [kernel, user] of [
          [a, near],
          [b, far],
        ] as const) {
          frames(kernel).close(user);
          if (user.device.holdNext !== null) kernel.port(Devices).current.remove(user.device);
        }
      }
    },
  };
}
