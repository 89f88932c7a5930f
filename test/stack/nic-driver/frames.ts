import type { ModuleContext, NetDevice, Notice, Owner, Skb, SoftnetModule } from '@softnet/contract';
import {
  DeviceKind,
  Devices,
  DeviceTraffic,
  DstUse,
  defineService,
  EthertypeHandler,
  Held,
  Module,
  NetError,
  one,
  SkbPool,
} from '@softnet/contract';
import type { World } from '@softnet/kernel';
import { Kernel } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { copyIn, SkbModule, SkbReader } from '@softnet/skb';

/** Local experimental (IEEE 802). */
const FRAMES = 0x88b5;

/** Somebody who sends frames by a device, and so holds it: an object of the module below, with a cached route by the device. */
export class FrameUser extends Held implements Owner {
  readonly name: string;
  readonly device: NetDevice;
  use = new DstUse();
  open = true;
  /** Payloads, as they came. */
  readonly got: Uint8Array[] = [];
  heard: ((payload: Uint8Array) => void) | null = null;

  constructor(name: string, device: NetDevice) {
    super();
    this.name = name;
    this.device = device;
  }

  notice({ sort }: Notice): void {
    if (sort === 'closed') this.open = false;
  }
}

export interface Frames {
  /** @param holds has it a cached route by the device? */
  open(device: NetDevice, name: string, holds?: boolean): FrameUser;
  close(user: FrameUser): void;
  /** One of `TRANSMIT`. @param to default: everybody. */
  send(device: NetDevice, payload: Uint8Array, to?: Uint8Array): number;
}
export const Frames = defineService<Frames>({ name: 'test-frames', version: '1.0.0' });

/** What stands above devices: payloads behind Ethernet headers. */
@Module({
  name: 'test-frames',
  version: '1.0.0',
  requires: [one(DeviceTraffic), one(SkbPool)],
  provides: [Frames, EthertypeHandler],
})
export class FramesModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const pool = ctx.port(SkbPool);
    const traffic = ctx.port(DeviceTraffic);
    const reader = new SkbReader();
    const users = ctx.objects<FrameUser>('user', {
      drain: 'wait',
      close: (user) => close(user),
      derivedMoved: (user, _before, now) => {
        user.use = now as DstUse;
      },
      describe: ({ device }) => `of ${device.name}`,
    });
    const close = (user: FrameUser): void => {
      user.open = false;
      if (user.holdNext !== null) users.release(user);
    };
    ctx.corridor(Frames, {
      open: (device, name, holds = true) => {
        const user = new FrameUser(name, device);
        users.hold(user, user, 'test-frames.open');
        if (holds) device.uses!.derive(user.use, user, 'test-frames.open');
        return user;
      },
      close,
      send: (device, payload, to = device.broadcast) => {
        const skb = pool.current.alloc(device.headroomBytes, Math.min(payload.length, 1500))!;
        if (!copyIn(skb, payload)) throw new NetError('ENOBUFS', 'no memory');
        skb.network = skb.data;
        device.link.write(skb, device, FRAMES, to, null);
        return traffic.current.transmit(device, skb);
      },
    });
    const input = (skb: Skb, device: NetDevice): void => {
      const payload = new Uint8Array(skb.len);
      reader.open(skb);
      reader.copyOut(payload);
      skb.memory.pool.release(skb);
      for (const user of users) {
        if (user.device !== device) continue;
        user.got.push(payload);
        user.heard?.(payload);
      }
    };
    ctx.contribute(EthertypeHandler, { name: 'frames', ethertype: FRAMES, input, dissect: null, gro: null, segment: null }, 'corridor');
  }
}

/** A kernel with packet memory, netdev and the above. */
export async function frameHost(world: World, name: string): Promise<Kernel> {
  const kernel = new Kernel({ world, name });
  for (const source of [SkbModule, NetdevModule, FramesModule]) await world.run(kernel.load(source));
  return kernel;
}

/** `ip link add NAME type KIND`, up. @throws NetError EOPNOTSUPP. */
export async function addDevice(kernel: Kernel, kind: string, name: string, options: object): Promise<NetDevice> {
  const found = kernel.contributions(DeviceKind).items.findLast((each) => each.kind === kind);
  if (found === undefined) throw new NetError('EOPNOTSUPP', `no module makes devices of kind ${kind}`);
  const device = await found.create(name, options, { name: 'ip' });
  kernel.port(Devices).current.open(device);
  return device;
}

/** Drop reasons that have a count. */
export function drops(kernel: Kernel): Record<string, number> {
  return Object.fromEntries(kernel.dropReasons().flatMap(({ name, count }) => (count > 0 ? [[name, count]] : [])));
}

/** Packets of a kernel that are out. */
export function skbsOut(kernel: Kernel): number {
  return kernel.holders('skb').reduce((sum, { count }) => sum + count, 0);
}

/** `lenBytes` bytes that say which frame it is, in the first four. */
export function numbered(number: number, lenBytes: number): Uint8Array {
  const bytes = Uint8Array.from({ length: lenBytes }, (_, i) => (number * 7 + i) & 0xff);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

export function numberOf(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0);
}
