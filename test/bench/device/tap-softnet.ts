import type { ModuleContext, NetDevice, SoftnetModule } from '@softnet/contract';
import { DeviceKind, Devices, DeviceTraffic, EthertypeHandler, Module, SkbPool } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { TapModule } from '@softnet/nic-driver/node';
import { put, SkbModule } from '@softnet/skb';
import type { Figures } from '../work.ts';
import { benchFrame, measureHere, TapRig, wait } from './tap-rig.ts';

const EXPERIMENTAL = 0x88b5;
const BATCH = 64;

/** Takes the frames and lets them go. */
@Module({ name: 'bench-sink', version: '1.0.0', provides: [EthertypeHandler] })
class SinkModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const input: EthertypeHandler['input'] = (skb) => skb.memory.pool.release(skb);
    ctx.contribute(EthertypeHandler, { name: 'sink', ethertype: EXPERIMENTAL, input, dissect: null, gro: null, segment: null }, 'corridor');
  }
}

/** With a kernel, and a tap that is up. */
async function withTap(measure: (kernel: Kernel, device: NetDevice, rig: TapRig) => Promise<Figures>): Promise<Figures> {
  const rig = new TapRig();
  const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'bench' });
  try {
    for (const source of [SkbModule, NetdevModule, SinkModule, TapModule]) await kernel.load(source);
    const kind = kernel.contributions(DeviceKind).items.find((each) => each.kind === 'tap')!;
    const device = await kind.create('tap0', { ifname: `sn${process.pid}` }, { name: 'bench' });
    rig.take(`sn${process.pid}`);
    kernel.port(Devices).current.open(device);
    for (let tries = 0; !device.carrier && tries < 500; tries++) await new Promise((resolve) => setTimeout(resolve, 5));
    return await measure(kernel, device, rig);
  } finally {
    await kernel.shutdown();
    rig.close();
  }
}

/** Frames from Linux, up to whom they are for. */
export function softnetReceives(lenBytes: number): Promise<Figures> {
  return withTap(async (_kernel, device, rig) => {
    rig.flood(lenBytes);
    return measureHere(() => device.stats.rxPackets, wait);
  });
}

/** Frames are made, and go down to Linux. */
export function softnetSends(lenBytes: number): Promise<Figures> {
  return withTap(async (kernel, device) => {
    const pool = kernel.port(SkbPool);
    const traffic = kernel.port(DeviceTraffic);
    const frame = benchFrame(lenBytes);
    const send = async (untilMs: number): Promise<void> => {
      while (performance.now() < untilMs) {
        for (let i = 0; i < BATCH; i++) {
          const skb = pool.current.alloc(16, lenBytes)!;
          skb.mac = put(skb, lenBytes);
          skb.memory.bytes.set(frame, skb.mac);
          skb.protocol = EXPERIMENTAL;
          traffic.current.transmit(device, skb);
        }
        await new Promise(setImmediate);
      }
    };
    const figures = await measureHere(() => device.stats.txPackets, send);
    if (device.stats.txDropped + device.stats.txErrors > 0) throw new Error('frames were lost');
    return figures;
  });
}
