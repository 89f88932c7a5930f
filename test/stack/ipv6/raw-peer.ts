import type { NetDevice, Owner } from '@softnet/contract';
import { DeviceKind, Devices } from '@softnet/contract';
import type { NeighbourMessage } from '@softnet/ipv6';
import { emitNeighbour } from '@softnet/ipv6';
import type { KernelOptions } from '@softnet/kernel';
import { Kernel } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { Cable, WireModule } from '@softnet/nic-driver';
import { SkbModule } from '@softnet/skb';
import type { NetHost } from '@softnet/testkit';
import { HOST_STACK, Net } from '@softnet/testkit';
import type { ExtensionHeader, IcmpMessage, Ipv6Packet } from '@softnet/wire';
import { emitIcmpv6, emitIpv6Packet, ipv6PseudoHeaderSum, parseIcmpv6, parseIpv6, parseIpv6Packet, parseMac, viewOf } from '@softnet/wire';
import { Frames, FramesModule } from './frames-module.ts';

export const HOST = 'fd00::1';
export const PEER = 'fd00::9';
/** A net behind the peer's own; the host has a route there by the peer. */
export const FAR = 'fd01::5';
export const HOST_LINK = 'fe80::ff:fe00:1';
export const PEER_MAC = '02:00:00:00:00:09';
const HOST_MAC = '02:00:00:00:00:01';

export interface RawPeerOptions {
  readonly known?: boolean;
  readonly settings?: NonNullable<KernelOptions['settings']>;
}

/** A host with the whole stack, and at the other end of its cable somebody who writes packets by hand. */
export class RawPeer implements Owner {
  readonly name = 'peer';
  readonly net: Net;
  readonly host: NetHost;
  readonly received: Ipv6Packet[] = [];
  /** Also told of each packet that the host sends, as it comes. */
  heard: (packet: Uint8Array, header: Uint8Array) => void = () => {};
  readonly cable: Cable;
  /** Of the host's end: others can be plugged in. */
  readonly #kernel: Kernel;
  readonly #device: NetDevice;

  private constructor(net: Net, host: NetHost, cable: Cable, kernel: Kernel, device: NetDevice) {
    this.net = net;
    this.host = host;
    this.cable = cable;
    this.#kernel = kernel;
    this.#device = device;
    kernel.port(Frames).current.seen = (bytes, header) => {
      this.heard(bytes, header);
      const packet = parseIpv6Packet(bytes, 0, bytes.length);
      if (typeof packet === 'string') throw new Error(`the host sent ${packet}`);
      this.received.push(packet);
    };
  }

  /** @param known the host knows the peer's link address already. @param settings of the host, from the start. */
  static async boot({ known = true, settings = {} }: RawPeerOptions = {}): Promise<RawPeer> {
    const modules = HOST_STACK.filter((source) => !String(source).includes('Ipv4Module'));
    const net = new Net({ modules, kernel: { settings } });
    const host = await net.host('h');
    const kernel = new Kernel({ world: net.world, name: 'peer' });
    for (const source of [SkbModule, NetdevModule, WireModule, FramesModule]) await net.run(kernel.load(source));
    const cable = new Cable();
    await net.run(host.addDevice('wire', 'eth0', { cable, address: HOST_MAC }));
    const kinds = kernel.contributions(DeviceKind).items;
    const device = await kinds[0]!.create('p0', { cable, address: PEER_MAC }, { name: 'test' });
    kernel.port(Devices).current.open(device);
    host.up('eth0');
    await net.pass(1);
    host.addAddress('eth0', `${HOST}/64`);
    host.addRoute('fd01::/16', { via: PEER, dev: 'eth0' });
    const peer = new RawPeer(net, host, cable, kernel, device);
    if (known) await peer.introduce();
    return peer;
  }

  /** Solicits the host, so that it knows the peer, and answers its probes no more. */
  async introduce(): Promise<void> {
    for (const src of [PEER, 'fe80::9']) {
      this.solicit({ target: HOST }, { src, dst: HOST });
      await this.net.pass(1);
    }
    this.received.length = 0;
  }

