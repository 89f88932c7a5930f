import type { ModuleContext, NetDevice, Owner, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceKind, Devices, DeviceTraffic, defineService, ETHERTYPE, Module, one, SKB_TYPE, SkbPool, Tap } from '@softnet/contract';
import { Kernel } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { Cable, WireModule } from '@softnet/nic-driver';
import { copyIn, SkbModule, SkbReader } from '@softnet/skb';
import type { NetHost } from '@softnet/testkit';
import { HOST_STACK, Net } from '@softnet/testkit';
import { formatIpv6, parseIpv6, parseMac, viewOf } from '@softnet/wire';
import { bytesOf, icmp, rawPacket } from '../../bad-input/row.ts';

interface Wires {
  /** @param frame whole, with its Ethernet header. */
  send(device: NetDevice, frame: Uint8Array): void;
  /** @param packet without its Ethernet header. */
  seen: (ifindex: number, packet: Uint8Array) => void;
}
const Wires = defineService<Wires>({ name: 'test-wires', version: '1.0.0' });

/** Sends and sees bytes, without a layer above. */
@Module({ name: 'test-wires', version: '1.0.0', requires: [one(DeviceTraffic), one(SkbPool)], provides: [Wires, Tap] })
class WiresModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const [traffic, pool, reader] = [ctx.port(DeviceTraffic), ctx.port(SkbPool), new SkbReader()];
    const wires: Wires = {
      send: (device, frame) => {
        const skb = pool.current.alloc(0, frame.length)!;
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
      wires.seen(skb.ifindex, packet);
    };
    ctx.corridor(Wires, wires);
    ctx.contribute(Tap, { ethertype: ETHERTYPE.ALL, ifindex: 0, tap }, 'corridor');
  }
}

/** The host under test on link 0, and who tests it there. */
export const HOST = 'fd00::1';
export const HOST_LINK = 'fe80::ff:fe00:1';
export const PEER = 'fd00::9';
export const PEER_LINK = 'fe80::9';
/** Nets behind the tester's two ends. */
export const FAR = 'fd01::5';
export const BEYOND = 'fd03::5';
/** The same on link 1. */
export const OTHER = 'fd02::1';
export const OTHER_PEER = 'fd02::9';
/** Addresses that end so are nobody's. */
const NOBODY = 0xdead;

const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02'] as const;
const OURS = '02:00:00:00:00:09';
const NEIGHBOUR_SOLICITATION = 135;

/** A packet on one of the two links. */
export interface Sent {
  readonly link: 0 | 1;
  readonly bytes: Uint8Array;
  /** Of the Ethernet header, where it is not the host's or the group's. */
  readonly mac?: string;
}

/** A host on two links, and at their other ends a conformance tester, which knows every byte. Neighbor Discovery it answers by itself. */
export class Tester implements Owner {
  readonly name = 'tester';
  readonly net: Net;
  readonly host: NetHost;
  readonly #kernel: Kernel;
  readonly #ends: NetDevice[] = [];
  readonly #seen: Sent[] = [];

  private constructor(net: Net, host: NetHost, kernel: Kernel) {
    this.net = net;
    this.host = host;
    this.#kernel = kernel;
  }

  static async boot(): Promise<Tester> {
    const modules = HOST_STACK.filter((source) => !String(source).includes('Ipv4Module'));
    const settings = { 'net.ipv6.icmp.ratelimit': 0, 'net.ipv6.icmp.msgs_burst': 1_000_000, 'net.ipv6.auto_flowlabels': 0 };
    const net = new Net({ modules, kernel: { settings } });
    const host = await net.host('h');
    const kernel = new Kernel({ world: net.world, name: 'tester' });
    for (const source of [SkbModule, NetdevModule, WireModule, WiresModule]) await net.run(kernel.load(source));
    const tester = new Tester(net, host, kernel);
    for (const [i, address] of MACS.entries()) {
      const cable = new Cable();
      await net.run(host.addDevice('wire', `eth${i}`, { cable, address }));
      const end = await kernel.contributions(DeviceKind).items[0]!.create(`p${i}`, { cable, address: OURS }, tester);
      kernel.port(Devices).current.open(end);
      host.up(`eth${i}`);
      tester.#ends.push(end);
    }
    kernel.port(Wires).current.seen = (ifindex, packet) => tester.#receive(ifindex, packet);
    await net.pass(1);
    host.addAddress('eth0', `${HOST}/64`);
    host.addAddress('eth1', `${OTHER}/64`);
    host.addRoute('fd01::/16', { via: PEER, dev: 'eth0' });
    host.addRoute('fd03::/16', { via: OTHER_PEER, dev: 'eth1' });
    await net.pass(1);
    return tester;
  }

  send({ link, bytes, mac }: Sent): void {
    const dst = bytes.slice(24, 40);
    const toGroup = dst[0] === 0xff ? Uint8Array.of(0x33, 0x33, ...dst.slice(12)) : null;
    const to = mac === undefined ? (toGroup ?? parseMac(MACS[link])!) : parseMac(mac)!;
    this.#kernel.port(Wires).current.send(this.#ends[link]!, bytesOf(to, parseMac(OURS)!, '86dd', bytes));
  }

  /** What the host has sent, without Neighbor Discovery and MLD; in what was cut, identifications are 0: that pieces have the same was seen. */
  async take(ms: number): Promise<Sent[]> {
    await this.net.pass(ms);
    const ids = new Map<number, number>();
    return this.#seen.splice(0).map((sent) => {
      const { link, bytes } = sent;
      // What was cut elsewhere only passes by.
      if (bytes[6] !== 44 || bytes[7] === 63) return sent;
      const view = viewOf(bytes);
      if ((view.getUint16(42) & 0xfff8) === 0) ids.set(link, view.getInt32(44));
      if (ids.get(link) !== view.getInt32(44)) throw new Error('pieces of one datagram have two identifications');
      view.setInt32(44, 0);
      return sent;
    });
  }

  async end(): Promise<void> {
    await this.net.dispose();
    await this.net.run(this.#kernel.shutdown());
  }

  #receive(ifindex: number, bytes: Uint8Array): void {
    const link = this.#ends[0]!.ifindex === ifindex ? 0 : 1;
    const type = bytes[6] === 58 ? bytes[40]! : 0;
    // MLD has its router alert before it.
    const isMld = bytes[6] === 0 && bytes[24] === 0xff;
    if (type === NEIGHBOUR_SOLICITATION) this.#advertise(link, bytes);
    else if ((type < 133 || type > 136) && !isMld) this.#seen.push({ link, bytes });
  }

  #advertise(link: 0 | 1, solicitation: Uint8Array): void {
    const view = viewOf(solicitation);
    const at = (offset: number): string =>
      formatIpv6(view.getInt32(offset), view.getInt32(offset + 4), view.getInt32(offset + 8), view.getInt32(offset + 12));
    const [dst, src] = [at(8), at(48)];
    if (dst === '::' || (parseIpv6(src)![3] & 0xffff) === NOBODY) return;
    const advertisement = icmp(136, 0, 0x60000000, bytesOf(solicitation.slice(48, 64), '0201', parseMac(OURS)!), { src, dst });
    this.send({ link, bytes: rawPacket(58, advertisement, { src, dst, hopLimit: 255 }) });
  }
}
