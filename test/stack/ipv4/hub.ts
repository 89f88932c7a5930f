import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceTraffic, ETHERTYPE, Module, one, SKB_TYPE, SkbPool, Tap } from '@softnet/contract';
import { NetdevModule } from '@softnet/netdev';
import { Cable, Captures, PcapModule, WireModule } from '@softnet/nic-driver';
import { copyIn, SkbModule, SkbReader } from '@softnet/skb';
import type { NetHost, NetOptions } from '@softnet/testkit';
import { KernelTimeModule, Net } from '@softnet/testkit';
import { IPV4_STACK } from './raw-link.ts';

/** Passes each frame on to all other devices of its kernel, as a hub does. */
@Module({ name: 'test-hub', version: '1.0.0', requires: [one(SkbPool), one(DeviceTraffic)], provides: [Tap] })
class HubModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const reader = new SkbReader();
    const pool = ctx.port(SkbPool);
    const traffic = ctx.port(DeviceTraffic);
    const tap = (skb: Skb): void => {
      if (skb.type === SKB_TYPE.OUTGOING) return;
      const headerBytes = skb.data - skb.mac;
      const frame = new Uint8Array(headerBytes + skb.len);
      frame.set(skb.memory.bytes.subarray(skb.mac, skb.data));
      if (reader.open(skb)) reader.copyOut(frame, headerBytes);
      for (const device of traffic.current.all()) {
        if (device.ifindex === skb.ifindex) continue;
        const copy = pool.current.alloc(64, frame.length)!;
        copyIn(copy, frame);
        copy.mac = copy.data;
        traffic.current.transmit(device, copy);
      }
    };
    ctx.contribute(Tap, { ethertype: ETHERTYPE.ALL, ifindex: 0, tap }, 'corridor');
  }
}

interface HubOptions {
  readonly modules?: NonNullable<NetOptions['modules']>;
  readonly settings?: NonNullable<NonNullable<NetOptions['kernel']>['settings']>;
}

/** Hosts on one link: a hub, which hears all. */
export class Hub {
  readonly net: Net;
  readonly hub: NetHost;
  readonly hosts: NetHost[] = [];

  private constructor(net: Net, hub: NetHost) {
    this.net = net;
    this.hub = hub;
  }

  /** @param own what hosts load, by default IPv4 alone, and settings of theirs from the start. */
  static async open(seed: number, { modules: own = IPV4_STACK, settings = {} }: HubOptions = {}): Promise<Hub> {
    const kernel = { settings: { 'net.core.skb_buffers': 256, 'net.core.skb_pages': 16, ...settings } };
    const net = new Net({ seed, kernel, modules: own });
    const modules = [KernelTimeModule, SkbModule, NetdevModule, WireModule, PcapModule, HubModule];
    const hub = await new Net({ world: net.world, modules }).host('hub');
    net.hosts.push(hub);
    return new Hub(net, hub);
  }

  /** One more host, whose eth0 is plugged in and up. @param settings by name, set before. @param mac default: of its number. */
  async plug(settings: Readonly<Record<string, number>> = {}, mac?: Uint8Array): Promise<NetHost> {
    const number = this.hosts.length + 1;
    const host = await this.net.host(`host${number}`);
    for (const [name, value] of Object.entries(settings)) host.kernel.sysctl.set(name, value);
    const address = mac ?? Uint8Array.of(2, 0x50, 0, 0, number >>> 8, number);
    const cable = new Cable({ delayUs: 10 });
    await this.net.run(host.addDevice('wire', 'eth0', { cable, address }));
    await this.net.run(this.hub.addDevice('wire', `port${number}`, { cable }));
    this.hub.up(`port${number}`);
    host.up('eth0');
    this.hosts.push(host);
    return host;
  }

  /** All that passes the hub from now on, once it is closed. */
  capture(): () => Buffer {
    const chunks: Uint8Array[] = [];
    const write = (bytes: Uint8Array): void => void chunks.push(bytes.slice());
    const capturing = this.hub.kernel.port(Captures).current.start({ device: null, write }, { name: 'test' });
    return () => {
      capturing.close();
      return Buffer.concat(chunks);
    };
  }

  async close(): Promise<void> {
    await this.net.dispose();
  }
}