  solicit(
    message: { target: string; linkAddress?: string | null; flags?: number; type?: 135 | 136 },
    packet: Partial<Ipv6Packet> = {},
  ): void {
    const { target, linkAddress = PEER_MAC, flags = 0, type = 135 } = message;
    const neighbour: NeighbourMessage = {
      type,
      target: parseIpv6(target)!,
      flags,
      linkAddress: linkAddress === null ? null : parseMac(linkAddress),
    };
    this.icmp(emitNeighbour(neighbour), { hopLimit: 255, ...packet });
  }

  /** With its checksum. */
  icmp({ type, code = 0, rest = 0, payload = new Uint8Array(0) }: Partial<IcmpMessage>, packet: Partial<Ipv6Packet> = {}): void {
    const whole = packetOf({ protocol: 58, ...packet, payload: new Uint8Array(8 + payload.length) });
    const pseudo = ipv6PseudoHeaderSum(viewOf(emitIpv6Packet({ ...whole, headers: [] })), 0, 58, whole.payload.length);
    this.packet({ ...whole, payload: emitIcmpv6({ type: type!, code, rest, payload }, pseudo) });
  }

  packet(packet: Partial<Ipv6Packet>): void {
    this.bytes(emitIpv6Packet(packetOf(packet)), packet.dst ?? HOST);
  }

  /** @param dst for the link header. @param mac of the link header; by default the host's, or the group's. */
  bytes(packet: Uint8Array, dst: string = HOST, mac?: string): void {
    const words = parseIpv6(dst)!;
    const frame = new Uint8Array(14 + packet.length);
    frame.set(mac === undefined ? linkAddressOf(words[0], words[3]) : parseMac(mac)!, 0);
    frame.set(parseMac(PEER_MAC)!, 6);
    frame.set([0x86, 0xdd], 12);
    frame.set(packet, 14);
    this.#kernel.port(Frames).current.send(this.#device, frame);
  }

  /** What the host sent in the next so many ms. */
  async answers(ms = 5): Promise<Ipv6Packet[]> {
    await this.net.pass(ms);
    return this.received.splice(0);
  }

  /** ICMPv6 among them, checksums checked: '4/1 @40', '135 fd00::9'. */
  async messages(ms = 5): Promise<string[]> {
    return (await this.answers(ms)).map(textOf);
  }

  /** Drop reasons of the host that have counted, but for those named; and counts again from here. */
  drops(): string[] {
    const counted = this.host.kernel.dropReasons().filter(({ count }) => count > 0);
    return counted.map((reason) => {
      const { name, count } = reason;
      reason.count = 0;
      return count === 1 ? name : `${name} ${count}`;
    });
  }

  /** Ends both; nothing that was sent may be left in the host's memory. */
  async end(): Promise<void> {
    await this.net.dispose();
    await this.net.run(this.#kernel.shutdown());
  }
}

export function packetOf(packet: Partial<Ipv6Packet>): Ipv6Packet {
  const usual = {
    trafficClass: 0,
    flowLabel: 0,
    hopLimit: 64,
    src: PEER,
    dst: HOST,
    headers: [],
    protocol: 17,
    payload: new Uint8Array(0),
  };
  return { ...usual, ...packet };
}

/** A fragment header. */
export function fragment(offsetBytes: number, more: boolean, id = 7): ExtensionHeader {
  return { type: 44, offsetBytes, more, id };
}

export function icmpOf(packet: Ipv6Packet): IcmpMessage {
  const bytes = emitIpv6Packet({ ...packet, headers: [] });
  const pseudo = ipv6PseudoHeaderSum(viewOf(bytes), 0, 58, packet.payload.length);
  const message = parseIcmpv6(packet.payload, 0, packet.payload.length, pseudo);
  if (typeof message === 'string') throw new Error(`the host sent ${message}`);
  return message;
}

/** '4/2 @42', '129', '135 to ff02::1'. */
export function textOf(packet: Ipv6Packet): string {
  if (packet.protocol !== 58) return `protocol ${packet.protocol}`;
  const { type, code, rest } = icmpOf(packet);
  if (type >= 133) return `${type} to ${packet.dst}`;
  return type >= 128 ? `${type}` : `${type}/${code}${rest === 0 ? '' : ` @${rest}`}`;
}

function linkAddressOf(word0: number, word3: number): Uint8Array {
  if (word0 >>> 24 !== 0xff) return parseMac(HOST_MAC)!;
  return Uint8Array.from([0x33, 0x33, word3 >>> 24, word3 >>> 16, word3 >>> 8, word3]);
}
