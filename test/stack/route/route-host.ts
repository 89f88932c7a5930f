import type {
  DeviceOps,
  Dst,
  DstUse,
  Flow,
  ModuleClass,
  ModuleContext,
  Neighbour,
  NetDevice,
  NetworkLayer,
  Objects,
  Skb,
  SoftnetModule,
  TxQueue,
} from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  ADDRESS_TYPE,
  DEVICE_FLAG,
  NetDevice as Device,
  Devices,
  DeviceTraffic,
  defineService,
  dequeue,
  ETHERTYPE,
  Flow as FlowRecord,
  Held,
  Module,
  NEIGHBOUR_STATE,
  NEIGHBOUR_UPDATE,
  NeighbourProtocol,
  Neighbours,
  NeighbourTable,
  NetworkLayer as NetworkLayerPoint,
  one,
  optional,
  RxQueue as ReceiveQueue,
  ROUTE_TYPE,
  Route,
  RouteTables,
  SkbPool,
  TRANSMIT,
  TxQueue as TransmitQueue,
} from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { RouteModule } from '@softnet/route';
import { put, SkbModule } from '@softnet/skb';
import { etherLink, parsePrefix } from '@softnet/wire';

/** Somebody who holds dsts. */
export class Program extends Held {}

/** What tests see of the stub's modules. */
export class StubNet {
  /** Frames that left: the number in each, and the last byte of its link address. */
  readonly sent: { readonly device: string; readonly number: number; readonly to: number }[] = [];
  /** Does anybody answer, how soon, and how long is he believed? */
  answers = true;
  /** Who is there at all, by the last word of his address. */
  isThere: (address3: number) => boolean = () => true;
  answerUs = 200;
  readonly device = new Map<string, NetDevice>();
  programs: Objects<Program> | null = null;
  uses: Objects<DstUse> | null = null;
  deviceUses: Objects<DstUse> | null = null;
  failed = 0;
  asked = 0;
}

/** What the stubs of a kernel note, and kernel time for programs. */
export interface Bench {
  readonly net: StubNet;
  sleep(delayUs: number): Promise<void>;
}
export const Bench = defineService<Bench>({ name: 'test-bench', version: '1.0.0' });

@Module({ name: 'test-bench', version: '1.0.0', provides: [Bench] })
export class BenchModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const sleep = (delayUs: number) =>
      new Promise<void>((resolve) => ctx.timer((done: () => void) => done(), resolve, 'test.sleep').arm(delayUs));
    ctx.corridor(Bench, { net: new StubNet(), sleep });
  }
}

/** Devices eth0 and eth1 that note what they send. They carry on while somebody's dst goes by them. */
@Module({ name: 'test-nic', version: '1.0.0', requires: [one(Bench), one(Devices), one(DeviceTraffic)] })
export class DriverModule implements SoftnetModule {
  #ctx!: ModuleContext;
  #net!: StubNet;

  start(ctx: ModuleContext): void {
    this.#ctx = ctx;
    const net = ctx.port(Bench).current.net;
    this.#net = net;
    net.deviceUses = ctx.objects<DstUse>('device-use', { drain: 'wait', close: () => {} });
    for (const name of ['eth0', 'eth1']) this.#plug(name);
  }
  stop(): void {
    const net = this.#net;
    for (const device of net.device.values()) this.#ctx.port(Devices).current.unregister(device);
    net.device.clear();
  }
  #ops(): DeviceOps {
    return {
      open: () => {},
      stop: () => {},
      transmit: (queue, batch) => {
        for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) this.#take(queue, skb);
      },
    };
  }
  #take(queue: TxQueue, skb: Skb): void {
    const { view, bytes } = skb.memory;
    this.#net.sent.push({ device: queue.device.name, number: view.getInt32(skb.data + 14), to: bytes[skb.data + 5]! });
    const { len } = skb;
    skb.memory.pool.release(skb);
    this.#ctx.port(DeviceTraffic).current.completed(queue, 1, len);
  }
  #plug(name: string): void {
    const net = this.#net;
    const device = new Device(this.#ops(), etherLink);
    device.name = name;
    device.address.set([2, 0, 0, 0, 0, 1]);
    device.flags = DEVICE_FLAG.BROADCAST | DEVICE_FLAG.MULTICAST;
    device.headroomBytes = etherLink.headerBytes;
    device.txQueues = [new TransmitQueue(device, 0)];
    device.rxQueues = [new ReceiveQueue(device, 0)];
    device.uses = net.deviceUses;
    const devices = this.#ctx.port(Devices).current;
    devices.register(device);
    devices.open(device);
    this.#ctx.port(DeviceTraffic).current.setCarrier(device, true);
    net.device.set(name, device);
  }
}

/** IPv4 as far as routes and neighbours need it: four bytes, a number. Its neighbours answer. */
@Module({
  name: 'test-layer',
  version: '1.0.0',
  requires: [one(Bench), one(SkbPool), one(DeviceTraffic), optional(Route), optional(Neighbours)],
  provides: [NetworkLayerPoint, NeighbourProtocol],
})
export class LayerModule implements SoftnetModule {
  #ctx!: ModuleContext;
  #net!: StubNet;

