import { MessageChannel } from 'node:worker_threads';
import type { ModuleContext, NetDevice, Skb, SoftnetModule } from '@softnet/contract';
import {
  CHECKSUM,
  DEVICE_FEATURE,
  DeviceKind,
  Devices,
  DeviceTraffic,
  ETHERTYPE,
  EthertypeHandler,
  Ethtool,
  IP_PROTOCOL,
  IPV4_WORD2,
  Module,
  SkbPool,
} from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { Cable, LoopbackModule, WireModule } from '@softnet/nic-driver';
import { BUFFER_BYTES, copyIn, PAGE_BYTES, SkbModule } from '@softnet/skb';
import { emitEthernet, emitIpv4Packet, emitUdp, formatMac, parseAddress, pseudoHeaderSum } from '@softnet/wire';
import type { Loop } from '../span.ts';

/** As many are sent before they are received. */
const BATCH = 32;
const FLOWS = 16;
const HEADER_BYTES = 14 + 20 + 8;
/** Of virtual time, in which a batch arrives. */
const STEP_US = 100;

/** Stands in the place of IPv4, and frees all it gets. */
@Module({ name: 'bench-sink', version: '1.0.0', provides: [EthertypeHandler] })
class SinkModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const input = (skb: Skb): void => skb.memory.pool.release(skb);
    ctx.contribute(
      EthertypeHandler,
      { name: 'sink', ethertype: ETHERTYPE.IPV4, input, dissect: null, gro: null, segment: null },
      'corridor',
    );
  }
}

/** How a wire is set. */
export interface WireSetting {
  readonly queues?: number;
  readonly headerSplit?: boolean;
  readonly offloads?: boolean;
  /** RX_CHECKSUM, moderation and a rule for every other flow. */
  readonly card?: boolean;
}

async function boot(world: World, name: string): Promise<Kernel> {
  const kernel = new Kernel({ world, name });
  for (const source of [SkbModule, NetdevModule, LoopbackModule, WireModule, SinkModule]) await world.run(kernel.load(source));
  return kernel;
}

async function addWire(world: World, kernel: Kernel, cable: Cable, setting: WireSetting): Promise<NetDevice> {
  const { queues = 1, headerSplit = false, offloads = false, card = false } = setting;
  const kind = kernel.contributions(DeviceKind).items.find((each) => each.kind === 'wire')!;
  const device = await world.run(Promise.resolve(kind.create('eth0', { cable, queues, offloads }, { name: 'bench' })));
  const devices = kernel.port(Devices).current;
  const { HEADER_SPLIT, RX_CHECKSUM } = DEVICE_FEATURE;
  devices.setFeatures(device, device.features | (headerSplit ? HEADER_SPLIT : 0) | (card ? RX_CHECKSUM : 0));
  devices.open(device);
  if (card) kernel.port(Ethtool).current.setCoalescing(device, device.rxQueues, { us: 20, packets: 16 });
  return device;
}

/** Datagrams of 16 flows, in frames. */
function framesFor(to: NetDevice, lenBytes: number): Uint8Array[] {
  return Array.from({ length: FLOWS }, (_, flow) => {
    const [src, dst, protocol] = ['10.0.0.1', '10.0.0.2', IP_PROTOCOL.UDP];
    const sum = pseudoHeaderSum(0, 0, IPV4_WORD2, 0x0a000001, 0, 0, IPV4_WORD2, 0x0a000002, protocol, lenBytes - 34);
    const udp = emitUdp(
      { srcPort: 1000 + flow, dstPort: 7, checksum: 0, payload: new Uint8Array(lenBytes - HEADER_BYTES).fill(flow) },
      sum,
    );
    const rest = { tos: 0, id: 0, dontFragment: true, moreFragments: false, fragmentOffsetBytes: 0, ttl: 64, options: [] };
    const payload = emitIpv4Packet({ ...rest, protocol, src, dst, payload: udp });
    return emitEthernet({ dst: formatMac(to.address, 0), src: '02:00:00:00:00:99', tags: [], type: ETHERTYPE.IPV4, payload });
  });
}

/** What fits behind a headroom of 64 bytes into a small buffer, and into a page: a copy of a whole array costs no view of it. */
const HEAD_BYTES = BUFFER_BYTES - 64;

function partsOf(frame: Uint8Array): Uint8Array[] {
  const parts = [frame.slice(0, HEAD_BYTES)];
  for (let at = HEAD_BYTES; at < frame.length; at += PAGE_BYTES) parts.push(frame.slice(at, at + PAGE_BYTES));
  return parts;
}

