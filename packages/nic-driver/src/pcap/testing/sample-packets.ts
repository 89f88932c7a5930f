import { emitEthernet, emitIpv4Packet, emitIpv6Packet, IPV6_NEXT_HEADER, parseIpv4, parsePrefix } from '@softnet/wire';
import fc from 'fast-check';
import type { FilterSide, PacketFilter } from '../filter/packet-filter.ts';

/** A packet as plain values, of few enough that filters often match. */
export interface SamplePacket {
  readonly network: 'ip' | 'ip6' | 'arp' | 'other';
  readonly protocol: 'udp' | 'tcp' | 'icmp' | 'icmp6' | 'other';
  readonly src: string;
  readonly dst: string;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly etherSrc: string;
  readonly etherDst: string;
  readonly vlans: readonly number[];
  /** Behind the first fragment, so that there are no ports. */
  readonly later: boolean;
  /** Of IPv6: options before what follows. */
  readonly extended: boolean;
  readonly moreBytes: number;
}

const NUMBERS = Object.freeze({ udp: 17, tcp: 6, icmp: 1, icmp6: 58, other: 99 });
const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02', 'ff:ff:ff:ff:ff:ff'] as const;
const ADDRESSES = {
  ip: ['10.0.0.1', '10.0.0.2', '10.1.0.1', '192.168.7.9'],
  ip6: ['fd00::1', 'fd00::2', 'fd00:0:0:1::1', 'fe80::1:2:3'],
} as const;
const PORTS = [53, 80, 4711] as const;

function packetsOf(network: SamplePacket['network']): fc.Arbitrary<SamplePacket> {
  const address = fc.constantFrom(...ADDRESSES[network === 'ip6' ? 'ip6' : 'ip']);
  const mac = fc.constantFrom(...MACS);
  return fc.record({
    network: fc.constant(network),
    protocol: fc.constantFrom('udp', 'tcp', 'icmp', 'icmp6', 'other'),
    src: address,
    dst: address,
    srcPort: fc.constantFrom(...PORTS),
    dstPort: fc.constantFrom(...PORTS),
    etherSrc: mac,
    etherDst: mac,
    vlans: fc.array(fc.constantFrom(5, 9), { maxLength: 2 }),
    later: fc.boolean(),
    extended: fc.boolean(),
    moreBytes: fc.nat(40),
  });
}

export function samplePackets(): fc.Arbitrary<SamplePacket> {
  return fc.oneof(...(['ip', 'ip', 'ip6', 'ip6', 'arp', 'other'] as const).map(packetsOf));
}

/** The frame as it is on the wire. */
export function frameOf(packet: SamplePacket): Uint8Array {
  const types = { ip: 0x800, ip6: 0x86dd, arp: 0x806, other: 0x88b5 };
  const tags = packet.vlans.map((id, index) => ({ tpid: index === 0 ? 0x8100 : 0x88a8, priority: 0, dropEligible: false, id }));
  return emitEthernet({ dst: packet.etherDst, src: packet.etherSrc, tags, type: types[packet.network], payload: payloadOf(packet) });
}

function payloadOf(packet: SamplePacket): Uint8Array {
  const { network, src, dst, later, extended, moreBytes } = packet;
  const protocol = NUMBERS[packet.protocol];
  const payload = transportOf(packet);
  if (network === 'other') return new Uint8Array(46 + moreBytes);
  if (network === 'arp') return arpOf(packet);
  if (network === 'ip') {
    const fragmentOffsetBytes = later ? 1480 : 0;
    const options = extended ? [{ kind: 1, data: new Uint8Array(0) }] : [];
    const fields = { tos: 0, id: 1, dontFragment: false, moreFragments: false, fragmentOffsetBytes, ttl: 64, protocol, src, dst };
    return emitIpv4Packet({ ...fields, options, payload });
  }
  const extension = Uint8Array.of(protocol, 0, 1, 4, 0, 0, 0, 0);
  const fragment = Uint8Array.of(extended ? 60 : protocol, 0, 0x05, 0xc8, 0, 0, 0, 1);
  const parts = [...(later ? [fragment] : []), ...(extended ? [extension] : []), payload];
  const first = later ? 44 : extended ? 60 : protocol;
  const fields = { trafficClass: 0, flowLabel: 0, hopLimit: 64, src, dst, headers: [], protocol: NUMBERS.other };
  const bytes = emitIpv6Packet({ ...fields, payload: new Uint8Array(Buffer.concat(parts)) });
  bytes[IPV6_NEXT_HEADER] = first;
  return bytes;
}

function transportOf({ srcPort, dstPort, moreBytes }: SamplePacket): Uint8Array {
  const bytes = new Uint8Array(20 + moreBytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, srcPort);
  view.setUint16(2, dstPort);
  view.setUint16(4, bytes.length);
  // Of TCP: a header of 20 bytes.
  view.setUint8(12, 0x50);
  return bytes;
}

function arpOf({ src, dst }: SamplePacket): Uint8Array {
  const bytes = new Uint8Array(28);
  bytes.set([0, 1, 8, 0, 6, 4, 0, 1]);
  const view = new DataView(bytes.buffer);
  view.setInt32(14, parseIpv4(src)!);
  view.setInt32(24, parseIpv4(dst)!);
  return bytes;
}

