import type { Counter, ModuleContext, NetDevice, Owner, SoftnetModule } from '@softnet/contract';
import { DEVICE_FEATURE, DeviceKind, Devices, DeviceTraffic, HeaderSplit, Module, one, SkbPool } from '@softnet/contract';
import { ReceiveBuffers, ReceiveCounters } from '@softnet/skb';
import type { SocketLibc } from '../descriptor/libc.ts';
import { loadLibc } from '../descriptor/libc.ts';
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
import { checkEndpoint, hasDatagramPaths } from './endpoint.ts';
import { FRAME_LIMIT_BYTES } from './framing.ts';
import { StreamLink } from './stream-link.ts';
import { UnixDatagramDriver } from './unix-datagram-device.ts';
import { UnixDatagramLink } from './unix-datagram-link.ts';

/** What `create` of the kind 'qemu' takes. */
export interface QemuOptions extends Endpoint {
  /** 68 to 65,521, of UDP to 65,489; default 1,500. */
  readonly mtuBytes?: number;
  /** MAC address: '02:00:00:00:00:01' or six bytes. Default: by chance. */
  readonly address?: string | Uint8Array;
}

const OPTIONS = ['path', 'port', 'host', 'stream', 'local', 'remote', 'listen', 'reconnect', 'stallMs', 'mtuBytes', 'address'] as const;
const MAX_MTU_BYTES = 65_521;
/** With an Ethernet header and a VLAN tag it is the longest datagram. */
const MAX_DATAGRAM_MTU_BYTES = MAX_DATAGRAM_BYTES - 18;

type Link = StreamLink | DatagramLink | UnixDatagramLink;
type Driver = QemuDriver | DatagramDriver | UnixDatagramDriver;

/**
 * The other end of a NIC of QEMU: `-netdev stream,id=net0,server=on,addr.type=unix,addr.path=PATH`, or `server=off` with `listen`;
 * `-netdev dgram` with `local` and `remote`. No root needed.
 */
@Module({
  name: 'qemu',
  version: '1.0.0',
  summary: "Ethernet with a guest of QEMU, or whoever speaks its stream sockets' framing",
  requires: [one(Devices), one(DeviceTraffic), one(HeaderSplit), one(SkbPool)],
  provides: [DeviceKind],
  realTime: true,
})
export class QemuModule implements SoftnetModule {
  #devices!: DriverDevices;
  #connections!: Counter;
  #libc: Promise<SocketLibc> | null = null;
  /** Links of no device yet. */
  readonly #beginning = new Set<Link>();

  start(ctx: ModuleContext): void {
    this.#connections = ctx.counter('qemu.connections');
    const host = this.#makeHost(ctx);
    this.#devices = new DriverDevices(ctx, {
      kind: 'qemu',
      removable: true,
      drive: (device, outside) => drive(host, device, outside as Link),
      adopted: (_device, driver) => (driver as Driver).begin(),
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
    const unix = hasDatagramPaths(options);
    const maxMtuBytes = unix || options.local === undefined ? MAX_MTU_BYTES : MAX_DATAGRAM_MTU_BYTES;
    const mtuBytes = mtuOption('qemu', options.mtuBytes, maxMtuBytes);
    const address = macOption('qemu', options.address);
    const link = await this.#linkTo(options);
    if (options.reconnect !== true) await this.#begin(link);
    const features = DEVICE_FEATURE.SCATTER;
    // Who reads straight into packet memory does not know yet where headers end.
    const hardwareFeatures = unix ? features : features | DEVICE_FEATURE.HEADER_SPLIT;
    const device = this.#add({ name, mtuBytes, maxMtuBytes, address, features, hardwareFeatures }, link, owner);
    (device.ext as Driver).begin();
    if (link.sort !== 'datagram' && link.connected) this.#connections.value++;
    return device;
  }

  async #linkTo(options: QemuOptions): Promise<Link> {
    if (options.local === undefined) return new StreamLink(options);
    if (!hasDatagramPaths(options)) return new DatagramLink(options);
    // Loaded for the first such device: nothing else here wants it.
    this.#libc ??= loadLibc({ name: 'qemu by unix datagrams', instead: 'UDP (local and remote with ports) or a stream' });
    return new UnixDatagramLink(options, await this.#libc);
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
    const counters = new ReceiveCounters((name) => ctx.counter(name));
    return {
      pool: ctx.port(SkbPool),
      buffers: new ReceiveBuffers(ctx.port(SkbPool), ctx.port(HeaderSplit), ctx.current, counters),
      connections: this.#connections,
      reasons: {
        lyingLength: ctx.dropReason(
          'qemu.lying-length',
          `a peer announced a frame of more than ${FRAME_LIMIT_BYTES} bytes; its stream is lost`,
        ),
        cutOff: ctx.dropReason('qemu.cut-off', 'a peer went in the middle of a frame'),
        stalled: ctx.dropReason('qemu.stalled', 'a peer began a frame, and took longer than stallMs for the rest; its stream is lost'),
        empty: ctx.dropReason('qemu.empty', 'a datagram of no bytes, which is no frame'),
        full: ctx.dropReason('qemu.full', 'as many datagrams as may be wait for the softirq loop already'),
        refused: ctx.dropReason('qemu.refused', 'the host says that nobody hears datagrams there, or that it cannot send them'),
        tooLong: ctx.dropReason('qemu.too-long', "a frame is longer than the device's MTU and an Ethernet header with a VLAN tag"),
        unconnected: ctx.dropReason('qemu.unconnected', 'sent, or received, while no peer is connected'),
      },
      received: (device, skb) => this.#devices.received(device.rxQueues[0]!, skb),
      sent: (queue, packets, bytes) => this.#devices.sent(queue, packets, bytes),
      completed: (queue, packets, bytes) => this.#devices.completed(queue, packets, bytes),
      wake: (queue) => this.#devices.wake(queue),
      setCarrier: (device, on) => this.#devices.setCarrier(device, on),
      ask: (taker) => turns.ask(taker),
      forget: (taker) => turns.forget(taker),
      timerFor: (driver) => ctx.timer((of: { tryAgain(): void }) => of.tryAgain(), driver, 'qemu.reconnect'),
      stallTimerFor: (driver) => ctx.timer((of: QemuDriver) => of.tooLate(), driver, 'qemu.stall'),
      inform: (message, fields) => ctx.log.info(message, fields),
    };
  }
}

/** By its sort: a bundle has classes of its own. */
function drive(host: QemuHost, device: NetDevice, link: Link): Driver {
  switch (link.sort) {
    case 'stream':
      return new QemuDriver(host, device, link);
    case 'datagram':
      return new DatagramDriver(host, device, link);
    case 'unix-datagram':
      return new UnixDatagramDriver(host, device, link);
  }
}
