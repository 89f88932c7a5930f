import type { Counter, ModuleContext, NetDevice, Owner, SoftnetModule } from '@softnet/contract';
import {
  DEVICE_FEATURE,
  DEVICE_FLAG,
  DeviceKind,
  Devices,
  DeviceTraffic,
  LINK_TYPE,
  Module,
  NetError,
  one,
  SkbPool,
} from '@softnet/contract';
import { rawLink } from '@softnet/wire';
import type { Libc } from '../descriptor/libc.ts';
import { loadLibc } from '../descriptor/libc.ts';
import type { DeviceSpec } from '../driver/device-spec.ts';
import { macOption, randomMac } from '../driver/device-spec.ts';
import { DriverDevices } from '../driver/driver-devices.ts';
import { mtuOption, onlyOptions } from '../driver/options.ts';
import { Turns } from '../driver/turns.ts';
import { sameAddress, TapDriver } from './device.ts';
import { LONGEST_BYTES } from './frame-reader.ts';
import { checkInterfaceName } from './ifreq.ts';
import type { TapHost, TapReasons } from './tap-host.ts';
import type { TunFile } from './tun-file.ts';
import { openTun } from './tun-file.ts';

/** What `create` of the kinds 'tap' and 'tun' takes. */
export interface TapOptions {
  /** Of Linux's end, made where it is not there; may end in '%d'. Default: the device's own name. */
  readonly ifname?: string;
  /** Of our end, 68 to 65,521 (tap) or 65,535 (tun). Default 1,500, as on Linux's end. */
  readonly mtuBytes?: number;
  /** Of a tap: our end's MAC address, another one than Linux's: '02:00:00:00:00:01' or six bytes. Default: by chance. */
  readonly address?: string | Uint8Array;
  /** Pairs of queues, 1 to 8, of an interface that can have several (`multi_queue`). Default: one, and it cannot. */
  readonly queues?: number;
  /** Checksums and bursts are left to Linux, and taken from it. Default: on. */
  readonly vnetHeader?: boolean | 'on' | 'off';
}

const { GSO_TCPV4, GSO_TCPV6, GSO_TCP_ECN, GSO_UDP, RX_CHECKSUM, RX_GSO, SCATTER, TX_CHECKSUM } = DEVICE_FEATURE;
/** Linux's own limits (`MAX_MTU` of its tun driver): 65,535 less the link header. */
const MAX_MTU_BYTES = Object.freeze({ tap: 65_521, tun: 65_535 });
const MAX_QUEUES = 8;
/** Bursts of any number of packets. */
const MAX_SEGS = 65_535;

/**
 * TAP and TUN: our end of an interface of the Linux that runs this process. What Linux sends there arrives here, and the other way
 * round: Ethernet frames, or IP packets. Linux's end is Linux's: `ip link set NAME up`, `ip addr add ...` are up to its administrator.
 */
@Module({
  name: 'tap',
  version: '1.0.0',
  summary: 'Ethernet or IP with the Linux that this process runs on, through /dev/net/tun',
  requires: [one(Devices), one(DeviceTraffic), one(SkbPool)],
  provides: [DeviceKind],
  realTime: true,
})
export class TapModule implements SoftnetModule {
  #ctx!: ModuleContext;
  #devices!: DriverDevices;
  #libc: Promise<Libc> | null = null;
  #host: TapHost | null = null;
  #turns!: Turns;
  #reasons!: TapReasons;
  #deleted!: Counter;

