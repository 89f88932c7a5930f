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
import { Completions } from './completions.ts';
import type { DriverSpec } from './device-driver.ts';
import { DeviceQueues } from './device-queues.ts';
import type { DeviceSpec } from './device-spec.ts';
import { makeDevice } from './device-spec.ts';
import type { DriverOpsHost } from './driver-ops.ts';
import { DriverOps, driverOf } from './driver-ops.ts';
import { MovedDevice } from './moved-device.ts';
import { DROPPED_BY_RULE } from './receive-classifier.ts';
import { lineOf, ReceiveLines } from './receive-lines.ts';

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
  readonly #completions: Completions;
  readonly #queues: DeviceQueues;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #current: CurrentOwner;
  readonly #isDown: DropReason;
  readonly #isFull: DropReason;
  readonly #isGone: DropReason;
  readonly #isUnwanted: DropReason;

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
    const unwanted = 'a flow rule of the device says that such packets are dropped';
    this.#isUnwanted = spec.classifies === true ? ctx.dropReason(`${name}.flow-rule`, unwanted) : this.#isDown;
    const parts = { traffic: this.#traffic, current: ctx.current };
    this.#lines = new ReceiveLines({
      ...parts,
      poll: (source) => ctx.poll(source, `${name}.receive`),
      timer: (fire, line) => ctx.timer(fire, line, `${name}.receive`),
    });
    this.#completions = new Completions({ ...parts, timer: (fire, untold) => ctx.timer(fire, untold, `${name}.sent`) });
    this.#queues = new DeviceQueues({
      lines: this.#lines,
      completions: this.#completions,
      random: ctx.random,
      classifies: spec.classifies === true,
      isDown: this.#isDown,
    });
    this.#ops = this.#makeOps();
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
    this.#queues.plug(device);
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
    const line = lineOf(queue);
    skb.ifindex = device.ifindex;
    if (!line.open || line.frames.lenPackets >= queue.ringPackets) {
      device.stats.rxDropped++;
      if (line.open) queue.dropped++;
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

  /**
   * The same of a frame that came by the link of a card without a mind of its own (`DriverSpec.classifies`): first verifies, hashes and
   * spreads it, as the device's features, rules and RSS say.
   */
  arrived(device: NetDevice, skb: Skb): boolean {
    const { rxQueues } = device;
    const queue = lineOf(rxQueues[0]!).classifier!.classify(skb);
    if (queue !== DROPPED_BY_RULE) return this.received(rxQueues[queue]!, skb);
    device.stats.rxDropped++;
    skb.ifindex = device.ifindex;
    skb.memory.pool.drop(skb, this.#isUnwanted);
    return false;
  }

  /** So much has left, and was freed: counts it, and tells `DeviceTraffic.completed`, when the queue's moderation says so. Once a batch. */
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
    if (packets > 0) this.#completions.add(queue, packets, bytes);
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

  #makeOps(): DriverOps {
    const queues = this.#queues;
    const host: DriverOpsHost = {
      opening: (device) => queues.setOpen(device, true),
      stopped: (device) => queues.setOpen(device, false),
      removed: (device) => this.#letGo(device),
      moderated: (queue) => queues.moderated(queue),
      channels: (device, rxQueues, txQueues) => queues.channels(device, rxQueues, txQueues),
      spread: (device, spread) => queues.spread(device, spread),
      flowRules: (device, rules) => queues.flowRules(device, rules),
      steer: (device, key, queue) => queues.steer(device, key, queue),
    };
    return new DriverOps(host, this.#isGone, this.#spec);
  }

  /** It is out of the registry, or about to be. */
  #letGo(device: NetDevice): void {
    const driver = driverOf(device);
    if (driver === null) return;
    if (this.#queues.isOpen(device)) this.#ops.stop(device);
    this.#queues.unplug(device);
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
      left: (device: NetDevice) => {
        this.#queues.leave(device);
        driverOf(device)?.leave();
      },
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
    this.#queues.adopt(device);
    this.#spec.adopted?.(device, driver);
  }
}
