import type {
  DeviceOps,
  HeaderParser,
  Hook,
  ModuleClass,
  ModuleContext,
  NetDevice,
  PointToken,
  Skb,
  SkbQueue,
  SoftnetModule,
  TxQueue,
} from '@softnet/contract';
import {
  Backlog,
  DEVICE_FLAG,
  NetDevice as Device,
  DeviceListener,
  Devices,
  DeviceTraffic,
  DropReason,
  dequeue,
  EthertypeHandler,
  Ethtool,
  enqueue,
  FlowSteering,
  HeaderSplit,
  HOOK_FAMILY,
  Hook as HookPoint,
  Module,
  NetworkLayer,
  HeaderParser as ParserPoint,
  SkbQueue as Queue,
  RxQueue as ReceiveQueue,
  SkbPool,
  Tap,
  TxQueue as TransmitQueue,
} from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { put, SkbModule } from '@softnet/skb';
import { etherLink, parseMac } from '@softnet/wire';

/** What a test contributes to netdev, by a module. */
export interface Parts {
  readonly handlers?: readonly EthertypeHandler[];
  readonly taps?: readonly Tap[];
  readonly hooks?: readonly Hook[];
  readonly listeners?: readonly DeviceListener[];
  readonly layers?: readonly NetworkLayer[];
  readonly parsers?: readonly HeaderParser[];
}

/** A module that contributes them, as corridors. `started` sees its context. */
function partsModule(name: string, parts: Parts, started: (ctx: ModuleContext) => void = () => {}): ModuleClass {
  const points = [EthertypeHandler, Tap, HookPoint, DeviceListener, NetworkLayer, ParserPoint] as readonly PointToken<object>[];
  const items = [parts.handlers, parts.taps, parts.hooks, parts.listeners, parts.layers, parts.parsers];
  class PartsModule implements SoftnetModule {
    start(ctx: ModuleContext): void {
      started(ctx);
      points.forEach((point, i) => {
        for (const item of items[i] ?? []) ctx.contribute(point, item, 'corridor');
      });
    }
  }
  Module({ name, version: '1.0.0', provides: points.filter((_, i) => items[i] !== undefined) })(PartsModule);
  return PartsModule;
}

/** A kernel with skb and netdev, in virtual time. */
export async function bootNetdev() {
  const world = new World({ clock: 'virtual', seed: 1 });
  const kernel = new Kernel({ world, name: 'k' });
  const run = <T>(promise: PromiseLike<T>): Promise<T> => world.run(promise);
  await run(kernel.load(SkbModule));
  await run(kernel.load(NetdevModule));
  const port = {
    pool: kernel.port(SkbPool),
    devices: kernel.port(Devices),
    traffic: kernel.port(DeviceTraffic),
    backlog: kernel.port(Backlog),
    ethtool: kernel.port(Ethtool),
    steering: kernel.port(FlowSteering),
    split: kernel.port(HeaderSplit),
  };
  const drops = (): Record<string, number> =>
    Object.fromEntries(kernel.dropReasons().flatMap(({ name, count }) => (count > 0 ? [[name, count]] : [])));
  return {
    ...{ world, kernel, run, drops },
    pool: () => port.pool.current,
    devices: () => port.devices.current,
    traffic: () => port.traffic.current,
    backlog: () => port.backlog.current,
    ethtool: () => port.ethtool.current,
    steering: () => port.steering.current,
    split: () => port.split.current,
    load: (name: string, parts: Parts, started?: (ctx: ModuleContext) => void) => run(kernel.load(partsModule(name, parts, started))),
    /** Lets the softirq loop work. */
    settle: () => world.advance(1000),
    skbsOut: () => kernel.holders('skb').length,
  };
}
export type NetdevHost = Awaited<ReturnType<typeof bootNetdev>>;

export const OUR_MAC: Uint8Array = parseMac('02:00:00:00:00:01')!;
export const PEER_MAC: Uint8Array = parseMac('02:00:00:00:00:02')!;

/** A driver that keeps what it sends as text, and takes as much as it is told to. */
export class FakeDriver implements DeviceOps {
  readonly sent: string[] = [];
  readonly calls: string[] = [];
  readonly batches: number[] = [];
  /** Packets that it takes before it is full. */
  room = Number.POSITIVE_INFINITY;
  /** Does it complete at once? */
  completes = true;
  readonly #host: NetdevHost;

  constructor(host: NetdevHost) {
    this.#host = host;
  }

