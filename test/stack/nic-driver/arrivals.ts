import type { ModuleContext, NetDevice, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceTraffic, defineService, ETHERTYPE, EthertypeHandler, IP_PROTOCOL, Module, SkbPool } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { copyIn, SkbReader } from '@softnet/skb';
import { emitEthernet, emitIpv4Packet, emitIpv6Packet, emitTcp, emitUdp, formatMac, parseAddress, pseudoHeaderSum } from '@softnet/wire';

/** What arrived behind a device, and how. */
interface Arrival {
  readonly device: NetDevice;
  readonly queue: number;
  readonly hash: number;
  readonly checksum: number;
  readonly gsoSize: number;
  readonly gsoSegs: number;
  readonly atUs: number;
  /** From the IP header on. */
  readonly packet: Uint8Array;
  /** Bytes in the head. */
  readonly inHead: number;
  /** Where its first page begins, in its memory. -1: it has none. */
  readonly pageOffset: number;
}

export interface Arrivals {
  readonly all: Arrival[];
  heard: ((arrival: Arrival) => void) | null;
}
export const Arrivals = defineService<Arrivals>({ name: 'test-arrivals', version: '1.0.0' });

/** Stands in the place of IPv4 and IPv6, and writes down what it gets. */
@Module({ name: 'test-arrivals', version: '1.0.0', provides: [Arrivals, EthertypeHandler] })
export class ArrivalsModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const reader = new SkbReader();
    const arrivals: Arrivals = { all: [], heard: null };
    const input = (skb: Skb, device: NetDevice): void => {
      const packet = new Uint8Array(skb.len);
      if (reader.open(skb)) reader.copyOut(packet);
      const { queue, hash, checksum, gsoSize, gsoSegs } = skb;
      const layout = { inHead: skb.tail - skb.data, pageOffset: skb.fragments?.offset ?? -1 };
      const arrival = { device, queue, hash, checksum, gsoSize, gsoSegs, atUs: ctx.clock.nowUs, packet, ...layout };
      skb.memory.pool.release(skb);
      arrivals.all.push(arrival);
      arrivals.heard?.(arrival);
    };
    ctx.corridor(Arrivals, arrivals);
    for (const ethertype of [ETHERTYPE.IPV4, ETHERTYPE.IPV6]) {
      ctx.contribute(EthertypeHandler, { name: 'arrivals', ethertype, input, dissect: null, gro: null, segment: null }, 'corridor');
    }
  }
}

export function arrivalsOf(kernel: Kernel): Arrivals {
  return kernel.port(Arrivals).current;
}

/** Who sends what to whom. */
export interface Datagram {
  readonly src: string;
  readonly dst: string;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly protocol?: number;
  readonly payload?: Uint8Array;
}

/** A frame with a datagram (or a TCP segment) in it, for whom it concerns. */
export function frameOf(
  to: NetDevice,
  { src, dst, srcPort, dstPort, protocol = IP_PROTOCOL.UDP, payload = new Uint8Array(8) }: Datagram,
): Uint8Array {
  const [from, at] = [parseAddress(src)!.words, parseAddress(dst)!.words];
  const tcp = { srcPort, dstPort, seq: 1, ack: 2, flags: 0x10, window: 1000, checksum: 0, urgentPointer: 0, options: [], payload };
  const lenBytes = payload.length + (protocol === IP_PROTOCOL.TCP ? 20 : 8);
  const sum = pseudoHeaderSum(...from, ...at, protocol, lenBytes);
  const segment = protocol === IP_PROTOCOL.TCP ? emitTcp(tcp, sum) : emitUdp({ srcPort, dstPort, checksum: 0, payload }, sum);
  const ipv6 = src.includes(':');
  const packet = ipv6
    ? emitIpv6Packet({ trafficClass: 0, flowLabel: 0, hopLimit: 64, src, dst, headers: [], protocol, payload: segment })
    : emitIpv4Packet({
        tos: 0,
        id: 7,
        dontFragment: true,
        moreFragments: false,
        fragmentOffsetBytes: 0,
        ttl: 64,
        protocol,
        src,
        dst,
        options: [],
        payload: segment,
      });
  const type = ipv6 ? ETHERTYPE.IPV6 : ETHERTYPE.IPV4;
  return emitEthernet({ dst: formatMac(to.address, 0), src: '02:00:00:00:00:99', tags: [], type, payload: packet });
}

/** Sends a frame as it is. One of `TRANSMIT`. @param change of the packet, before it goes. */
export function sendFrame(kernel: Kernel, device: NetDevice, frame: Uint8Array, change: (skb: Skb) => void = () => {}): number {
  const skb = kernel.port(SkbPool).current.alloc(64, Math.min(frame.length, 1900))!;
  copyIn(skb, frame);
  skb.mac = skb.data;
  skb.network = skb.data + 14;
  skb.protocol = (frame[12]! << 8) | frame[13]!;
  change(skb);
  return kernel.port(DeviceTraffic).current.transmit(device, skb);
}
