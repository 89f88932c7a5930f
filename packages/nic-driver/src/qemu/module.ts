import type { Counter, ModuleContext, NetDevice, Owner, SoftnetModule } from '@softnet/contract';
import { DEVICE_FEATURE, DeviceKind, Devices, DeviceTraffic, Module, one, SkbPool } from '@softnet/contract';
import type { DeviceSpec } from '../driver/device-spec.ts';
import { macOption } from '../driver/device-spec.ts';
import { DriverDevices } from '../driver/driver-devices.ts';
import { mtuOption, onlyOptions } from '../driver/options.ts';
import { Turns } from '../driver/turns.ts';
import type { QemuHost } from './device.ts';
import { QemuDriver } from './device.ts';
import type { Endpoint } from './endpoint.ts';
import { checkEndpoint } from './endpoint.ts';
import { FRAME_LIMIT_BYTES } from './framing.ts';
import { StreamLink } from './stream-link.ts';

/** What `create` of the kind 'qemu' takes. */
export interface QemuOptions extends Endpoint {
  /** 68 to 65,521; default 1,500. */
  readonly mtuBytes?: number;
  /** MAC address: '02:00:00:00:00:01' or six bytes. Default: by chance. */
  readonly address?: string | Uint8Array;
}

const OPTIONS = ['path', 'port', 'host', 'stream', 'listen', 'reconnect', 'mtuBytes', 'address'] as const;
const MAX_MTU_BYTES = 65_521;

/**
 * The other end of a NIC of QEMU: `-netdev stream,id=net0,server=on,addr.type=unix,addr.path=PATH`, or `server=off` with `listen`. No
 * root needed.
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
  readonly #beginning = new Set<StreamLink>();

  start(ctx: ModuleContext): void {
    this.#connections = ctx.counter('qemu.connections');
    const host = this.#makeHost(ctx);
    this.#devices = new DriverDevices(ctx, {
      kind: 'qemu',
      removable: true,
      drive: (device, outside) => new QemuDriver(host, device, outside as StreamLink),
      adopted: (_device, driver) => (driver as QemuDriver).begin(),
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
    const mtuBytes = mtuOption('qemu', options.mtuBytes, MAX_MTU_BYTES);
    const address = macOption('qemu', options.address);
    const link = new StreamLink(options);
    if (options.reconnect !== true) await this.#begin(link);
    const spec = { name, mtuBytes, maxMtuBytes: MAX_MTU_BYTES, address, features: DEVICE_FEATURE.SCATTER };
    const device = this.#add(spec, link, owner);
    (device.ext as QemuDriver).begin();
    if (link.connected) this.#connections.value++;
    return device;
  }

  async #begin(link: StreamLink): Promise<void> {
    this.#beginning.add(link);
    try {
      await link.begin();
    } finally {
      this.#beginning.delete(link);
    }
  }

  /** The link is closed where there can be no device: the module may have begun to leave meanwhile. */
  #add(spec: DeviceSpec, link: StreamLink, owner: Owner): NetDevice {
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
      inform: (message, fields) => ctx.log.info(message, fields),
    };
  }
}
