import { execFileSync } from 'node:child_process';
import type { NetDevice } from '@softnet/contract';
import { DeviceKind, Devices } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { TapModule } from '@softnet/nic-driver/node';
import { SkbModule } from '@softnet/skb';
import type { Ipv6Packet } from '@softnet/wire';
import { formatMac, parseIpv6, parseIpv6Packet, parseMac } from '@softnet/wire';
import { Frames, FramesModule } from '../../stack/ipv6/frames-module.ts';
import { HOST, PEER_MAC } from '../../stack/ipv6/raw-peer.ts';
import type { Netns } from './netns.ts';

/** Somebody on a link of Linux who writes packets of IPv6 by hand, answers nobody, and keeps what is sent to him. */
export class RawTap {
  static #made = 0;
  /** To his link address, in order. */
  readonly received: Ipv6Packet[] = [];
  /** Of whom he writes to. */
  mac = '';
  readonly #kernel: Kernel;
  readonly #device: NetDevice;

  private constructor(kernel: Kernel, device: NetDevice) {
    this.#kernel = kernel;
    this.#device = device;
    kernel.port(Frames).current.seen = (bytes, header) => {
      if (formatMac(header.subarray(0, 6)) !== PEER_MAC) return;
      const packet = parseIpv6Packet(bytes, 0, bytes.length);
      if (typeof packet === 'string') throw new Error(`somebody sent ${packet}`);
      this.received.push(packet);
    };
  }

  /** Linux has the other end by this name, down. */
  static async plug(linux: Netns, name: string): Promise<RawTap> {
    const kernel = new Kernel({ world: new World({ clock: 'real' }), name: 'raw' });
    for (const source of [SkbModule, NetdevModule, TapModule, FramesModule]) await kernel.load(source);
    const ifname = `snr${process.pid % 100_000}${'abcdefghijklmnop'[RawTap.#made++ % 16]}`;
    const kind = kernel.contributions(DeviceKind).items[0]!;
    const device = await kind.create('p0', { ifname, vnetHeader: false }, { name: 'test' });
    execFileSync('ip', ['link', 'set', ifname, 'netns', linux.name, 'name', name]);
    kernel.port(Devices).current.open(device);
    return new RawTap(kernel, device);
  }

  /** @param dst its groups are sent to by their link addresses. @param mac of the link header. */
  bytes(packet: Uint8Array, dst: string = HOST, mac?: string): void {
    const words = parseIpv6(dst)!;
    const isGroup = words[0] >>> 24 === 0xff;
    const frame = new Uint8Array(14 + packet.length);
    frame.set(mac === undefined && isGroup ? groupMac(words[3]) : parseMac(mac ?? this.mac)!);
    frame.set(parseMac(PEER_MAC)!, 6);
    frame.set([0x86, 0xdd], 12);
    frame.set(packet, 14);
    this.#kernel.port(Frames).current.send(this.#device, frame);
  }

  async end(): Promise<void> {
    await this.#kernel.shutdown();
  }
}

function groupMac(word3: number): Uint8Array {
  return Uint8Array.from([0x33, 0x33, word3 >>> 24, word3 >>> 16, word3 >>> 8, word3]);
}
