import type { DeviceOps, ModuleContext, Objects, Owner, PollSource, Port, SoftnetModule, TxQueue } from '@softnet/contract';
import {
  DEVICE_FLAG,
  DeviceKind,
  Devices,
  DeviceTraffic,
  DstUse,
  dequeue,
  enqueue,
  HeaderSplit,
  LINK_TYPE,
  Module,
  NetDevice,
  one,
  RxQueue,
  SkbPool,
  SkbQueue,
  TxQueue as TransmitQueue,
} from '@softnet/contract';
import { ReceiveBuffers, SkbReader } from '@softnet/skb';
import { rawLink } from '@softnet/wire';
import type { ScriptLink } from './script-link.ts';

/** What `create` of the kind 'script' takes. */
export interface ScriptDeviceOptions {
  readonly link: ScriptLink;
  readonly mtuBytes: number;
}

/** Devices whose other end is a script. Linux's TUN. */
@Module({
  name: 'script-link',
  version: '1.0.0',
  summary: 'devices whose other end is a packetdrill script',
  requires: [one(Devices), one(DeviceTraffic), one(HeaderSplit), one(SkbPool)],
  provides: [DeviceKind],
})
export class ScriptLinkModule implements SoftnetModule {
  #ctx!: ModuleContext;
  #traffic!: Port<DeviceTraffic>;
  #devices!: Objects<NetDevice>;
  #uses!: Objects<DstUse>;
  #buffers!: ReceiveBuffers;
  readonly #reader = new SkbReader();
  readonly #ops: DeviceOps = {
    open: () => {},
    stop: () => {},
    transmit: (queue, batch) => this.#transmit(queue, batch),
    remove: (device) => this.#devices.release(device),
  };

  start(ctx: ModuleContext): void {
    this.#ctx = ctx;
    this.#traffic = ctx.port(DeviceTraffic);
    this.#buffers = new ReceiveBuffers(ctx.port(SkbPool), ctx.port(HeaderSplit), ctx.current);
    const registry = ctx.port(Devices);
    this.#devices = ctx.objects<NetDevice>('device', {
      drain: 'keep',
      close: (device) => {
        registry.current.unregister(device);
        this.#devices.release(device);
      },
      describe: ({ name }) => name,
    });
    this.#uses = ctx.objects<DstUse>('use', {
      drain: 'wait',
      close: (use) => this.#uses.release(use),
      ended: (use) => {
        use.dst = null;
      },
      describe: () => "a cached route by a script's device",
      freeze: () => ({ version: 1, data: null }),
      thaws: [1],
      thaw: () => new DstUse(),
    });
    const create = (name: string, options: object, owner: Owner): NetDevice => this.#create(name, options as ScriptDeviceOptions, owner);
    ctx.contribute(DeviceKind, { kind: 'script', create }, 'door');
  }

  #create(name: string, { link, mtuBytes }: ScriptDeviceOptions, owner: Owner): NetDevice {
    const device = new NetDevice(this.#ops, rawLink);
    device.name = name;
    device.kind = 'script';
    device.type = LINK_TYPE.NONE;
    device.flags = DEVICE_FLAG.POINTOPOINT | DEVICE_FLAG.NOARP | DEVICE_FLAG.MULTICAST;
    device.mtuBytes = mtuBytes;
    device.maxMtuBytes = 65535;
    device.rxQueues = [new RxQueue(device, 0)];
    device.txQueues = [new TransmitQueue(device, 0)];
    device.uses = this.#uses;
    device.ext = link;
    const poll = this.#ctx.poll(this.#receiver(device, link), 'script-link.receive');
    link.ring = () => poll.raise();
    this.#devices.hold(device, owner, 'script-link.create');
    this.#ctx.port(Devices).current.register(device);
    this.#traffic.current.setCarrier(device, true);
    return device;
  }

  #receiver(device: NetDevice, link: ScriptLink): PollSource {
    const batch = new SkbQueue();
    const { current } = this.#ctx;
    return {
      poll: (budget) => {
        let count = 0;
        for (let bytes = link.next(); bytes !== null; bytes = count < budget ? link.next() : null) {
          const skb = this.#buffers.fromBytes(device, bytes);
          count++;
          if (skb === null) continue;
          skb.ifindex = device.ifindex;
          skb.timeUs = this.#ctx.clock.nowUs | 0;
          enqueue(batch, skb);
          device.stats.rxPackets++;
          device.stats.rxBytes += skb.len;
        }
        const caller = current.id;
        current.id = this.#traffic.owner;
        this.#traffic.current.receive(device.rxQueues[0]!, batch);
        current.id = caller;
        return count;
      },
    };
  }

  #transmit(queue: TxQueue, batch: SkbQueue): void {
    const { lenPackets, lenBytes } = batch;
    const link = queue.device.ext as ScriptLink;
    for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) {
      const bytes = new Uint8Array(skb.len);
      if (this.#reader.open(skb)) this.#reader.copyOut(bytes);
      skb.memory.pool.release(skb);
      link.transmitted(bytes, this.#ctx.clock.nowUs);
    }
    queue.device.stats.txPackets += lenPackets;
    queue.device.stats.txBytes += lenBytes;
    const { current } = this.#ctx;
    const caller = current.id;
    current.id = this.#traffic.owner;
    this.#traffic.current.completed(queue, lenPackets, lenBytes);
    current.id = caller;
  }
}
