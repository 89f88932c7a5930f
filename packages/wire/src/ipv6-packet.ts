import { ADDRESS_FAMILY } from '@softnet/contract';
import { inRange, refused } from './field-range.ts';
import { putAddress } from './ip-address.ts';
import type { Ipv6Fault } from './ipv6.ts';
import {
  IPV6_DST,
  IPV6_HEADER_BYTES,
  IPV6_NEXT_HEADER,
  IPV6_SRC,
  ipv6Dst,
  ipv6Fault,
  ipv6FlowLabel,
  ipv6HopLimit,
  ipv6NextHeader,
  ipv6PayloadBytes,
  ipv6Src,
  ipv6TrafficClass,
  setIpv6HopLimit,
  setIpv6NextHeader,
  setIpv6PayloadBytes,
  setIpv6TrafficClassAndFlowLabel,
} from './ipv6.ts';
import { formatIpv6, parseIpv6 } from './ipv6-address.ts';
import type { ExtensionHeader } from './ipv6-extension-list.ts';
import { emitExtensionHeaders, parseExtensionHeaders } from './ipv6-extension-list.ts';
import type { ExtensionFault } from './ipv6-extension-walk.ts';
import { Ipv6HeaderChain, walkExtensionHeaders } from './ipv6-extension-walk.ts';
import { IPV6_LIMITS } from './ipv6-limits.ts';
import { viewOf } from './view-of.ts';

/** A packet as a plain value; the payload length is computed (RFC 8200 §3, §4). */
export interface Ipv6Packet {
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly hopLimit: number;
  /** RFC 5952: `2001:db8::1`. */
  readonly src: string;
  readonly dst: string;
  /** In their order. */
  readonly headers: readonly ExtensionHeader[];
  /** Of the payload: what the last Next Header says. */
  readonly protocol: number;
  /** As far as the payload length goes. Shares the bytes that were parsed. */
  readonly payload: Uint8Array;
}

/** Within {@link IPV6_LIMITS}. */
export function parseIpv6Packet(bytes: Uint8Array, offset: number, length: number): Ipv6Packet | Ipv6Fault | ExtensionFault {
  const view = viewOf(bytes);
  const fault = ipv6Fault(view, offset, length, length);
  if (fault !== null) return fault;
  const start = offset + IPV6_HEADER_BYTES;
  const end = start + ipv6PayloadBytes(view, offset);
  const first = ipv6NextHeader(view, offset);
  const chain = new Ipv6HeaderChain();
  const chainFault = walkExtensionHeaders(view, first, offset + IPV6_NEXT_HEADER, start, end, IPV6_LIMITS, chain);
  if (chainFault !== null) return chainFault;
  return {
    trafficClass: ipv6TrafficClass(view, offset),
    flowLabel: ipv6FlowLabel(view, offset),
    hopLimit: ipv6HopLimit(view, offset),
    src: formatIpv6(ipv6Src(view, offset, 0), ipv6Src(view, offset, 1), ipv6Src(view, offset, 2), ipv6Src(view, offset, 3)),
    dst: formatIpv6(ipv6Dst(view, offset, 0), ipv6Dst(view, offset, 1), ipv6Dst(view, offset, 2), ipv6Dst(view, offset, 3)),
    headers: parseExtensionHeaders(bytes, first, start, chain.end),
    protocol: chain.protocol,
    payload: bytes.subarray(chain.end, end),
  };
}

/** @throws NetError EINVAL */
export function emitIpv6Packet(packet: Ipv6Packet): Uint8Array {
  const extension = emitExtensionHeaders(packet.headers, inRange('ipv6.protocol', packet.protocol, 0xff));
  const payloadBytes = extension.bytes.length + packet.payload.length;
  const bytes = new Uint8Array(IPV6_HEADER_BYTES + payloadBytes);
  const view = viewOf(bytes);
  const trafficClass = inRange('ipv6.trafficClass', packet.trafficClass, 0xff);
  setIpv6TrafficClassAndFlowLabel(view, 0, trafficClass, inRange('ipv6.flowLabel', packet.flowLabel, 0xfffff));
  setIpv6PayloadBytes(view, 0, inRange('ipv6.payload-length', payloadBytes, 0xffff));
  setIpv6NextHeader(view, 0, extension.nextHeader);
  setIpv6HopLimit(view, 0, inRange('ipv6.hopLimit', packet.hopLimit, 0xff));
  putText(view, IPV6_SRC, 'ipv6.src', packet.src);
  putText(view, IPV6_DST, 'ipv6.dst', packet.dst);
  bytes.set(extension.bytes, IPV6_HEADER_BYTES);
  bytes.set(packet.payload, IPV6_HEADER_BYTES + extension.bytes.length);
  return bytes;
}

function putText(view: DataView, at: number, field: string, text: string): void {
  const words = parseIpv6(text);
  if (words === null) throw refused(field, `'${text}'`, "an IPv6 address like '2001:db8::1'");
  putAddress(view, at, ADDRESS_FAMILY.INET6, ...words);
}
