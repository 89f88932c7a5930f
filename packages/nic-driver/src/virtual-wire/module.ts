import type { ModuleContext, NetDevice, Owner, SoftnetModule } from '@softnet/contract';
import {
  DEVICE_FEATURE,
  DEVICE_FLAG,
  DeviceKind,
  Devices,
  DeviceTraffic,
  HeaderSplit,
  Module,
  NetError,
  one,
  SkbPool,
  SkbPools,
} from '@softnet/contract';
import { ReceiveBuffers, ReceiveCounters } from '@softnet/skb';
import type { DeviceDriver } from '../driver/device-driver.ts';
import { memoryOption } from '../driver/device-memory.ts';
import { macOption } from '../driver/device-spec.ts';
import { DriverDevices } from '../driver/driver-devices.ts';
import { mtuOption, onlyOptions } from '../driver/options.ts';
import type { Cable, CableEnd } from './cable.ts';
import { FrameLauncher } from './frame-launcher.ts';
import { OFFLOADS } from './offloads.ts';
import type { WireHost } from './wire-port.ts';
import { WirePort } from './wire-port.ts';

/** Options of `DeviceKind.create` of kind 'wire'. */
export interface WireOptions {
  readonly cable: Cable;
  /** Default: the one that is free. */
  readonly end?: 0 | 1;
  /** '02:00:00:00:00:01'. Default: by chance. */
  readonly address?: string | Uint8Array;
  /** 68 to 65,535; default 1,500. */
  readonly mtuBytes?: number;
  /** Transmit queues, and receive queues: 1 to 16 of each; default 1. Later: `ethtool -L`. */
  readonly queues?: number;
  /**
   * `priority` of each queue, 0 to 15, of both sorts; default all 0. A shard has one queue of each priority: with [0, 0, 7, 7], shard 1
   * has the second and the fourth.
   */
  readonly priorities?: readonly number[];
  /**
   * Bursts (`gsoSize`) and unfinished checksums cross whole to another end that offloads too. Default no: what is on the wire are
   * honest frames with right checksums. Later: `ethtool -K`.
   */
  readonly offloads?: boolean;
  /**
   * It hears groups only that somebody has joined (`LinkGroups`), as a card does; default no: all, as Linux's veth. What joins none there (IPv6 as yet, devices
   * stacked on it) wants ALLMULTI.
   */
  readonly filters?: boolean;
  /** Packet memory of the device's own for what it receives, small buffers and pages. Default none: the shared pool. */
  readonly buffers?: number;
  readonly pages?: number;
}

const MAX_MTU_BYTES = 65535;
const MAX_QUEUES = 16;
/** As many frames as a transmit ring has room for at most: a cable takes no more anyway. */
const SEND_FRAMES = 65536;

const MULTI_QUEUE: number = DEVICE_FEATURE.RX_HASH | DEVICE_FEATURE.FLOW_STEERING;
/** What may be switched on and off. */
const HARDWARE: number = OFFLOADS | MULTI_QUEUE | DEVICE_FEATURE.VLAN_TX | DEVICE_FEATURE.HEADER_SPLIT | DEVICE_FEATURE.GRO;

/** Devices that are joined by cables: virtual Ethernet links, between kernels or in one. */
@Module({
  name: 'wire',
  version: '1.0.0',
  summary: 'virtual links: rate, delay, loss, duplication, reordering, corruption',
  requires: [one(Devices), one(DeviceTraffic), one(HeaderSplit), one(SkbPool), one(SkbPools)],
  provides: [DeviceKind],
})
export class WireModule implements SoftnetModule {
  #devices!: DriverDevices;