/** Sends frames by `device`, in batches, copied in one by one; checks that all arrive at `at`. */
function frameLoop(
  world: World,
  kernel: Kernel,
  device: NetDevice,
  at: NetDevice,
  frames: readonly Uint8Array[],
  mark: (skb: Skb) => void,
): Loop {
  const pool = kernel.port(SkbPool);
  const traffic = kernel.port(DeviceTraffic);
  const parts = frames.map(partsOf);
  let next = 0;
  return (n) => {
    const before = at.stats.rxPackets;
    for (let i = 0; i < n; i++) {
      const frame = parts[next++ % parts.length]!;
      const skb = pool.current.alloc(64, frame[0]!.length)!;
      for (let part = 0; part < frame.length; part++) copyIn(skb, frame[part]!);
      skb.mac = skb.data;
      skb.network = skb.data + 14;
      skb.protocol = ETHERTYPE.IPV4;
      skb.hash = next & 15;
      mark(skb);
      traffic.current.transmit(device, skb);
      if (i % BATCH === BATCH - 1) world.advanceSync(STEP_US);
    }
    world.advanceSync(STEP_US);
    if (at.stats.rxPackets - before !== n) throw new Error(`${at.stats.rxPackets - before} of ${n} frames have come`);
    return n;
  };
}

const benchWorld = (): World => new World({ maxStepsPerInstant: Number.MAX_SAFE_INTEGER });

/** From driver to driver through `lo`. */
export async function loopbackFrames(lenBytes: number): Promise<Loop> {
  const world = benchWorld();
  const kernel = await boot(world, 'a');
  const lo = kernel.port(DeviceTraffic).current.byName('lo')!;
  return frameLoop(world, kernel, lo, lo, framesFor(lo, lenBytes), () => {});
}

async function wire(setting: WireSetting) {
  const world = benchWorld();
  const cable = new Cable();
  const [a, b] = [await boot(world, 'a'), await boot(world, 'b')];
  const [near, far] = [await addWire(world, a, cable, setting), await addWire(world, b, cable, setting)];
  if (setting.card === true) steerEveryOther(far);
  return { world, a, near, far };
}

function steerEveryOther(device: NetDevice): void {
  const { words } = parseAddress('10.0.0.2')!;
  const from = parseAddress('10.0.0.1')!.words;
  for (let flow = 0; flow < FLOWS; flow += 2) {
    const ends = { local0: words[0], local1: words[1], local2: words[2], local3: words[3], localPort: 7 };
    const others = { remote0: from[0], remote1: from[1], remote2: from[2], remote3: from[3], remotePort: 1000 + flow };
    device.ops.steer!(device, { ...ends, ...others, protocol: IP_PROTOCOL.UDP, ifindex: 0 }, (flow >> 1) % device.rxQueues.length, 0);
  }
}

/** Over a wire between two kernels. */
export async function wireFrames(lenBytes: number, setting: WireSetting = {}): Promise<Loop> {
  const { world, a, near, far } = await wire(setting);
  return frameLoop(world, a, near, far, framesFor(far, lenBytes), () => {});
}

/** As many datagrams in a burst, whole from end to end. */
export async function burstFrames(payloadBytes: number, segments: number): Promise<Loop> {
  const { world, a, near, far } = await wire({ offloads: true });
  return frameLoop(world, a, near, far, framesFor(far, HEADER_BYTES + payloadBytes * segments).slice(0, 1), (skb) => {
    skb.gsoSize = payloadBytes;
    skb.gsoSegs = segments;
    skb.gsoType = DEVICE_FEATURE.GSO_UDP;
    skb.checksum = CHECKSUM.PARTIAL;
    skb.csum = ((skb.data + 34 - skb.head) << 16) | 6;
  });
}

/** The same one by one; an operation is as many as the burst has. */
export async function singleFrames(payloadBytes: number, segments: number): Promise<Loop> {
  const loop = await wireFrames(HEADER_BYTES + payloadBytes);
  return (n) => loop(n * segments);
}

/** What a Node program without packet memory does: a copy of each frame in a Buffer, in a queue that is read a batch later. */
export function bufferQueue(lenBytes: number): Loop {
  const frame = new Uint8Array(lenBytes).fill(7);
  let queue: Buffer[] = [];
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      queue.push(Buffer.from(frame));
      if (i % BATCH !== BATCH - 1 && i !== n - 1) continue;
      const batch = queue;
      queue = [];
      for (const each of batch) sum += each[0]! + each.length;
    }
    return sum;
  };
}

/** A MessagePort to another in this process: frames are cloned. */
export function messagePorts(lenBytes: number): Loop {
  const { port1, port2 } = new MessageChannel();
  const frame = new Uint8Array(lenBytes).fill(7);
  let missing = 0;
  let bytes = 0;
  let done: () => void = () => {};
  port2.on('message', (got: Uint8Array) => {
    bytes += got.length;
    if (--missing === 0) done();
  });
  for (const port of [port1, port2]) port.unref();
  return async (n) => {
    // Unreferenced, they do not keep Node up while a batch is under way.
    const alive = setInterval(() => {}, 1000);
    for (let left = n; left > 0; left -= BATCH) {
      missing = Math.min(left, BATCH);
      const all = new Promise<void>((resolve) => {
        done = resolve;
      });
      for (let i = missing; i > 0; i--) port1.postMessage(frame);
      await all;
    }
    clearInterval(alive);
    return bytes;
  };
}
