import { ADDRESS_FAMILY, IP_PROTOCOL } from '@softnet/contract';
import {
  formatAddress,
  formatIpv4,
  hasIpv4MoreFragments,
  IPV4_HEADER_BYTES,
  IPV6_DST,
  IPV6_HEADER_BYTES,
  IPV6_SRC,
  ipv4Dst,
  ipv4FragmentOffsetBytes,
  ipv4HeaderBytes,
  ipv4Id,
  ipv4Protocol,
  ipv4Src,
  ipv4TotalBytes,
  ipv4Version,
  ipv6NextHeader,
  ipv6PayloadBytes,
  ipv6Version,
  isIpv4Fragment,
  readAddress,
} from '@softnet/wire';
import { summariseUpper } from './summarise-upper.ts';

/** @param end behind the last byte that is held. @param lenBytes of the packet, as the link says it. */
export function summariseIpv4(view: DataView, at: number, end: number, lenBytes: number): string {
  if (end - at < IPV4_HEADER_BYTES) return `IP [truncated], length ${lenBytes}`;
  const headerBytes = ipv4HeaderBytes(view, at);
  const totalBytes = ipv4TotalBytes(view, at);
  if (ipv4Version(view, at) !== 4) return `IP of version ${ipv4Version(view, at)}, length ${lenBytes}`;
  const [from, to] = [formatIpv4(ipv4Src(view, at)), formatIpv4(ipv4Dst(view, at))];
  if (headerBytes < IPV4_HEADER_BYTES || totalBytes < headerBytes || totalBytes > lenBytes) {
    return `IP ${from} > ${to}: lying lengths (header ${headerBytes}, total ${totalBytes}), length ${lenBytes}`;
  }
  const upper = {
    protocol: ipv4Protocol(view, at),
    at: at + headerBytes,
    end: Math.min(end, at + totalBytes),
    lenBytes: totalBytes - headerBytes,
  };
  if (!isIpv4Fragment(view, at)) return `IP ${summariseUpper(view, upper, from, to)}`;
  const offsetBytes = ipv4FragmentOffsetBytes(view, at);
  const piece = `frag ${ipv4Id(view, at)}:${upper.lenBytes}@${offsetBytes}${hasIpv4MoreFragments(view, at) ? '+' : ''}`;
  return offsetBytes === 0
    ? `IP ${summariseUpper(view, upper, from, to)} (${piece})`
    : `IP ${from} > ${to}: protocol ${upper.protocol} (${piece})`;
}

/** As {@link summariseIpv4}. */
export function summariseIpv6(view: DataView, at: number, end: number, lenBytes: number): string {
  if (end - at < IPV6_HEADER_BYTES) return `IP6 [truncated], length ${lenBytes}`;
  if (ipv6Version(view, at) !== 6) return `IP6 of version ${ipv6Version(view, at)}, length ${lenBytes}`;
  const [from, to] = [address6(view, at + IPV6_SRC), address6(view, at + IPV6_DST)];
  const payloadBytes = ipv6PayloadBytes(view, at);
  if (IPV6_HEADER_BYTES + payloadBytes > lenBytes) return `IP6 ${from} > ${to}: lying length (payload ${payloadBytes}), length ${lenBytes}`;
  const endOffset = Math.min(end, at + IPV6_HEADER_BYTES + payloadBytes);
  return `IP6 ${summariseChain(view, at, endOffset, payloadBytes, from, to)}`;
}

/** Extension headers of which it tells (RFC 8200 §4), at most. */
const MAX_EXTENSIONS = 8;
const FRAGMENT = 44;
const EXTENSIONS: ReadonlyMap<number, string> = new Map([
  [0, 'hop-by-hop'],
  [43, 'routing'],
  [FRAGMENT, 'frag'],
  [60, 'destination-options'],
]);

function summariseChain(view: DataView, header: number, end: number, payloadBytes: number, from: string, to: string): string {
  let protocol = ipv6NextHeader(view, header);
  let at = header + IPV6_HEADER_BYTES;
  let lenBytes = payloadBytes;
  let told = '';
  for (let count = 0; count < MAX_EXTENSIONS; count++) {
    const name = EXTENSIONS.get(protocol);
    if (name === undefined) break;
    if (end - at < 8) return `${from} > ${to}: ${name} [truncated]`;
    const headerBytes = protocol === FRAGMENT ? 8 : 8 + 8 * view.getUint8(at + 1);
    if (headerBytes > lenBytes) return `${from} > ${to}: ${name} reaches over the end`;
    const field = view.getUint16(at + 2);
    told +=
      protocol === FRAGMENT
        ? ` (frag ${view.getUint32(at + 4)}:${lenBytes - 8}@${field & 0xfff8}${(field & 1) === 1 ? '+' : ''})`
        : ` (${name})`;
    const isLater = protocol === FRAGMENT && (field & 0xfff8) !== 0;
    protocol = view.getUint8(at);
    at += headerBytes;
    lenBytes -= headerBytes;
    if (isLater) return `${from} > ${to}: protocol ${protocol}${told}`;
  }
  return summariseUpper(view, { protocol, at: Math.min(at, end), end, lenBytes }, from, to, protocol === IP_PROTOCOL.ICMPV6) + told;
}

function address6(view: DataView, at: number): string {
  return formatAddress(ADDRESS_FAMILY.INET6, ...readAddress(view, at, ADDRESS_FAMILY.INET6));
}
