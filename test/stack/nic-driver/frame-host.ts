import type { DeviceKind as DeviceKindItem, ModuleContext, NetDevice, Owner, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceKind, Devices, DeviceTraffic, defineService, ETHERTYPE, Module, SKB_TYPE, SkbPool, Tap } from '@softnet/contract';
import type { ModuleSource } from '@softnet/kernel';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { copyIn, SkbModule, SkbReader } from '@softnet/skb';

/** What a test sees of devices: frames, kinds of devices. */
interface FrameSight {
  readonly kinds: readonly DeviceKindItem[];
  /** Each frame received, whole. */
  seen: (frame: Uint8Array, device: NetDevice) => void;
}
const FrameSight = defineService<FrameSight>({ name: 'test-frame-sight', version: '1.0.0' });

/** Sees each frame that is received, by a tap. */
@Module({ name: 'test-frame-sight', version: '1.0.0', provides: [FrameSight, Tap] })
class FrameSightModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const kinds = ctx.contributions(DeviceKind);
    const reader = new SkbReader();
    const sight: FrameSight = {
      get kinds() {
        return kinds.items;
      },
      seen: () => {},
    };
    ctx.corridor(FrameSight, sight);
    const tap = (skb: Skb, device: NetDevice): void => {
      if (skb.mac < 0 || skb.type === SKB_TYPE.OUTGOING) return;
      const header = skb.data - skb.mac;
      const frame = new Uint8Array(header + skb.len);
      frame.set(skb.memory.bytes.subarray(skb.mac, skb.data));
      if (reader.open(skb)) reader.copyOut(frame, header);
      sight.seen(frame, device);
    };
    ctx.contribute(Tap, { ethertype: ETHERTYPE.ALL, ifindex: 0, tap }, 'corridor');
  }
}

/** One kernel in real time with devices, and no layers above them: a test sends and sees frames. */
export class FrameHost implements Owner {
  readonly name = 'test';
  readonly kernel: Kernel;
  readonly received: Uint8Array[] = [];
  /** Keep frames of this ethertype only; 0: all. Linux sends some of its own accord. */
  ethertype = 0;
  /** Frames of that ethertype so far. */
  count = 0;
  /** Count only. */
  countOnly = false;

  private constructor(kernel: Kernel) {
    this.kernel = kernel;
    kernel.port(FrameSight).current.seen = (frame) => {
      if (this.ethertype !== 0 && ((frame[12]! << 8) | frame[13]!) !== this.ethertype) return;
      this.count++;
      if (!this.countOnly) this.received.push(frame);
    };
  }

  static async boot(...modules: readonly ModuleSource[]): Promise<FrameHost> {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'k' });
    for (const source of [SkbModule, NetdevModule, FrameSightModule, ...modules]) await kernel.load(source);
    return new FrameHost(kernel);
  }

  async create(kind: string, name: string, options: object): Promise<NetDevice> {
    const made = this.kernel.port(FrameSight).current.kinds.find((each) => each.kind === kind);
    if (made === undefined) throw new Error(`no kind ${kind}`);
    return await made.create(name, options, this);
  }

  get devices(): Devices {
    return this.kernel.port(Devices).current;
  }

  get traffic(): DeviceTraffic {
    return this.kernel.port(DeviceTraffic).current;
  }

  /** Sends a frame, link header included. Returns one of `TRANSMIT`. */
  send(device: NetDevice, frame: Uint8Array): number {
    const skb = this.kernel.port(SkbPool).current.alloc(64, Math.min(frame.length, 1900))!;
    copyIn(skb, frame);
    skb.mac = skb.data;
    skb.network = skb.data + 14;
    skb.protocol = (frame[12]! << 8) | frame[13]!;
    return this.traffic.transmit(device, skb);
  }

  /** How often packets were dropped for this reason. */
  drops(name: string): number {
    return this.kernel.dropReasons().find((reason) => reason.name === name)?.count ?? 0;
  }

  /** Packets that are out. */
  get skbsOut(): number {
    return this.kernel.holders('skb').length;
  }
}

/** A frame of so many bytes with content of its own. */
export function testFrame(number: number, lenBytes = 60, ethertype = 0x88b5): Uint8Array {
  const frame = new Uint8Array(lenBytes);
  frame.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 0x99, ethertype >> 8, ethertype & 0xff]);
  for (let i = 14; i < lenBytes; i++) frame[i] = (number * 31 + i * 7 + (i >> 8)) & 0xff;
  return frame;
}

/** Frames that are not as they were sent, by number; one too many or too few is one. `toEqual` takes its time with so many bytes. */
export function differing(received: readonly Uint8Array[], sent: readonly Uint8Array[]): number[] {
  const numbers = Array.from({ length: Math.max(received.length, sent.length) }, (_, number) => number);
  const none = new Uint8Array(0);
  return numbers.filter((number) => Buffer.compare(received[number] ?? none, sent[number] ?? none) !== 0);
}

/** Waits for it to be so; rejects after `limitMs`. */
export async function until(what: string, is: () => boolean, limitMs = 15_000): Promise<void> {
  for (let waitedMs = 0; !is(); waitedMs += 5) {
    if (waitedMs >= limitMs) throw new Error(`still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
