import type { ModuleContext, NetDevice, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceTraffic, EthertypeHandler, Module, SkbPool } from '@softnet/contract';
import { onceWarm } from '@softnet/contract/testing';
import type { Kernel, World } from '@softnet/kernel';
import { copyIn } from '@softnet/skb';

const SINK = 0x88b6;
/** In a chunk, of which there are nine at least. */
export const PACKETS = 1000;

/** Takes frames, and keeps none. */
@Module({ name: 'sink', version: '1.0.0', provides: [EthertypeHandler] })
export class SinkModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const input = (skb: Skb): void => skb.memory.pool.release(skb);
    ctx.contribute(EthertypeHandler, { name: 'sink', ethertype: SINK, input, dissect: null, gro: null, segment: null }, 'corridor');
  }
}

/** Bytes of heap that a packet of 1,000 bytes takes, once warm. */
export function heapPerPacket(world: World, kernel: Kernel, device: NetDevice, limitBytes: number): number {
  const pool = kernel.port(SkbPool);
  const traffic = kernel.port(DeviceTraffic);
  const payload = new Uint8Array(1000);
  const chunk = (): number => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < PACKETS; i++) {
      const skb = pool.current.alloc(64, 1000)!;
      copyIn(skb, payload);
      skb.network = skb.data;
      device.link.write(skb, device, SINK, device.broadcast, null);
      traffic.current.transmit(device, skb);
      if (i % 16 === 15) world.advanceSync(20);
    }
    world.advanceSync(10_000);
    return (process.memoryUsage().heapUsed - before) / PACKETS;
  };
  return onceWarm(limitBytes, chunk);
}