  open({ name }: NetDevice): void {
    this.calls.push(`open ${name}`);
  }
  stop({ name }: NetDevice): void {
    this.calls.push(`stop ${name}`);
  }
  transmit(queue: TxQueue, batch: SkbQueue): void {
    this.batches.push(batch.lenPackets);
    while (batch.first !== null) {
      if (this.room === 0) {
        queue.stopped = true;
        return;
      }
      this.room--;
      const skb = dequeue(batch)!;
      const { len } = skb;
      this.take(queue, skb);
      skb.memory.pool.release(skb);
      if (this.completes) this.#host.traffic().completed(queue, 1, len);
    }
  }
  /** Sees a packet that is sent. */
  take(_queue: TxQueue, skb: Skb): void {
    this.sent.push(textOf(skb));
  }
  /** Makes room, and says so. */
  wake(queue: TxQueue, room: number): void {
    this.room = room;
    this.#host.traffic().wake(queue);
  }
}

/** How it is plugged in. */
interface PlugOptions {
  readonly queues?: number;
  readonly features?: number;
  readonly up?: boolean;
  readonly lower?: NetDevice;
}

/** An Ethernet device of a driver; `up` with carrier unless told otherwise. */
export function plug(host: NetdevHost, driver: DeviceOps, name = 'eth%d', options: PlugOptions = {}): NetDevice {
  const { queues = 1, features = 0, up = true, lower = null } = options;
  const device = new Device(driver, etherLink);
  device.name = name;
  device.address.set(OUR_MAC);
  device.broadcast.fill(0xff);
  device.flags = DEVICE_FLAG.BROADCAST | DEVICE_FLAG.MULTICAST;
  device.features = features;
  device.lower = lower;
  device.headroomBytes = etherLink.headerBytes;
  device.txQueues = Array.from({ length: queues }, (_, i) => new TransmitQueue(device, i));
  device.rxQueues = [new ReceiveQueue(device, 0)];
  host.devices().register(device);
  if (!up) return device;
  host.devices().open(device);
  host.traffic().setCarrier(device, true);
  return device;
}

/** A packet with these bytes. */
export function packet(host: NetdevHost, bytes: Uint8Array, headroomBytes = 64): Skb {
  const skb = host.pool().alloc(headroomBytes, bytes.length)!;
  skb.memory.bytes.set(bytes, put(skb, bytes.length));
  return skb;
}

/** One to be sent: a text behind an Ethernet header. */
export function outgoing(host: NetdevHost, device: NetDevice, text: string, ethertype = 0x0800): Skb {
  const skb = packet(host, new TextEncoder().encode(text));
  skb.network = skb.data;
  etherLink.write(skb, device, ethertype, PEER_MAC, null);
  return skb;
}

export function send(host: NetdevHost, device: NetDevice, text: string, ethertype = 0x0800): number {
  return host.traffic().transmit(device, outgoing(host, device, text, ethertype));
}

/** A frame as it comes: addressed to us. */
export function frame(text: string, { ethertype = 0x0800, to = OUR_MAC, tag = [] as readonly number[] } = {}): Uint8Array {
  return Uint8Array.of(...to, ...PEER_MAC, ...tag, ethertype >> 8, ethertype & 0xff, ...new TextEncoder().encode(text));
}

export function receive(host: NetdevHost, device: NetDevice, ...frames: readonly Uint8Array[]): void {
  const batch = new Queue();
  for (const bytes of frames) enqueue(batch, packet(host, bytes));
  host.traffic().receive(device.rxQueues[0]!, batch);
}

/** What stands in the head behind the link header. */
export function textOf(skb: Skb): string {
  const from = skb.network >= 0 ? skb.network : skb.data;
  return new TextDecoder().decode(skb.memory.bytes.slice(from, skb.tail));
}

/** Takes packets of an ethertype, and notes them. */
export class FakeHandler implements EthertypeHandler {
  readonly name: string;
  readonly ethertype: number;
  readonly got: string[] = [];
  readonly dissect: EthertypeHandler['dissect'] = null;
  gro: EthertypeHandler['gro'] = null;
  segment: EthertypeHandler['segment'] = null;

  constructor(name = 'ip', ethertype = 0x0800) {
    this.name = name;
    this.ethertype = ethertype;
  }
  input(skb: Skb, _device: NetDevice): void {
    this.got.push(textOf(skb));
    skb.memory.pool.release(skb);
  }
}

/** A hook of devices at a point. */
export function deviceHook(point: number, run: Hook['run'], reason: DropReason = new DropReason(1, 'test.hook', 'a test')): Hook {
  return { name: 'test', family: HOOK_FAMILY.NETDEV, point, priority: 0, reason, run };
}
