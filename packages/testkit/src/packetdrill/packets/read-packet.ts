import { IP_PROTOCOL } from '@softnet/contract';
import {
  emitIpv4Packet,
  emitIpv6Packet,
  ipv4Words,
  parseAddress,
  parseIcmpv4,
  parseIcmpv6,
  parseIpv4Packet,
  parseIpv6Packet,
  parseTcp,
  parseUdp,
  pseudoHeaderSum,
} from '@softnet/wire';
import type { OuterHeader } from '../language/packet-spec.ts';
import { takeInner } from './encapsulation.ts';
import type { LivePacket, LiveUpper } from './live-packet.ts';

/** The sum of the pseudo-header of a packet between these. */
export function pseudoSum(src: string, dst: string, protocol: number, lenBytes: number): number {
  const [from, to] = [parseAddress(src), parseAddress(dst)].map((address) => address?.words ?? ipv4Words(0));
  return pseudoHeaderSum(...from!, ...to!, protocol, lenBytes);
}

/**
 * Reads a packet, checksums verified.
 * @param next the next one that was sent, for the rest of a fragmented one; null: there is none.
 */
export function readPacket(first: Uint8Array, next: () => Uint8Array | null): LivePacket {
  const { bytes, frags } = reassemble(first, next);
  const outer: OuterHeader[] = [];
  return readIp(bytes, outer, frags, 0);
}

function readIp(bytes: Uint8Array, outer: OuterHeader[], frags: number, depth: number): LivePacket {
  const version = (bytes[0] ?? 0) >>> 4 === 6 ? 6 : 4;
  const packet = version === 4 ? parseIpv4Packet(bytes, 0, bytes.length) : parseIpv6Packet(bytes, 0, bytes.length);
  const common = { version, outer, frags, bytes } as const;
  if (typeof packet === 'string') {
    const upper: LiveUpper = { kind: 'other', what: packet };
    return { ...common, src: '', dst: '', tos: 0, ttl: 0, flowLabel: 0, protocol: -1, upper };
  }
  const inner = depth < 4 ? takeInner(packet.protocol, packet.payload) : null;
  if (inner !== null) {
    const header: OuterHeader = { kind: version === 4 ? 'ipv4' : 'ipv6', src: packet.src, dst: packet.dst };
    return readIp(inner.payload, [...outer, header, ...inner.outer], frags, depth + 1);
  }
  const { src, dst, protocol } = packet;
  const upper = readUpper(protocol, packet.payload, pseudoSum(src, dst, protocol, packet.payload.length));
  if ('tos' in packet) return { ...common, src, dst, protocol, upper, tos: packet.tos, ttl: packet.ttl, flowLabel: 0 };
  const { trafficClass: tos, hopLimit: ttl, flowLabel } = packet;
  return { ...common, src, dst, protocol, upper, tos, ttl, flowLabel };
}

function readUpper(protocol: number, payload: Uint8Array, sum: number): LiveUpper {
  switch (protocol) {
    case IP_PROTOCOL.TCP: {
      const segment = parseTcp(payload, 0, payload.length, sum);
      return typeof segment === 'string' ? { kind: 'other', what: segment } : { kind: 'tcp', ...segment };
    }
    case IP_PROTOCOL.UDP: {
      const datagram = parseUdp(payload, 0, payload.length, sum);
      if (typeof datagram === 'string') return { kind: 'other', what: datagram };
      const { srcPort, dstPort, checksum } = datagram;
      return { kind: 'udp', srcPort, dstPort, checksum, lenBytes: datagram.payload.length };
    }
    case IP_PROTOCOL.ICMP:
    case IP_PROTOCOL.ICMPV6: {
      const message =
        protocol === IP_PROTOCOL.ICMP ? parseIcmpv4(payload, 0, payload.length) : parseIcmpv6(payload, 0, payload.length, sum);
      return typeof message === 'string' ? { kind: 'other', what: message } : { kind: 'icmp', ...message };
    }
    default:
      return { kind: 'other', what: `protocol ${protocol}` };
  }
}

/** Fragments are sent one behind the other; they are read as the packet that they are. */
function reassemble(first: Uint8Array, next: () => Uint8Array | null): { bytes: Uint8Array; frags: number } {
  const parts = [first];
  for (let part: Uint8Array | null = first; part !== null && hasMore(part); ) {
    part = next();
    if (part !== null) parts.push(part);
  }
  return { bytes: parts.length === 1 ? first : joined(parts), frags: parts.length };
}

function hasMore(bytes: Uint8Array): boolean {
  return fragmentOf(bytes)?.more ?? false;
}

interface Fragment {
  readonly more: boolean;
  readonly data: Uint8Array;
}

function fragmentOf(bytes: Uint8Array): Fragment | null {
  if ((bytes[0] ?? 0) >>> 4 === 4) {
    const packet = parseIpv4Packet(bytes, 0, bytes.length);
    return typeof packet === 'string' ? null : { more: packet.moreFragments, data: packet.payload };
  }
  const at = fragmentHeaderOf(bytes);
  return at < 0 ? null : { more: (bytes[at + 3]! & 1) !== 0, data: bytes.subarray(at + 8) };
}

/** Where the fragment header stands, which this stack puts behind the fixed header; -1: there is none. */
function fragmentHeaderOf(bytes: Uint8Array): number {
  return bytes.length >= 48 && bytes[0]! >>> 4 === 6 && bytes[6] === 44 ? 40 : -1;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const payload = Uint8Array.from(parts.flatMap((part) => [...(fragmentOf(part)?.data ?? [])]));
  const first = parts[0]!;
  if (first[0]! >>> 4 === 4) {
    const packet = parseIpv4Packet(first, 0, first.length);
    return typeof packet === 'string' ? first : emitIpv4Packet({ ...packet, moreFragments: false, payload });
  }
  const packet = parseIpv6Packet(first, 0, first.length);
  if (typeof packet === 'string') return first;
  return emitIpv6Packet({ ...packet, headers: [], protocol: first[40]!, payload });
}
