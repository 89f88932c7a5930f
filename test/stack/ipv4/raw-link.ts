import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceTraffic, defineService, ETHERTYPE, Module, SKB_TYPE, SkbPool, SkbPools, Tap } from '@softnet/contract';
import type { ArpPacket } from '@softnet/ipv4';
import { emitArp, Ipv4Module, parseArp } from '@softnet/ipv4';
import { NetdevModule } from '@softnet/netdev';
import { LoopbackModule, WireModule } from '@softnet/nic-driver';
import { RouteModule } from '@softnet/route';
import { copyIn, SkbModule, SkbReader } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import type { NetHost } from '@softnet/testkit';
import { KernelTimeModule, Net } from '@softnet/testkit';
import { UdpModule } from '@softnet/udp';
import type { EthernetFrame, IcmpMessage, Ipv4Packet } from '@softnet/wire';
import {
  emitEthernet,
  emitIcmpv4,
  emitIpv4Packet,
  formatMac,
  parseEthernet,
  parseIcmpv4,
  parseIpv4,
  parseIpv4Packet,
  parseMac,
} from '@softnet/wire';

/** A host of IPv4 alone. */
export const IPV4_STACK = Object.freeze([
  KernelTimeModule,
  SkbModule,
  NetdevModule,
  SocketModule,
  RouteModule,
  LoopbackModule,
  WireModule,
  Ipv4Module,
  UdpModule,
]);

interface Frames {
  seen: (frame: Uint8Array) => void;
}
const Frames = defineService<Frames>({ name: 'test-frames', version: '1.0.0' });

/** Sees each frame that comes. */
@Module({ name: 'test-frames', version: '1.0.0', provides: [Frames, Tap] })
class FramesModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const frames: Frames = { seen: () => {} };
    const reader = new SkbReader();
    ctx.corridor(Frames, frames);
    const tap = (skb: Skb): void => {
      if (skb.type === SKB_TYPE.OUTGOING) return;
      const header = skb.data - skb.mac;
      const frame = new Uint8Array(header + skb.len);
      frame.set(skb.memory.bytes.subarray(skb.mac, skb.data));
      if (reader.open(skb)) reader.copyOut(frame, header);
      frames.seen(frame);
    };
    ctx.contribute(Tap, { ethertype: ETHERTYPE.ALL, ifindex: 0, tap }, 'corridor');
  }
}

/** The link address of the peer that a test plays, and its IPv4 address. */
export const PEER_MAC = '02:00:00:00:00:99';
export const PEER = '10.0.0.9';
export const HOST = '10.0.0.1';
export const EVERYBODY = 'ff:ff:ff:ff:ff:ff';

/** The other end of a host's link, where a test writes and reads frames. */
export class RawPeer {
  readonly frames: EthernetFrame[] = [];
  /** Answers who asks for {@link PEER}, as a host does that is there. */
  answers = false;
  readonly #host: NetHost;
  readonly #to: NetHost;
  readonly #toDevice: string;

  constructor(host: NetHost, to: NetHost, toDevice: string) {
    this.#host = host;
    this.#to = to;
    this.#toDevice = toDevice;
    host.kernel.port(Frames).current.seen = (bytes) => {
      const frame = parseEthernet(bytes, 0, bytes.length);
      if (typeof frame === 'string') return;
      if (this.answers && frame.type === ETHERTYPE.ARP) this.arp({ operation: 2 }, this.mac);
      else this.frames.push(frame);
    };
  }

