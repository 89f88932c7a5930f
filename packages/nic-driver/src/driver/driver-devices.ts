import type {
  Clock,
  CurrentOwner,
  Devices as DeviceRegistry,
  DropReason,
  Frozen,
  Held,
  ModuleContext,
  NetDevice,
  Objects,
  Owner,
  Port,
  Random,
  RxQueue,
  Skb,
  TxQueue,
} from '@softnet/contract';
import { Devices, DeviceTraffic, DstUse, NetError } from '@softnet/contract';
import { isGroupMac } from '@softnet/wire';
import type { DriverSpec } from './device-driver.ts';
import type { DeviceSpec } from './device-spec.ts';
import { DEFAULT_RECEIVE_FRAMES, makeDevice } from './device-spec.ts';
import { DriverOps, driverOf } from './driver-ops.ts';
import { MovedDevice } from './moved-device.ts';
import { ReceiveLine, ReceiveLines } from './receive-lines.ts';

/**
 * What every driver has to do, whatever it drives: makes, registers and ends devices, waits for those who send by them, hands received
 * frames up in batches from the softirq loop, counts, and hands its devices over to the next generation. A module makes one in
 * `start`; it requires `Devices` and `DeviceTraffic`.
 *
 * Kinds of objects: `device` (kept: it serves to the end, then it is unregistered), `use` (waited for: cached routes by a device).
 */
export class DriverDevices {
  /** The devices, each held for its owner. */
  readonly devices: Objects<NetDevice>;
  readonly uses: Objects<DstUse>;
  readonly #spec: DriverSpec;
  readonly #registry: Port<DeviceRegistry>;
  readonly #traffic: Port<DeviceTraffic>;
  readonly #ops: DriverOps;
  readonly #lines: ReceiveLines;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #current: CurrentOwner;
  readonly #isDown: DropReason;
  readonly #isFull: DropReason;
  readonly #isGone: DropReason;

  constructor(ctx: ModuleContext, spec: DriverSpec) {
    const { name } = ctx;
    this.#spec = spec;
    this.#registry = ctx.port(Devices);
    this.#traffic = ctx.port(DeviceTraffic);
    this.#clock = ctx.clock;
    this.#random = ctx.random;
    this.#current = ctx.current;
    this.#isDown = ctx.dropReason(`${name}.down`, 'received by a device that is down');
    this.#isFull = ctx.dropReason(`${name}.receive-full`, 'as many received frames as may be wait for the stack already');
    this.#isGone = ctx.dropReason(`${name}.gone`, 'sent by a device that is gone');
    const host = {
      opening: (device: NetDevice) => this.#setOpen(device, true),
      stopped: (device: NetDevice) => this.#setOpen(device, false),
      removed: (device: NetDevice) => this.#letGo(device),
    };
    this.#ops = new DriverOps(host, this.#isGone, spec.removable);
    this.#lines = new ReceiveLines(this.#traffic, ctx.current, (source) => ctx.poll(source, `${name}.receive`));
    this.devices = this.#declareDevices(ctx);
    this.uses = ctx.objects<DstUse>('use', {
      drain: 'wait',
      close: (use) => this.uses.release(use),
      ended: (use) => {
        use.dst = null;
      },
      describe: (use) => `a cached route by ${use.dst?.device?.name ?? `a ${spec.kind} device`}`,
      freeze: () => ({ version: 1, data: null }),
      thaws: [1],
      thaw: () => new DstUse(),
    });
  }

