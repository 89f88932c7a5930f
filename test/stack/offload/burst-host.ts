import type { DeviceOps, NetDevice, SkbQueue as Queue, Skb, TxQueue } from '@softnet/contract';
import {
  CHECKSUM,
  DEVICE_FEATURE,
  DEVICE_FLAG,
  NetDevice as Device,
  Devices,
  DeviceTraffic,
  dequeue,
  enqueue,
  LINK_TYPE,
  NeighbourTable,
  RxQueue as ReceiveQueue,
  SkbPool,
  SkbPools,
  SkbQueue,
  TxQueue as TransmitQueue,
} from '@softnet/contract';
import { Ipv4Module } from '@softnet/ipv4';
import { Ipv6Module } from '@softnet/ipv6';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { LoopbackModule } from '@softnet/nic-driver';
import { RouteModule } from '@softnet/route';
import { appendFragment, put, SkbModule, SkbReader } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import { NetHost, QUIET_HOST } from '@softnet/testkit';
import { UdpModule } from '@softnet/udp';
import { ETHERNET_HEADER_BYTES, etherLink, parseAddress, parseMac, sumBytes, viewOf } from '@softnet/wire';

const MODULES = [SkbModule, NetdevModule, RouteModule, SocketModule, LoopbackModule, Ipv4Module, Ipv6Module, UdpModule];

/** Link addresses of the host's devices, and of all others. */
export const OUR_MAC = '02:00:00:00:00:01';
export const PEER_MAC = '02:00:00:00:00:02';
/** Who is beyond the second device, and known there. */
export const FAR = Object.freeze(['10.0.2.2', '10.0.2.3', 'fd00:2::2', 'fd00:2::3'] as const);
export const NEAR = Object.freeze(['10.0.1.2', 'fd00:1::2'] as const);

/** A device that keeps a copy of each frame it sends. */
class CopyingDriver implements DeviceOps {
  readonly frames: Uint8Array[] = [];
  /** Of each packet, what it stood for: 0, one. */
  readonly sizes: number[] = [];
  /** Sees each packet before it is freed. */
  watch: ((skb: Skb) => void) | null = null;
  /** False: it only frees them. */
  keeps = true;
  count = 0;
  readonly #reader = new SkbReader();

  open(): void {}
  stop(): void {}
  transmit(_queue: TxQueue, batch: Queue): void {
    for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) {
      this.count++;
      if (this.keeps) this.#keep(skb);
      skb.memory.pool.release(skb);
    }
  }
  #keep(skb: Skb): void {
    const frame = new Uint8Array(skb.len);
    this.#reader.open(skb);
    this.#reader.copyOut(frame);
    this.frames.push(frame);
    this.sizes.push(skb.gsoSize);
    this.watch?.(skb);
  }
}

/** A frame, and how its bytes lie: from `pagesFrom` on, on pages. */
export interface Arrival {
  readonly bytes: Uint8Array;
  readonly pagesFrom?: number;
  /** One of CHECKSUM: what the device says of its sum. */
  readonly checksum?: number;
  /** The device says that it stands for several of so many bytes. */
  readonly gsoSize?: number;
}

export interface BurstOptions {
  readonly gro: boolean;
  /** Of the second device. */
  readonly mtuBytes?: number;
  readonly features?: number;
}

/** A router of two devices, whose frames a test writes and reads: 10.0.1.1 and fd00:1::1 on eth0, 10.0.2.1 and fd00:2::1 on eth1. */
export class BurstHost {
  readonly world: World;
  readonly kernel: Kernel;
  readonly host: NetHost;
  readonly in: NetDevice;
  readonly out: NetDevice;
  readonly sent = { in: new CopyingDriver(), out: new CopyingDriver() };
  readonly #pool: () => SkbPool;
  readonly #traffic: () => DeviceTraffic;
  readonly #batch = new SkbQueue();

  private constructor(world: World, kernel: Kernel, { gro, mtuBytes = 1500, features = 0 }: BurstOptions) {
    this.world = world;
    this.kernel = kernel;
    this.host = new NetHost(kernel);
    const pool = kernel.port(SkbPool);
    const traffic = kernel.port(DeviceTraffic);
    this.#pool = () => pool.current;
    this.#traffic = () => traffic.current;
    this.in = this.#plug('eth0', this.sent.in, 1500, gro ? DEVICE_FEATURE.GRO : 0);
    this.out = this.#plug('eth1', this.sent.out, mtuBytes, features);
    for (const [name, value] of SETTINGS) kernel.sysctl.set(name, value);
    kernel.sysctl.set('net.udp.gro', 2);
  }

  static async boot(options: BurstOptions): Promise<BurstHost> {
    const world = new World({ clock: 'virtual', seed: 5 });
    const kernel = new Kernel({ world, name: 'r', settings: QUIET_HOST });
    for (const module of MODULES) await world.run(kernel.load(module));
    await world.advance(1000);
    const host = new BurstHost(world, kernel, options);
    for (const [device, prefix] of ADDRESSES) host.host.addAddress(device, prefix);
    host.#introduce(host.in, NEAR);
    host.#introduce(host.out, FAR);
    await world.advance(1000);
    host.take();
    return host;
  }

