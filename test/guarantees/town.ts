import {
  definePoint,
  defineService,
  Held,
  Module,
  type ModuleContext,
  type NetError,
  type Objects,
  type Owner,
  type SoftnetModule,
  some,
  type Tally,
  type Timer,
} from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { virtualKernel } from './inn.ts';

/**
 * The smallest modules that have every object of docs/architecture.md's table, and manage them as the protocols of the
 * coming issues will: a device, two network layers, a transport. No bytes move; what stands here is who holds what.
 */

/** One packet on its way in: true when somebody took it. */
type Packet = { readonly family: 4 | 6; readonly port: number };

export class Device extends Held {
  carrier = true;
}
/** What a dst holds of its device. */
export class DeviceUse extends Held {}
export class Address extends Held {}
export class Neighbour extends Held {}
/** A dst that a socket keeps. */
export class DstUse extends Held {
  ended = false;
}
/** A listener's hold on one family. */
export class Half extends Held {
  readonly family: 4 | 6;
  parked = false;

  constructor(family: 4 | 6) {
    super();
    this.family = family;
  }
}
export class Sock extends Held {
  readonly sort: 'listener' | 'connection' | 'datagram' | 'time-wait';
  parked = false;
  halves: Half[] = [];
  queue: Sock[] = [];
  dst: DstUse | null = null;
  timer: Timer | null = null;
  fired = 0;
  resetSent = false;
  closedBy: NetError | null = null;

  constructor(sort: Sock['sort']) {
    super();
    this.sort = sort;
  }
}

export interface DeviceDoor {
  create(owner: Owner): Device;
}
export const DeviceDoor = defineService<DeviceDoor>({ name: 'DeviceDoor', version: '1.0.0' });
export interface Link {
  readonly queued: Tally;
  use(device: Device, holder: Held): void;
}
export const Link = defineService<Link>({ name: 'Link', version: '1.0.0' });

/** To which the layers contribute. */
export interface Layer {
  readonly family: 4 | 6;
  /** A dst for an existing holder; it brings a neighbour, and a use of the device. */
  route(holder: Held, device: Device | null): DstUse;
  /** A listener's half of this family. */
  half(listener: Sock): Half;
}
export const Layer = definePoint<Layer>({ name: 'Layer', version: '1.0.0' });
export interface Addresses {
  add(): Address;
}
export const Addresses6 = defineService<Addresses>({ name: 'Addresses6', version: '1.0.0', errno: 'EAFNOSUPPORT' });
export const Addresses4 = defineService<Addresses>({ name: 'Addresses4', version: '1.0.0', errno: 'EAFNOSUPPORT' });

@Module({ name: 'device', version: '1.0.0', provides: [DeviceDoor, Link] })
export class DeviceModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const devices: Objects<Device> = ctx.objects<Device>('device', {
      drain: 'keep',
      close: (device) => {
        device.carrier = false;
        devices.release(device);
      },
    });
    const uses: Objects<DeviceUse> = ctx.objects<DeviceUse>('device-use', { drain: 'wait', close: (use) => uses.release(use) });
    ctx.door(DeviceDoor, { create: (owner) => held(devices, new Device(), owner, 'device.create') });
    ctx.corridor(Link, {
      queued: ctx.tally('skb', 'device.qdisc'),
      use: (device, holder) => {
        devices.check(device);
        uses.derive(new DeviceUse(), holder, 'device.use');
      },
    });
  }
}

abstract class LayerModule implements SoftnetModule {
  abstract readonly family: 4 | 6;
  neighbours!: Objects<Neighbour>;
  addresses!: Objects<Address>;

  start(ctx: ModuleContext): void {
    const { family } = this;
    this.addresses = ctx.objects<Address>('address', { drain: 'keep', close: (address) => this.addresses.release(address) });
    this.neighbours = ctx.objects<Neighbour>('neighbour', { drain: 'keep', close: (neighbour) => this.neighbours.release(neighbour) });
    const dsts: Objects<DstUse> = ctx.objects<DstUse>('dst-use', {
      drain: 'wait',
      close: (dst) => dsts.release(dst),
      ended: (dst) => {
        dst.ended = true;
      },
    });
    const halves: Objects<Half> = ctx.objects<Half>('listener-half', {
      drain: 'park',
      park: (half) => void (half.parked = true),
      resume: (half) => void (half.parked = false),
      close: (half) => halves.release(half),
    });
    const link = ctx.port(Link);
    ctx.door(family === 6 ? Addresses6 : Addresses4, { add: () => held(this.addresses, new Address(), ctx, 'layer.address') });
    const route: Layer['route'] = (holder, device) => {
      const dst = new DstUse();
      dsts.derive(dst, holder, 'layer.route');
      if (this.neighbours.open) this.neighbours.hold(new Neighbour(), ctx, 'layer.neighbour');
      if (device !== null) link.current.use(device, dst);
      return dst;
    };
    const half: Layer['half'] = (listener) => {
      const made = new Half(family);
      halves.derive(made, listener, 'layer.half');
      return made;
    };
    ctx.contribute(Layer, { family, route, half }, 'corridor');
  }
}
