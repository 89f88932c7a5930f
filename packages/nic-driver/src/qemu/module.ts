import type { Counter, ModuleContext, NetDevice, Owner, SoftnetModule } from '@softnet/contract';
import { DEVICE_FEATURE, DeviceKind, Devices, DeviceTraffic, Module, one, SkbPool } from '@softnet/contract';
import type { DeviceSpec } from '../driver/device-spec.ts';
import { macOption } from '../driver/device-spec.ts';
import { DriverDevices } from '../driver/driver-devices.ts';
import { mtuOption, onlyOptions } from '../driver/options.ts';
import { Turns } from '../driver/turns.ts';
import { DatagramDriver } from './datagram-device.ts';
import { DatagramLink, MAX_DATAGRAM_BYTES } from './datagram-link.ts';
import type { QemuHost } from './device.ts';
import { QemuDriver } from './device.ts';
import type { Endpoint } from './endpoint.ts';
import { checkEndpoint } from './endpoint.ts';
import { FRAME_LIMIT_BYTES } from './framing.ts';
import { StreamLink } from './stream-link.ts';

/** What `create` of the kind 'qemu' takes. */
export interface QemuOptions extends Endpoint {
  /** 68 to 65,521, of datagrams to 65,489; default 1,500. */
  readonly mtuBytes?: number;
  /** MAC address: '02:00:00:00:00:01' or six bytes. Default: by chance. */
  readonly address?: string | Uint8Array;
}

const OPTIONS = ['path', 'port', 'host', 'stream', 'local', 'remote', 'listen', 'reconnect', 'stallMs', 'mtuBytes', 'address'] as const;
const MAX_MTU_BYTES = 65_521;
/** With an Ethernet header and a VLAN tag it is the longest datagram. */
const MAX_DATAGRAM_MTU_BYTES = MAX_DATAGRAM_BYTES - 18;

type Link = StreamLink | DatagramLink;

/**
 * The other end of a NIC of QEMU: `-netdev stream,id=net0,server=on,addr.type=unix,addr.path=PATH`, or `server=off` with `listen`;
 * `-netdev dgram` with `local` and `remote`. No root needed.
 */
@Module({
  name: 'qemu',
  version: '1.0.0',
  summary: "Ethernet with a guest of QEMU, or whoever speaks its stream sockets' framing",
  requires: [one(Devices), one(DeviceTraffic), one(SkbPool)],
  provides: [DeviceKind],
  realTime: true,
})
export class QemuModule implements SoftnetModule {
  #devices!: DriverDevices;
  #connections!: Counter;
  /** Links of no device yet. */
  readonly #beginning = new Set<Link>();

  start(ctx: ModuleContext): void {
    this.#connections = ctx.counter('qemu.connections');
    const host = this.#makeHost(ctx);
    this.#devices = new DriverDevices(ctx, {
      kind: 'qemu',
      removable: true,
      drive: (device, outside) => drive(host, device, outside as Link),
      adopted: (_device, driver) => (driver as QemuDriver | DatagramDriver).begin(),
    });
    ctx.contribute(DeviceKind, { kind: 'qemu', create: (name, options, owner) => this.#create(name, options, owner) }, 'door');
  }

  /** An attempt to connect may hang for minutes. */
  stop(): void {
    for (const link of this.#beginning) link.close();
  }

  async #create(name: string, options: QemuOptions, owner: Owner): Promise<NetDevice> {
    onlyOptions('qemu', options, OPTIONS);
    checkEndpoint(options);
    const link = options.local === undefined ? new StreamLink(options) : new DatagramLink(options);
    const maxMtuBytes = link.sort === 'stream' ? MAX_MTU_BYTES : MAX_DATAGRAM_MTU_BYTES;
    const mtuBytes = mtuOption('qemu', options.mtuBytes, maxMtuBytes);
    const address = macOption('qemu', options.address);
    if (options.reconnect !== true) await this.#begin(link);
    const device = this.#add({ name, mtuBytes, maxMtuBytes, address, features: DEVICE_FEATURE.SCATTER }, link, owner);
    (device.ext as QemuDriver | DatagramDriver).begin();
    if (link.sort === 'stream' && link.connected) this.#connections.value++;
    return device;
  }

  async #begin(link: Link): Promise<void> {
    this.#beginning.add(link);
    try {
      await link.begin();
    } finally {
      this.#beginning.delete(link);
    }
  }

  /** The link is closed where there can be no device: the module may have begun to leave meanwhile. */
  #add(spec: DeviceSpec, link: Link, owner: Owner): NetDevice {
    try {
      return this.#devices.add(spec, link, owner, 'qemu.create');
    } catch (error) {
      link.close();
      throw error;
    }
  }

  #makeHost(ctx: ModuleContext): QemuHost {
    const turns = new Turns((source) => ctx.poll(source, 'qemu.read'));
    return {
      pool: ctx.port(SkbPool),
      connections: this.#connections,
      reasons: {
        lyingLength: ctx.dropReason(
          'qemu.lying-length',
          `a peer announced a frame of more than ${FRAME_LIMIT_BYTES} bytes; its stream is lost`,
        ),
        cutOff: ctx.dropReason('qemu.cut-off', 'a peer went in the middle of a frame'),
        stalled: ctx.dropReason('qemu.stalled', 'a peer began a frame, and took longer than stallMs for the rest; its stream is lost'),
        empty: ctx.dropReason('qemu.empty', 'a datagram of no bytes, which is no frame'),
        refused: ctx.dropReason('qemu.refused', 'the host says that nobody hears datagrams there, or that it cannot send them'),
        tooLong: ctx.dropReason('qemu.too-long', "a frame is longer than the device's MTU and an Ethernet header with a VLAN tag"),
        unconnected: ctx.dropReason('qemu.unconnected', 'sent while no peer is connected'),
        down: ctx.dropReason('qemu.down', 'received by a device that is down'),
      },
      received: (device, skb) => this.#devices.received(device.rxQueues[0]!, skb),
      sent: (queue, packets, bytes) => this.#devices.sent(queue, packets, bytes),
      completed: (queue, packets, bytes) => this.#devices.completed(queue, packets, bytes),
      wake: (queue) => this.#devices.wake(queue),
      setCarrier: (device, on) => this.#devices.setCarrier(device, on),
      ask: (taker) => turns.ask(taker),
      forget: (taker) => turns.forget(taker),
      timerFor: (driver) => ctx.timer((of: QemuDriver) => of.tryAgain(), driver, 'qemu.reconnect'),
      stallTimerFor: (driver) => ctx.timer((of: QemuDriver) => of.tooLate(), driver, 'qemu.stall'),
      inform: (message, fields) => ctx.log.info(message, fields),
    };
  }
}

/** By its sort: a bundle has classes of its own. */
function drive(host: QemuHost, device: NetDevice, link: Link): QemuDriver | DatagramDriver {
  return link.sort === 'stream' ? new QemuDriver(host, device, link) : new DatagramDriver(host, device, link);
}