  start(ctx: ModuleContext): void {
    this.#ctx = ctx;
    this.#turns = new Turns((source) => ctx.poll(source, 'tap.read'));
    this.#devices = new DriverDevices(ctx, {
      kind: 'tap',
      removable: true,
      channels: true,
      drive: (device, outside) => this.#drive(device, outside as TunFile),
      adopted: (_device, driver) => (driver as TapDriver).adopt(),
    });
    this.#deleted = ctx.counter('tap.deleted');
    this.#reasons = {
      tooLong: ctx.dropReason('tap.too-long', "a received frame is longer than the device's MTU and an Ethernet header with a VLAN tag"),
      truncated: ctx.dropReason('tap.truncated', 'a read gave no frame: nothing, or not even the header before it'),
      header: ctx.dropReason('tap.vnet-header', 'the virtio_net_hdr says what cannot be of the frame behind it'),
      unplugged: ctx.dropReason('tap.unplugged', "sent while Linux's end is down or deleted"),
      refused: ctx.dropReason(
        'tap.refused',
        'Linux refused a frame, or it is a burst of a sort that cannot be said to it: see its tun driver',
      ),
    };
    for (const kind of ['tap', 'tun'] as const) {
      ctx.contribute(DeviceKind, { kind, create: (name, options, owner) => this.#create(kind, name, options, owner) }, 'door');
    }
  }

  async #create(kind: 'tap' | 'tun', name: string, options: TapOptions, owner: Owner): Promise<NetDevice> {
    onlyOptions(kind, options, ['ifname', 'mtuBytes', ...(kind === 'tap' ? ['address'] : []), 'queues', 'vnetHeader']);
    const ifname = checkInterfaceName(options.ifname ?? name);
    const mtuBytes = mtuOption(kind, options.mtuBytes, MAX_MTU_BYTES[kind]);
    const wanted = macOption(kind, options.address);
    const wish = { kind, queues: queuesOption(kind, options.queues), vnetHeader: switchOption(kind, 'vnetHeader', options.vnetHeader) };
    // Loaded for the first device: the module may be there where no TAP can be.
    this.#libc ??= loadLibc({ name: 'tap', instead: 'qemu or wire' });
    const tun = openTun(await this.#libc, ifname, wish);
    try {
      return this.#devices.add({ name, mtuBytes, ...this.#specOf(tun, wanted) }, tun, owner, 'tap.create');
    } catch (error) {
      // Also where the module has begun to leave meanwhile.
      tun.close();
      throw error;
    }
  }

  #specOf(tun: TunFile, wanted: Uint8Array | null): Omit<DeviceSpec, 'name'> {
    const queues = tun.fds.length;
    const bursts = GSO_TCPV4 | GSO_TCPV6 | GSO_TCP_ECN | (tun.udpBursts ? GSO_UDP : 0);
    const features = tun.headerBytes === 0 ? SCATTER : SCATTER | TX_CHECKSUM | RX_CHECKSUM | bursts;
    const shared = {
      kind: tun.kind,
      maxMtuBytes: MAX_MTU_BYTES[tun.kind],
      features,
      // Received bursts are off by default: who has TCP, or passes them on to a device that takes them, switches them on.
      hardwareFeatures: features | (tun.headerBytes === 0 ? 0 : RX_GSO),
      txQueues: queues,
      rxQueues: queues,
    };
    if (tun.kind === 'tap') return { ...shared, address: this.#addressFor(tun, wanted) };
    const flags = DEVICE_FLAG.POINTOPOINT | DEVICE_FLAG.NOARP | DEVICE_FLAG.MULTICAST;
    return { ...shared, type: LINK_TYPE.NONE, link: rawLink, flags };
  }

  /** Two ends of one link with one address would not hear each other. */
  #addressFor(tun: TunFile, wanted: Uint8Array | null): Uint8Array {
    const theirs = tun.readAddress();
    let address = wanted ?? randomMac(this.#ctx.random);
    while (theirs !== null && sameAddress(theirs, address)) {
      if (wanted !== null) throw new NetError('EINVAL', `tap: Linux's end, ${tun.name}, has this address: give another one, or none`);
      address = randomMac(this.#ctx.random);
    }
    return address;
  }

  #drive(device: NetDevice, tun: TunFile): TapDriver {
    this.#host ??= this.#makeHost();
    device.gsoMaxBytes = LONGEST_BYTES;
    device.gsoMaxSegs = MAX_SEGS;
    return new TapDriver(this.#host, device, tun);
  }

  #makeHost(): TapHost {
    const devices = this.#devices;
    const turns = this.#turns;
    return {
      pool: this.#ctx.port(SkbPool),
      reasons: this.#reasons,
      deleted: this.#deleted,
      received: (queue, skb) => devices.received(queue, skb),
      sent: (queue, packets, bytes) => devices.sent(queue, packets, bytes),
      completed: (queue, packets, bytes) => devices.completed(queue, packets, bytes),
      wake: (queue) => devices.wake(queue),
      setCarrier: (device, on) => devices.setCarrier(device, on),
      ask: (queue) => turns.ask(queue),
      forget: (queue) => turns.forget(queue),
      warn: (message, fields) => this.#ctx.log.warn(message, fields),
    };
  }
}

/** 0: one, of an interface that can have no other. @throws NetError EINVAL. */
function queuesOption(kind: string, given: unknown): number {
  if (given === undefined) return 0;
  if (typeof given === 'number' && Number.isInteger(given) && given >= 1 && given <= MAX_QUEUES) return given;
  throw new NetError('EINVAL', `${kind}: queues takes 1 to ${MAX_QUEUES}, got ${String(given)}`);
}

/** On by default. @throws NetError EINVAL. */
function switchOption(kind: string, name: string, given: unknown): boolean {
  if (given === undefined || given === true || given === 'on') return true;
  if (given === false || given === 'off') return false;
  throw new NetError('EINVAL', `${kind}: ${name} is on or off, got ${String(given)}`);
}