  start(ctx: ModuleContext): void {
    const drive = (device: NetDevice, end: object | null): DeviceDriver => new WirePort(host, device, end as CableEnd);
    this.#devices = new DriverDevices(ctx, {
      kind: 'wire',
      removable: true,
      channels: true,
      classifies: true,
      drive,
      adopted: (device, port) => (port as WirePort).resume((device.flags & DEVICE_FLAG.UP) !== 0),
    });
    const pool = ctx.port(SkbPool);
    const counters = new ReceiveCounters((name) => ctx.counter(name));
    const split = ctx.port(HeaderSplit);
    const reasons = {
      noCarrier: ctx.dropReason('wire.no-carrier', 'the other end of the cable is in no device that is up, or the cable is cut'),
      lost: ctx.dropReason('wire.lost', 'the cable lost it, as it was told to (loss)'),
      filtered: ctx.dropReason('wire.filtered', 'to a group that the device does not listen to'),
      cut: ctx.dropReason('wire.cut', 'under way when the cable was cut, or the device went down'),
      tooLong: ctx.dropReason('wire.too-long', 'longer than the MTU of the device at the other end'),
      burst: ctx.dropReason('wire.burst', 'several frames in one, for another end that takes no bursts (any more)'),
      unfinished: ctx.dropReason('wire.unfinished', 'there was no memory to write its VLAN tag or its checksum'),
      noMemory: ctx.dropReason('wire.no-memory', 'the kernel at the other end has no packet memory left'),
    };
    const host: WireHost = {
      devices: this.#devices,
      pool,
      pools: ctx.port(SkbPools),
      buffers: (source) => new ReceiveBuffers(source, split, ctx.current, counters),
      clock: ctx.clock,
      current: ctx.current,
      launcher: new FrameLauncher(pool, reasons),
      timer: (fire, port, place) => ctx.timer(fire, port, place),
      reasons,
    };
    ctx.contribute(DeviceKind, { kind: 'wire', create: (name, options, owner) => this.#create(name, options, owner) }, 'door');
  }

  #create(name: string, options: Partial<WireOptions>, owner: Owner): NetDevice {
    onlyOptions('wire', options, [
      'cable',
      'end',
      'address',
      'mtuBytes',
      'queues',
      'priorities',
      'offloads',
      'filters',
      'buffers',
      'pages',
    ]);
    const queues = queuesOption(options);
    const features = DEVICE_FEATURE.SCATTER | (queues > 1 ? MULTI_QUEUE : 0) | (options.offloads === true ? OFFLOADS : 0);
    const spec = {
      name,
      address: macOption('wire', options.address),
      mtuBytes: mtuOption('wire', options.mtuBytes, MAX_MTU_BYTES),
      maxMtuBytes: MAX_MTU_BYTES,
      features,
      hardwareFeatures: HARDWARE,
      rxQueues: queues,
      txQueues: queues,
      maxRxQueues: MAX_QUEUES,
      maxTxQueues: MAX_QUEUES,
      priorities: options.priorities ?? [],
      sendFrames: SEND_FRAMES,
    };
    const end = endOf(options);
    end.memory = memoryOption('wire', options);
    end.filters = options.filters === true;
    return this.#devices.add(spec, end, owner, 'wire.create');
  }
}

function queuesOption({ queues = 1, priorities }: Partial<WireOptions>): number {
  if (!Number.isInteger(queues) || queues < 1 || queues > MAX_QUEUES) {
    throw new NetError('EINVAL', `wire: queues takes 1 to ${MAX_QUEUES}, got ${String(queues)}`);
  }
  const isPriority = (each: unknown): boolean => Number.isInteger(each) && (each as number) >= 0 && (each as number) <= 15;
  if (priorities !== undefined && (priorities.length !== queues || !priorities.every(isPriority))) {
    throw new NetError('EINVAL', `wire: priorities takes one of 0 to 15 for each of the ${queues} queues, got ${String(priorities)}`);
  }
  return queues;
}

/** By its shape: a bundle has a class of its own. */
function endOf({ cable, end }: Partial<WireOptions>): CableEnd {
  if (cable?.sort !== 'softnet:cable')
    throw new NetError('EINVAL', `wire: cable takes a Cable (new Cable({ delayUs: 100 })), got ${String(cable)}`);
  if (end !== undefined && end !== 0 && end !== 1) throw new NetError('EINVAL', `wire: end takes 0 or 1, got ${String(end)}`);
  if (end !== undefined) return cable.ends[end];
  const free = cable.ends.find(({ port }) => port === null);
  if (free === undefined) throw new NetError('EBUSY', `wire: both ends of ${cable.name} are plugged in already`);
  return free;
}