  /** One batch of a poll; what it makes the softirq loop do is done too. */
  receive(arrivals: readonly Arrival[]): void {
    this.poll(arrivals);
    this.world.advanceSync(100);
  }

  poll(arrivals: readonly Arrival[]): void {
    for (let i = 0; i < arrivals.length; i++) enqueue(this.#batch, this.packet(arrivals[i]!));
    this.#traffic().receive(this.in.rxQueues[0]!, this.#batch);
  }

  packet({ bytes, pagesFrom = bytes.length, checksum = CHECKSUM.NONE, gsoSize = 0 }: Arrival): Skb {
    const skb = this.#pool().alloc(64, Math.min(pagesFrom, bytes.length))!;
    // A whole array is copied without garbage.
    const head = pagesFrom < bytes.length ? bytes.subarray(0, pagesFrom) : bytes;
    skb.memory.bytes.set(head, put(skb, head.length));
    for (let at = pagesFrom; at < bytes.length; at += 4096) {
      const page = this.#pool().page(Math.min(4096, bytes.length - at))!;
      page.memory.bytes.set(bytes.subarray(at, at + page.lenBytes), page.offset);
      appendFragment(skb, page);
    }
    skb.checksum = checksum;
    // From the network header on.
    if (checksum === CHECKSUM.COMPLETE) skb.csum = sumBytes(viewOf(bytes), ETHERNET_HEADER_BYTES, bytes.length - ETHERNET_HEADER_BYTES);
    skb.gsoSize = gsoSize;
    skb.gsoSegs = gsoSize > 0 ? Math.ceil((bytes.length - 42) / gsoSize) : 0;
    skb.gsoType = gsoSize === 0 ? 0 : DEVICE_FEATURE.GSO_UDP;
    return skb;
  }

  /** Frames that it has sent since the last call. */
  take(): { in: Uint8Array[]; out: Uint8Array[] } {
    return { in: this.sent.in.frames.splice(0), out: this.sent.out.frames.splice(0) };
  }

  counter(name: string): number {
    return this.kernel.counters().find((each) => each.name === name)?.value ?? 0;
  }

  get drops(): Record<string, number> {
    return Object.fromEntries(this.kernel.dropReasons().flatMap(({ name, count }) => (count > 0 ? [[name, count]] : [])));
  }

  get skbsOut(): number {
    return this.kernel.port(SkbPools).current.usage()[0]!.skbsOut;
  }

  /** Buffers and pages that are out. */
  get memoryOut(): number {
    const { buffers, buffersIdle, pages, pagesIdle } = this.kernel.port(SkbPools).current.usage()[0]!;
    return buffers - buffersIdle + pages - pagesIdle;
  }

  async end(): Promise<void> {
    await this.world.run(this.kernel.shutdown());
  }

  #plug(name: string, driver: DeviceOps, mtuBytes: number, features: number): NetDevice {
    const device = new Device(driver, etherLink);
    device.name = name;
    device.type = LINK_TYPE.ETHER;
    device.address.set(parseMac(OUR_MAC)!);
    device.broadcast.fill(0xff);
    device.flags = DEVICE_FLAG.BROADCAST | DEVICE_FLAG.MULTICAST;
    device.hardwareFeatures = features | DEVICE_FEATURE.GRO;
    device.features = features;
    device.mtuBytes = mtuBytes;
    device.headroomBytes = etherLink.headerBytes;
    device.txQueues = [new TransmitQueue(device, 0)];
    device.rxQueues = [new ReceiveQueue(device, 0)];
    const devices = this.kernel.port(Devices).current;
    devices.register(device);
    devices.open(device);
    devices.setFeatures(device, features);
    this.#traffic().setCarrier(device, true);
    return device;
  }

  #introduce(device: NetDevice, addresses: readonly string[]): void {
    const table = this.kernel.port(NeighbourTable).current;
    for (const text of addresses) {
      const { family, words } = parseAddress(text)!;
      table.set(device, family, words, parseMac(PEER_MAC)!);
    }
  }
}

const ADDRESSES = [
  ['eth0', '10.0.1.1/24'],
  ['eth0', 'fd00:1::1/64'],
  ['eth1', '10.0.2.1/24'],
  ['eth1', 'fd00:2::1/64'],
] as const;

/** Both families are forwarded; errors are not limited, so that they can be counted. */
const SETTINGS = [
  ['net.ipv4.ip_forward', true],
  ['net.ipv6.conf.all.forwarding', true],
  ['net.ipv4.icmp_ratelimit', 0],
  ['net.ipv4.icmp_msgs_per_sec', 1_000_000],
  ['net.ipv4.icmp_msgs_burst', 1_000_000],
  ['net.ipv6.icmp.ratelimit', 0],
  ['net.ipv6.icmp.msgs_per_sec', 1_000_000],
  ['net.ipv6.icmp.msgs_burst', 1_000_000],
] as const;
