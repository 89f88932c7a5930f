import { ETHERTYPE, IP_PROTOCOL } from '@softnet/contract';
import { emitIpv4Packet, emitIpv6Packet } from '@softnet/wire';
import type { MplsLabel, OuterHeader } from '../language/packet-spec.ts';

/** GRE (RFC 2784, RFC 2890): the key is there where its bit is set; a checksum and a sequence number are not written. */
const GRE = 47;
const GRE_KEY = 0x2000;
const MPLS_ETHERTYPE = 0x8847;

/** What lies in a tunnel's packet: headers between, and the inner packet. Null: this protocol is none. */
export function takeInner(protocol: number, payload: Uint8Array): { outer: OuterHeader[]; payload: Uint8Array } | null {
  if (protocol === IP_PROTOCOL.IPIP || protocol === IP_PROTOCOL.IPV6) return { outer: [], payload };
  if (protocol !== GRE || payload.length < 4) return null;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const flags = view.getUint16(0);
  const hasKey = (flags & GRE_KEY) !== 0 && payload.length >= 8;
  const gre: OuterHeader = { kind: 'gre', flags, protocol: view.getUint16(2), key: hasKey ? view.getUint32(4) : null };
  const rest = payload.subarray(hasKey ? 8 : 4);
  if (gre.protocol !== MPLS_ETHERTYPE) return { outer: [gre], payload: rest };
  const stack: MplsLabel[] = [];
  for (let at = 0; at + 4 <= rest.length; at += 4) {
    const word = (rest[at]! << 24) | (rest[at + 1]! << 16) | (rest[at + 2]! << 8) | rest[at + 3]!;
    const bottom = ((word >>> 8) & 1) === 1;
    stack.push({ label: word >>> 12, tc: (word >>> 9) & 7, bottom, ttl: word & 0xff });
    if (bottom) break;
  }
  return { outer: [gre, { kind: 'mpls', stack }], payload: rest.subarray(4 * stack.length) };
}

/** The packet within these headers, outermost first. */
export function putOuter(outer: readonly OuterHeader[], inner: Uint8Array): Uint8Array {
  let bytes = inner;
  let protocol: number = inner[0]! >>> 4 === 6 ? IP_PROTOCOL.IPV6 : IP_PROTOCOL.IPIP;
  for (const header of outer.toReversed()) {
    bytes = within(header, bytes, protocol);
    if (header.kind === 'gre') protocol = GRE;
    else if (header.kind !== 'mpls') protocol = header.kind === 'ipv6' ? IP_PROTOCOL.IPV6 : IP_PROTOCOL.IPIP;
  }
  return bytes;
}

function within(header: OuterHeader, payload: Uint8Array, protocol: number): Uint8Array {
  if (header.kind !== 'gre' && header.kind !== 'mpls') {
    const { src, dst } = header;
    if (header.kind === 'ipv6') {
      return emitIpv6Packet({ trafficClass: 0, flowLabel: 0, hopLimit: 255, headers: [], protocol, src, dst, payload });
    }
    const fixed = { tos: 0, id: 0, dontFragment: true, moreFragments: false, fragmentOffsetBytes: 0, ttl: 255, options: [] };
    return emitIpv4Packet({ ...fixed, protocol, src, dst, payload });
  }
  if (header.kind === 'mpls') return joined(header.stack.flatMap(bytesOfLabel), payload);
  const proto = header.protocol === 0 ? ETHERTYPE.IPV4 : header.protocol;
  const bytes = [header.flags >>> 8, header.flags & 0xff, proto >>> 8, proto & 0xff];
  if ((header.flags & GRE_KEY) !== 0) bytes.push(...bytesOfWord(header.key ?? 0));
  return joined(bytes, payload);
}

function bytesOfLabel({ label, tc, bottom, ttl }: MplsLabel): number[] {
  return bytesOfWord((label << 12) | (tc << 9) | (bottom ? 0x100 : 0) | ttl);
}

function bytesOfWord(word: number): number[] {
  return [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff];
}

function joined(head: readonly number[], payload: Uint8Array): Uint8Array {
  return Uint8Array.from([...head, ...payload]);
}