  start(ctx: ModuleContext): void {
    this.#ctx = ctx;
    const net = ctx.port(Bench).current.net;
    this.#net = net;
    const uses = ctx.objects<DstUse>('dst', { drain: 'wait', close: () => {} });
    net.uses = uses;
    net.programs = ctx.objects<Program>('program', { drain: 'wait', close: (program) => net.programs!.release(program) });
    ctx.contribute(NetworkLayerPoint, this.#layer(uses), 'corridor');
    ctx.contribute(NeighbourProtocol, this.#protocol(), 'corridor');
  }

  #layer(uses: Objects<DstUse>): NetworkLayer {
    return {
      ...{ name: 'test-layer', family: ADDRESS_FAMILY.INET, ethertype: ETHERTYPE.IPV4, headerBytes: 4, minMtuBytes: 68, uses },
      prepare: (dst: Dst) => {
        dst.uses = uses;
        dst.headroomBytes += 4;
        dst.output = (skb) => skb.dst!.finish(skb);
        dst.finish = (skb) => this.#finish(skb);
      },
      chooseSource: (flow: Flow) => {
        flow.src2 = 0xffff;
        flow.src3 = 1;
        return true;
      },
      addressType: () => ADDRESS_TYPE.UNICAST,
    } as unknown as NetworkLayer;
  }
  /** On the link: by the number in the packet, which is its destination. */
  #finish(skb: Skb): number {
    const dst = skb.dst!;
    const last = dst.gatewayFamily === 0 ? skb.memory.view.getInt32(skb.data) : dst.gateway3;
    const neighbour = this.#ctx.port(Neighbours).current.find(dst.device!, dst.family, 0, 0, 0xffff, last);
    if (neighbour !== null) return neighbour.output(neighbour, skb);
    skb.memory.pool.release(skb);
    return TRANSMIT.DROPPED;
  }
  #protocol(): NeighbourProtocol {
    const net = this.#net;
    return {
      family: ADDRESS_FAMILY.INET,
      begin: () => NEIGHBOUR_STATE.NONE,
      solicit: (neighbour) => {
        net.asked++;
        if (net.answers && net.isThere(neighbour.address3))
          this.#ctx.timer((who: Neighbour) => this.#answer(who), neighbour, 'test.answer').arm(net.answerUs);
      },
      failed: (_neighbour, skb) => {
        net.failed++;
        skb.memory.pool.release(skb);
      },
      reachableMs: () => 30_000,
      retransMs: () => 1000,
    };
  }
  #answer({ device, family, address0, address1, address2, address3 }: Neighbour): void {
    const mac = Uint8Array.of(2, 0, 0, 0, 0, address3);
    const { current } = this.#ctx.port(Neighbours);
    current.learn(device, family, address0, address1, address2, address3, mac, 0, NEIGHBOUR_UPDATE.SOLICITED | NEIGHBOUR_UPDATE.OVERRIDE);
  }
}

/** `10.1.0.0/16 dev eth0`, `... via 10.1.0.1 dev eth0`. */
export function entryOf(net: StubNet, text: string) {
  const [prefix, ...words] = text.split(' ');
  const { family, words: address, prefixLen } = parsePrefix(prefix!)!;
  const ifindex = net.device.get(words.at(-1)!)?.ifindex ?? 0;
  const gateway = words[0] === 'via' ? { gateway: { family, address: parsePrefix(words[1]!)!.words } } : {};
  return { family, prefix: address, prefixLen, type: ROUTE_TYPE.UNICAST, source: 4, nextHops: [{ ifindex, ...gateway }] };
}

export function flowTo(address3: number): Flow {
  return Object.assign(new FlowRecord(), { family: ADDRESS_FAMILY.INET, dst2: 0xffff, dst3: address3 });
}

/** Sends a packet with the number of its destination. */
export function sendTo(kernel: Kernel, dst: Dst, number: number): number {
  const skb = kernel.port(SkbPool).current.alloc(dst.headroomBytes, 4)!;
  skb.memory.view.setInt32(put(skb, 4), number);
  skb.network = skb.data;
  skb.protocol = ETHERTYPE.IPV4;
  skb.dst = dst;
  return dst.output(skb);
}

/** A kernel with devices, routes and the stub's layer. */
export async function bootRoute(source: ModuleClass = RouteModule) {
  const world = new World({ clock: 'virtual', seed: 1 });
  const kernel = new Kernel({ world, name: 'k' });
  const run = <T>(promise: PromiseLike<T>): Promise<T> => world.run(promise);
  for (const module of [SkbModule, NetdevModule, BenchModule, source, DriverModule, LayerModule]) await run(kernel.load(module));
  const { net } = kernel.port(Bench).current;
  const routes = () => kernel.port(RouteTables).current;
  return {
    ...{ world, kernel, net, run, routes },
    route: () => kernel.port(Route).current,
    neighbours: () => kernel.port(Neighbours).current,
    table: () => kernel.port(NeighbourTable).current,
    add: (text: string) => routes().add(entryOf(net, text)),
    program: (name: string): Program => {
      const program = new Program();
      net.programs!.hold(program, { name }, 'test.open');
      return program;
    },
    drops: () => Object.fromEntries(kernel.dropReasons().flatMap(({ name, count }) => (count > 0 ? [[name, count]] : []))),
    counter: (name: string) => kernel.counters().find((each) => each.name === name)?.value ?? 0,
    /** Unloads all, which must leave nothing behind. */
    end: async () => {
      const { faults, leaks } = await run(kernel.shutdown());
      return { modules: kernel.modules().length, faults: faults.map(({ message }) => message), leaks };
    },
  };
}
/** What a proper end says. */
export const CLEAN = { modules: 0, faults: [], leaks: [] };