  /**
   * Makes a device and registers it; it is down, and without carrier.
   * @param outside handed to `DriverSpec.drive`. It is the device's from here on: closed with it, also when this throws behind `drive`.
   * @throws NetError EEXIST, EINVAL of the name; ESHUTDOWN, ENODEV when this module or netdev leaves; what `drive` throws.
   */
  add(spec: DeviceSpec, outside: object | null, owner: Owner, place: string): NetDevice {
    if (!this.uses.open) throw new NetError('ESHUTDOWN', `${this.devices.module} is leaving, so it makes no device ${spec.name}`);
    const device = makeDevice(this.#ops, this.#spec.kind, spec, this.#random);
    for (const queue of device.rxQueues) queue.ext = new ReceiveLine(queue, spec.receiveFrames ?? DEFAULT_RECEIVE_FRAMES);
    device.uses = this.uses;
    const driver = this.#spec.drive(device, outside);
    device.ext = driver;
    try {
      this.devices.hold(device, owner, place);
      this.#registry.current.register(device);
    } catch (error) {
      device.ext = null;
      if (device.holdNext !== null) this.devices.release(device);
      driver.close();
      throw error;
    }
    return device;
  }

  /** Takes a device down and out for good. Does nothing when that is done. Callers: the driver itself (what is outside has ended). */
  remove(device: NetDevice): void {
    if (device.holdNext === null) return;
    if (this.#registry.present) this.#registry.current.unregister(device);
    // Nobody keeps devices any more (netdev was forced out).
    else if (device.carrier) this.setCarrier(device, false);
    this.#letGo(device);
  }

  /**
   * Takes a received frame, `data` at the link header; the softirq loop hands it up. Also outside of a batch. False: dropped, with a
   * reason. Linux's `napi_schedule` and its poll.
   */
  received(queue: RxQueue, skb: Skb): boolean {
    const { device } = queue;
    const line = queue.ext as ReceiveLine;
    skb.ifindex = device.ifindex;
    if (!line.open || line.frames.lenPackets >= line.limitPackets) {
      device.stats.rxDropped++;
      skb.memory.pool.drop(skb, line.open ? this.#isFull : this.#isDown);
      return false;
    }
    skb.queue = queue.index;
    skb.timeUs = this.#clock.nowUs | 0;
    queue.packets++;
    queue.bytes += skb.len;
    const { stats } = device;
    stats.rxPackets++;
    stats.rxBytes += skb.len;
    if (device.addressLen > 0 && skb.tail > skb.data && isGroupMac(skb.memory.view, skb.data)) stats.multicast++;
    this.#lines.put(line, skb);
    return true;
  }

  /** So much has left, and was freed: counts it, and tells `DeviceTraffic.completed`. Once a batch. */
  sent(queue: TxQueue, packets: number, bytes: number): void {
    if (packets === 0) return;
    const { stats } = queue.device;
    stats.txPackets += packets;
    stats.txBytes += bytes;
    queue.packets += packets;
    queue.bytes += bytes;
    this.completed(queue, packets, bytes);
  }

  /** So much has left the driver without being sent. */
  completed(queue: TxQueue, packets: number, bytes: number): void {
    if (packets === 0) return;
    const caller = this.#enter();
    this.#traffic.current.completed(queue, packets, bytes);
    this.#current.id = caller;
  }

  /** The driver has room again: clears `queue.stopped` by `DeviceTraffic.wake`. */
  wake(queue: TxQueue): void {
    const caller = this.#enter();
    this.#traffic.current.wake(queue);
    this.#current.id = caller;
  }

  /** The link came or went. */
  setCarrier(device: NetDevice, on: boolean): void {
    const caller = this.#enter();
    this.#traffic.current.setCarrier(device, on);
    this.#current.id = caller;
  }

  #enter(): number {
    const caller = this.#current.id;
    this.#current.id = this.#traffic.owner;
    return caller;
  }

  #setOpen(device: NetDevice, open: boolean): void {
    for (const queue of device.rxQueues) {
      const line = queue.ext as ReceiveLine;
      line.open = open;
      if (!open) this.#lines.clear(line, this.#isDown);
    }
  }

  /** It is out of the registry, or about to be. */
  #letGo(device: NetDevice): void {
    const driver = driverOf(device);
    if (driver === null) return;
    if (device.rxQueues.some(({ ext }) => (ext as ReceiveLine).open)) this.#ops.stop(device);
    device.ext = null;
    driver.close();
    if (device.holdNext !== null) this.devices.release(device);
  }

  #declareDevices(ctx: ModuleContext): Objects<NetDevice> {
    const { adopted } = this.#spec;
    const spec = {
      drain: 'keep' as const,
      close: (device: NetDevice) => this.remove(device),
      describe: (device: NetDevice) => `${device.name}, ${device.kind}, ifindex ${device.ifindex}`,
    };
    if (adopted === undefined) return ctx.objects<NetDevice>('device', spec);
    const moving = {
      freeze: ({ ifindex }: NetDevice): Frozen => ({ version: 1, data: { ifindex } }),
      thaws: [1],
      // The kernel wants another object; the device takes its place in `settle`.
      thaw: ({ data }: Frozen) => new MovedDevice((data as { ifindex: number }).ifindex) as Held as NetDevice,
      settle: (moved: NetDevice) => this.#settle(moved as Held as MovedDevice),
      left: (device: NetDevice) => driverOf(device)?.leave(),
    };
    return ctx.objects<NetDevice>('device', { ...spec, ...moving });
  }

  /** The last generation has left the device: this one works it. */
  #settle(moved: MovedDevice): void {
    const device = this.#traffic.current.byIndex(moved.ifindex);
    if (device === null) {
      this.devices.release(moved as Held as NetDevice);
      return;
    }
    this.devices.succeed(device, moved, moved.holdPlace);
    const driver = this.#spec.drive(device, driverOf(device)?.outside ?? null);
    device.ops = this.#ops;
    device.uses = this.uses;
    device.ext = driver;
    for (const queue of device.rxQueues) {
      const { limitPackets, frames, open } = queue.ext as ReceiveLine;
      const line = new ReceiveLine(queue, limitPackets, frames);
      line.open = open;
      queue.ext = line;
      this.#lines.resume(line);
    }
    this.#spec.adopted?.(device, driver);
  }
}