const NETS = Object.freeze([
  '10.0.0.0/8',
  '10.0.0.0/31',
  '0.0.0.0/0',
  '192.168.7.9',
  '10.0.0.1',
  'fd00::/16',
  'fd00::/64',
  'fd00::1',
  'fe80::1:2:3',
  '::/0',
]);
const PROTOCOLS = ['ip', 'ip6', 'arp', 'udp', 'tcp', 'icmp', 'icmp6'] as const;

/** Filters of any shape; without VLANs, if that is wanted. */
export function sampleFilters(vlans: boolean): fc.Arbitrary<PacketFilter> {
  const sides = fc.constantFrom<FilterSide | undefined>(undefined, 'src', 'dst');
  const leaves: fc.Arbitrary<PacketFilter>[] = [
    fc.record({ proto: fc.constantFrom(...PROTOCOLS) }),
    fc.record({ net: fc.constantFrom(...NETS), side: sides }).map(without),
    fc.record({ port: fc.constantFrom(...PORTS), side: sides }).map(without),
    fc.record({ ether: fc.constantFrom(...MACS), side: sides }).map(without),
    fc.record({ minBytes: fc.nat(120) }),
    fc.record({ maxBytes: fc.nat(120) }),
  ];
  if (vlans) leaves.push(fc.record({ vlan: fc.constantFrom(5, 9, 'any' as const) }), fc.constant({ dropped: true }));
  const { filter } = fc.letrec<{ filter: PacketFilter }>((tie) => ({
    filter: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      ...leaves,
      fc.record({ and: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ or: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ not: tie('filter') }),
    ),
  }));
  return filter;
}

function without<T extends { readonly side: FilterSide | undefined }>({ side, ...rest }: T): PacketFilter {
  return (side === undefined ? rest : { ...rest, side }) as object as PacketFilter;
}

/** A filter as its user would write it. */
export function textOf(filter: PacketFilter): string {
  if ('and' in filter) return `(${filter.and.map(textOf).join(' and ')})`;
  if ('or' in filter) return `(${filter.or.map(textOf).join(' || ')})`;
  if ('not' in filter) return `not ${textOf(filter.not)}`;
  if ('proto' in filter) return filter.proto;
  const side = 'side' in filter && filter.side !== undefined ? `${filter.side} ` : '';
  if ('net' in filter) return filter.net.includes('/') ? `${side}net ${filter.net}` : `${side}host ${filter.net}`;
  if ('port' in filter) return `${side}port ${filter.port}`;
  if ('ether' in filter) return `ether ${side}host ${filter.ether}`.replace(/(src|dst) host/, '$1');
  if ('vlan' in filter) return filter.vlan === 'any' ? 'vlan' : `vlan ${filter.vlan}`;
  if ('minBytes' in filter) return `greater ${filter.minBytes}`;
  return 'maxBytes' in filter ? `less ${filter.maxBytes}` : 'dropped';
}

/** What a filter says of a packet, found out from its plain values. */
export function says(filter: PacketFilter, packet: SamplePacket, dropped: boolean): boolean {
  const { network, protocol, vlans } = packet;
  const isIp = network === 'ip' || network === 'ip6';
  const ends = <T>(src: T, dst: T, side: FilterSide | undefined): T[] => (side === 'src' ? [src] : side === 'dst' ? [dst] : [src, dst]);
  if ('and' in filter) return filter.and.every((part) => says(part, packet, dropped));
  if ('or' in filter) return filter.or.some((part) => says(part, packet, dropped));
  if ('not' in filter) return !says(filter.not, packet, dropped);
  if ('proto' in filter) {
    if (filter.proto === 'icmp') return network === 'ip' && protocol === 'icmp';
    if (filter.proto === 'icmp6') return network === 'ip6' && protocol === 'icmp6' && !isHidden(packet);
    return filter.proto === network || (isIp && filter.proto === protocol && !isHidden(packet));
  }
  if ('net' in filter) {
    const { net, side } = filter;
    return network !== 'other' && ends(packet.src, packet.dst, side).some((address) => isWithin(address, net));
  }
  if ('port' in filter) {
    const hasPorts = isIp && !packet.later && (protocol === 'udp' || protocol === 'tcp');
    return hasPorts && ends(packet.srcPort, packet.dstPort, filter.side).includes(filter.port);
  }
  if ('ether' in filter) return ends(packet.etherSrc, packet.etherDst, filter.side).includes(filter.ether);
  if ('vlan' in filter) return filter.vlan === 'any' ? vlans.length > 0 : vlans[0] === filter.vlan;
  const { length } = frameOf(packet);
  if ('minBytes' in filter) return length >= filter.minBytes;
  return 'maxBytes' in filter ? length <= filter.maxBytes : dropped;
}

/** What stands behind a later fragment's header is not looked at: its options may be in another packet. */
function isHidden({ network, later, extended }: SamplePacket): boolean {
  return network === 'ip6' && later && extended;
}

function isWithin(address: string, net: string): boolean {
  const [one, other] = [parsePrefix(address)!, parsePrefix(net)!];
  if (one.family !== other.family) return false;
  const bits = (words: readonly number[]): string => words.map((word) => (word >>> 0).toString(2).padStart(32, '0')).join('');
  // An IPv4 address stands in the last of four words.
  const [from, to] = net.includes(':') ? [0, other.prefixLen] : [96, 96 + other.prefixLen];
  return bits(one.words).slice(from, to) === bits(other.words).slice(from, to);
}