  /** The link address of the host. */
  get mac(): string {
    return formatMac(this.#to.device(this.#toDevice).address);
  }

  raw(bytes: Uint8Array): void {
    const skb = this.#host.kernel.port(SkbPool).current.alloc(64, Math.min(bytes.length, 1900))!;
    copyIn(skb, bytes);
    skb.mac = skb.data;
    this.#host.kernel.port(DeviceTraffic).current.transmit(this.#host.device('eth0'), skb);
  }

  frame(payload: Uint8Array, type: number, dst = this.mac): void {
    this.raw(emitEthernet({ dst, src: PEER_MAC, tags: [], type, payload }));
  }

  ip(packet: Partial<Ipv4Packet>, dst = this.mac): void {
    this.frame(emitIpv4Packet(ipv4(packet)), ETHERTYPE.IPV4, dst);
  }

  icmp(message: Partial<IcmpMessage>, packet: Partial<Ipv4Packet> = {}, dst = this.mac): void {
    const rest = (message.type ?? 8) === 8 ? 0x00010001 : 0;
    const payload = emitIcmpv4({ type: 8, code: 0, rest, payload: new Uint8Array(8), ...message });
    this.ip({ protocol: 1, payload, ...packet }, dst);
  }

  arp(packet: Partial<ArpPacket>, dst = EVERYBODY): void {
    const whole = {
      operation: 1,
      senderLink: mac(PEER_MAC),
      sender: word(PEER),
      targetLink: new Uint8Array(6),
      target: word(HOST),
      ...packet,
    };
    this.frame(emitArp(whole), ETHERTYPE.ARP, dst);
  }

  /** Frames of a type that have come since the last call of any `take`, as what they carry; the rest is let go. */
  takeIp(): Ipv4Packet[] {
    return this.#take(ETHERTYPE.IPV4).map(({ payload }) => {
      const packet = parseIpv4Packet(payload, 0, payload.length);
      if (typeof packet === 'string') throw new Error(`the host sent ${packet}`);
      return packet;
    });
  }

  takeIcmp(): (IcmpMessage & { readonly src: string; readonly dst: string; readonly tos: number })[] {
    return this.takeIp().map(({ payload, src, dst, tos, protocol }) => {
      const message = parseIcmpv4(payload, 0, payload.length);
      if (protocol !== 1 || typeof message === 'string') throw new Error(`the host sent protocol ${protocol}: ${String(message)}`);
      return { ...message, src, dst, tos };
    });
  }

  takeArp(): (ArpPacket & { readonly to: string })[] {
    return this.#take(ETHERTYPE.ARP).map(({ payload, dst }) => {
      const packet = parseArp(payload, 0, payload.length);
      if (typeof packet === 'string') throw new Error(`the host sent ${packet}`);
      return { ...packet, to: dst };
    });
  }

  /** The host knows where the peer is. */
  async introduce(net: Net): Promise<void> {
    this.arp({}, this.mac);
    await net.pass(1);
    this.frames.length = 0;
  }

  #take(type: number): EthernetFrame[] {
    const taken = this.frames.filter((frame) => frame.type === type);
    this.frames.length = 0;
    return taken;
  }
}

/** A packet from the peer to the host, unless told otherwise. */
export function ipv4(packet: Partial<Ipv4Packet>): Ipv4Packet {
  const flags = { dontFragment: false, moreFragments: false, fragmentOffsetBytes: 0 };
  return { tos: 0, id: 1, ...flags, ttl: 64, protocol: 17, src: PEER, dst: HOST, options: [], payload: new Uint8Array(16), ...packet };
}

export function word(address: string): number {
  return parseIpv4(address)!;
}

export function mac(text: string): Uint8Array {
  return parseMac(text)!;
}

/** A host and a peer that a test plays. */
export class RawLink {
  readonly net: Net;
  readonly host: NetHost;
  readonly peer: RawPeer;

  private constructor(net: Net, host: NetHost, peer: RawPeer) {
    this.net = net;
    this.host = host;
    this.peer = peer;
  }

  static async open(addresses: readonly string[] = [`${HOST}/24`]): Promise<RawLink> {
    const net = new Net({ seed: 3, modules: IPV4_STACK });
    const host = await net.host('host');
    const peer = await addPeer(net, host, 'eth0', addresses);
    return new RawLink(net, host, peer);
  }

  /** Drops that this calls forth, by reason. */
  async dropsOf(action: () => void, passMs = 1): Promise<Record<string, number>> {
    const before = new Map(this.host.kernel.dropReasons().map(({ name, count }) => [name, count]));
    action();
    await this.net.pass(passMs);
    const after = this.host.kernel.dropReasons().map(({ name, count }) => [name, count - (before.get(name) ?? 0)] as const);
    return Object.fromEntries(after.filter(([, count]) => count !== 0));
  }

  /** Packets that are out in the host. */
  get skbsOut(): number {
    return this.host.kernel.port(SkbPools).current.usage()[0]!.skbsOut;
  }

  async close(): Promise<void> {
    await this.net.pass(1);
    await this.net.dispose();
  }
}

/** One more link of a host, whose other end is a test's. */
export async function addPeer(net: Net, host: NetHost, device: string, addresses: readonly string[]): Promise<RawPeer> {
  const modules = [KernelTimeModule, SkbModule, NetdevModule, WireModule, FramesModule];
  const bench = await new Net({ world: net.world, modules }).host(`peer-${device}`);
  net.hosts.push(bench);
  await net.join({ host, device, addresses }, { host: bench, device: 'eth0' });
  return new RawPeer(bench, host, device);
}
