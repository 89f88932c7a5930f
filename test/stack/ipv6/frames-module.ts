import type { ModuleContext, NetDevice, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceTraffic, defineService, ETHERTYPE, Module, one, SKB_TYPE, SkbPool, Tap } from '@softnet/contract';
import { copyIn, SkbReader } from '@softnet/skb';

/** Whole frames, for who writes them by hand. */
export interface Frames {
  send(device: NetDevice, frame: Uint8Array): void;
  /** @param header of the link. */
  seen: (packet: Uint8Array, header: Uint8Array) => void;
}
export const Frames = defineService<Frames>({ name: 'test-frames', version: '1.0.0' });

/** Sends and sees whole frames, without a layer above. */
@Module({ name: 'test-frames', version: '1.0.0', requires: [one(DeviceTraffic), one(SkbPool)], provides: [Frames, Tap] })
export class FramesModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const [traffic, pool, reader] = [ctx.port(DeviceTraffic), ctx.port(SkbPool), new SkbReader()];
    const frames: Frames = {
      send: (device, frame) => {
        const skb = pool.current.alloc(0, Math.min(frame.length, 2000))!;
        copyIn(skb, frame);
        skb.mac = skb.data;
        skb.network = skb.data + 14;
        skb.protocol = ETHERTYPE.IPV6;
        skb.type = SKB_TYPE.OUTGOING;
        traffic.current.transmit(device, skb);
      },
      seen: () => {},
    };
    const tap = (skb: Skb): void => {
      if (skb.type === SKB_TYPE.OUTGOING || skb.protocol !== ETHERTYPE.IPV6) return;
      const packet = new Uint8Array(skb.len);
      if (reader.open(skb)) reader.copyOut(packet);
      frames.seen(packet, skb.memory.bytes.slice(skb.mac, skb.data));
    };
    ctx.corridor(Frames, frames);
    ctx.contribute(Tap, { ethertype: ETHERTYPE.ALL, ifindex: 0, tap }, 'corridor');
  }
}
