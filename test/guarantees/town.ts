import type { ModuleContext, Objects, Owner, SoftnetModule, Tally, Timer } from '@softnet/contract';
import { definePoint, defineService, Held, Module, NetError, one, some } from '@softnet/contract';
import { held } from './inn.ts';

/**
 * The smallest modules that have every object of docs/architecture.md's table, and manage them as the protocols of the
 * coming issues will: a device, two network layers, a transport. No bytes move; what stands here is who holds what.
 */

export class Device extends Held {
  carrier = true;
}
/** What a dst holds of its device. */
class DeviceUse extends Held {}
class Address extends Held {}
class Neighbour extends Held {}
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
const Addresses4 = defineService<Addresses>({ name: 'Addresses4', version: '1.0.0', errno: 'EAFNOSUPPORT' });

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

/** The two layers differ in family and name. */
class LayerModule implements SoftnetModule {
  readonly #family: 4 | 6;

  constructor(family: 4 | 6) {
    this.#family = family;
  }

  start(ctx: ModuleContext): void {
    const addresses: Objects<Address> = ctx.objects<Address>('address', { drain: 'keep', close: (address) => addresses.release(address) });
    const neighbours: Objects<Neighbour> = ctx.objects<Neighbour>('neighbour', { drain: 'keep', close: (one) => neighbours.release(one) });
    const dsts: Objects<DstUse> = ctx.objects<DstUse>('dst-use', {
      drain: 'wait',
      close: (dst) => dsts.release(dst),
      ended: (dst) => {
        dst.ended = true;
      },
    });
    const halves: Objects<Half> = ctx.objects<Half>('listener-half', {
      drain: 'park',
      park: (half) => {
        half.parked = true;
      },
      resume: (half) => {
        half.parked = false;
      },
      close: (half) => halves.release(half),
    });
    const link = ctx.port(Link);
    const addressDoor = this.#family === 6 ? Addresses6 : Addresses4;
    ctx.door(addressDoor, { add: () => held(addresses, new Address(), ctx, 'layer.address') });
    const route: Layer['route'] = (holder, device) => {
      const dst = new DstUse();
      dsts.derive(dst, holder, 'layer.route');
      held(neighbours, new Neighbour(), ctx, 'layer.neighbour');
      if (device !== null) link.current.use(device, dst);
      return dst;
    };
    const half: Layer['half'] = (listener) => {
      const made = new Half(this.#family);
      halves.derive(made, listener, 'layer.half');
      return made;
    };
    ctx.contribute(Layer, { family: this.#family, route, half }, 'corridor');
  }
}

@Module({ name: 'layer4', version: '1.0.0', requires: [one(Link)], provides: [Layer, Addresses4] })
export class Layer4 extends LayerModule {
  constructor() {
    super(4);
  }
}

@Module({ name: 'layer6', version: '1.0.0', requires: [one(Link)], provides: [Layer, Addresses6] })
export class Layer6 extends LayerModule {
  constructor() {
    super(6);
  }
}

/** What programs call. */
export interface Sockets {
  listen(owner: Owner, families: readonly (4 | 6)[]): Sock;
  datagram(owner: Owner, family: 4 | 6): Sock;
  connect(owner: Owner, family: 4 | 6, device?: Device): Sock;
}
export const Sockets = defineService<Sockets>({ name: 'Sockets', version: '1.0.0' });

/** What those inside do. */
export interface Transport {
  /** A connection request comes in. Null: silently dropped. */
  incoming(listener: Sock, family: 4 | 6): Sock | null;
  accept(listener: Sock, owner: Owner): Sock | undefined;
  send(sock: Sock): void;
  /** Users close; a connection leaves a TIME-WAIT of 60 s. */
  close(sock: Sock): Sock | null;
}
export const Transport = defineService<Transport>({ name: 'Transport', version: '1.0.0' });

const TIME_WAIT_US = 60_000_000;

@Module({ name: 'transport', version: '1.0.0', requires: [some(Layer)], provides: [Sockets, Transport] })
export class TransportModule implements SoftnetModule {
  #ctx!: ModuleContext;
  #listeners!: Objects<Sock>;
  #socks!: Objects<Sock>;

  start(ctx: ModuleContext): void {
    this.#ctx = ctx;
    this.#listeners = ctx.objects<Sock>('listener', {
      drain: 'park',
      park: (sock) => {
        sock.parked = true;
      },
      resume: (sock) => {
        sock.parked = false;
      },
      close: (sock, why) => this.#end(sock, why),
    });
    this.#socks = ctx.objects<Sock>('sock', { drain: 'wait', close: (sock, why) => this.#end(sock, why), describe: ({ sort }) => sort });
    const layer = (family: 4 | 6): Layer => {
      const found = ctx.contributions(Layer).items.find((each) => each.family === family);
      if (found === undefined) throw new NetError('EAFNOSUPPORT', `no layer of family ${family}`);
      return found;
    };
    ctx.door(Sockets, {
      listen: (owner, families) => {
        const sock = held(this.#listeners, new Sock('listener'), owner, 'transport.listen');
        sock.halves = families.map((family) => layer(family).half(sock));
        return sock;
      },
      datagram: (owner, family) => this.#open('datagram', owner, (sock) => layer(family).route(sock, null)),
      connect: (owner, family, device = undefined) => this.#open('connection', owner, (sock) => layer(family).route(sock, device ?? null)),
    });
    ctx.corridor(Transport, this.#inside(layer));
  }

  #inside(layer: (family: 4 | 6) => Layer): Transport {
    return {
      incoming: (listener, family) => {
        const half = listener.halves.find((each) => each.family === family && each.holdNext !== null);
        if (listener.holdNext === null || listener.parked || half === undefined || half.parked) return null;
        const child = this.#open('connection', listener.holdOwner as Owner, (sock) => layer(family).route(sock, null));
        listener.queue.push(child);
        return child;
      },
      accept: (listener, owner) => {
        const child = listener.queue.shift();
        if (child !== undefined) child.holdOwner = owner;
        return child;
      },
      send: (sock) => (sock.sort === 'listener' ? this.#listeners : this.#socks).check(sock),
      close: (sock) => {
        if (sock.sort === 'connection') return this.#timeWait(sock);
        this.#end(sock, null);
        return null;
      },
    };
  }

  #open(sort: Sock['sort'], owner: Owner, route: (sock: Sock) => DstUse): Sock {
    const sock = held(this.#socks, new Sock(sort), owner, `transport.${sort}`);
    sock.dst = route(sock);
    sock.timer = this.#ctx.timer((each) => void each.fired++, sock, 'transport.retransmit');
    sock.timer.arm(1000);
    return sock;
  }

  /** RFC 9293 §3.3.2: it is there after the connection, also when nobody new may come in. */
  #timeWait(connection: Sock): Sock {
    connection.timer?.cancel();
    const sock = new Sock('time-wait');
    this.#socks.succeed(sock, connection, 'transport.time-wait');
    sock.timer = this.#ctx.timer((each) => this.#end(each, null), sock, 'transport.time-wait');
    sock.timer.arm(TIME_WAIT_US);
    return sock;
  }

  #end(sock: Sock, why: NetError | null): void {
    sock.closedBy = why;
    sock.resetSent = why !== null && sock.sort === 'connection';
    sock.timer?.cancel();
    for (const child of sock.queue.splice(0))
      if (child.holdNext !== null) this.#end(child, why ?? new NetError('ECONNRESET', 'its listener was closed'));
    (sock.sort === 'listener' ? this.#listeners : this.#socks).release(sock);
  }
}
