import type { Skb } from '@softnet/contract';
import { CHECKSUM, DEVICE_FEATURE, IP_PROTOCOL } from '@softnet/contract';
import {
  ETHERNET_HEADER_BYTES,
  ETHERNET_TYPE,
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  ipv4HeaderBytes,
  ipv4Protocol,
  ipv4Version,
  isVlanTpid,
  TCP_CHECKSUM,
  TCP_HEADER_BYTES,
  tcpHeaderBytes,
  UDP_CHECKSUM,
  UDP_HEADER_BYTES,
  VLAN_TAG_BYTES,
} from '@softnet/wire';
import type { VnetHeader } from './vnet-header.ts';
import { VNET_BURST, VNET_FLAG } from './vnet-header.ts';

const { GSO_TCPV4, GSO_TCPV6, GSO_TCP_ECN, GSO_UDP } = DEVICE_FEATURE;
/** A TCP that sends 8 bytes in a segment, Linux's least, needs as many for the longest packet. */
const MOST_SEGMENTS = 8192;

/**
 * What the header says of a received frame, told to the packet, `data` at the frame's first byte: checksum state, and what
 * it stands for. False: it lies; the packet says nothing then. A header length that fits means nothing, as in Linux.
 * @param linkBytes of the link header, without VLAN tags: 14, or 0 of a TUN.
 */
export function readOffloads(skb: Skb, header: VnetHeader, linkBytes: number): boolean {
  if (header.headerBytes > skb.len) return false;
  const partial = (header.flags & VNET_FLAG.NEEDS_CHECKSUM) !== 0;
  if (partial && !checksumFits(skb, header, linkBytes)) return false;
  if (header.burst !== VNET_BURST.NONE && !(partial && readBurst(skb, header, linkBytes))) return false;
  if (partial) {
    skb.checksum = CHECKSUM.PARTIAL;
    skb.csum = ((skb.data - skb.head + header.checksumStart) << 16) | header.checksumOffset;
  } else if ((header.flags & VNET_FLAG.CHECKSUM_VALID) !== 0) skb.checksum = CHECKSUM.UNNECESSARY;
  return true;
}

/** What Linux is to do with a packet that is sent. False: a burst of a sort that it does not take. */
export function describeOffloads(skb: Skb, header: VnetHeader): boolean {
  header.flags = 0;
  header.burst = VNET_BURST.NONE;
  header.headerBytes = 0;
  header.segmentBytes = 0;
  header.checksumStart = 0;
  header.checksumOffset = 0;
  if (skb.checksum === CHECKSUM.PARTIAL) {
    header.flags = VNET_FLAG.NEEDS_CHECKSUM;
    header.checksumStart = skb.head + (skb.csum >>> 16) - skb.data;
    header.checksumOffset = skb.csum & 0xffff;
  }
  if (skb.gsoSize === 0) return true;
  header.burst = burstOf(skb.gsoType);
  const transportBytes = transportHeaderBytes(skb, header);
  if (header.burst === VNET_BURST.NONE || header.flags === 0 || transportBytes === 0) return false;
  header.headerBytes = header.checksumStart + transportBytes;
  header.segmentBytes = skb.gsoSize;
  return true;
}

/** What is summed begins behind the link header, and the field lies in the head. */
function checksumFits({ data, tail }: Skb, { checksumStart, checksumOffset }: VnetHeader, linkBytes: number): boolean {
  return checksumStart >= linkBytes && data + checksumStart + checksumOffset + 2 <= tail;
}

function readBurst(skb: Skb, header: VnetHeader, linkBytes: number): boolean {
  const gsoType = gsoTypeOf(header.burst);
  const payloadBytes = skb.len - header.checksumStart - transportHeaderBytes(skb, header);
  const { segmentBytes } = header;
  if (gsoType === 0 || segmentBytes === 0 || payloadBytes <= 0 || !isTransportThere(skb, header, linkBytes)) return false;
  // One segment is a packet like any other.
  if (payloadBytes <= segmentBytes) return true;
  const segments = Math.ceil(payloadBytes / segmentBytes);
  if (segments > MOST_SEGMENTS) return false;
  skb.gsoSize = segmentBytes;
  skb.gsoSegs = segments;
  skb.gsoType = gsoType;
  return true;
}

function gsoTypeOf(burst: number): number {
  if (burst === VNET_BURST.UDP) return GSO_UDP;
  const ecn = (burst & VNET_BURST.ECN) === 0 ? 0 : GSO_TCP_ECN;
  if (isOf(burst, VNET_BURST.TCPV4)) return GSO_TCPV4 | ecn;
  return isOf(burst, VNET_BURST.TCPV6) ? GSO_TCPV6 | ecn : 0;
}

function burstOf(gsoType: number): number {
  if (gsoType === GSO_UDP) return VNET_BURST.UDP;
  const ecn = (gsoType & GSO_TCP_ECN) === 0 ? 0 : VNET_BURST.ECN;
  const rest = gsoType & ~GSO_TCP_ECN;
  if (rest === GSO_TCPV4) return VNET_BURST.TCPV4 | ecn;
  return rest === GSO_TCPV6 ? VNET_BURST.TCPV6 | ecn : VNET_BURST.NONE;
}

/** Of the header at `checksumStart`, which must lie in the head. 0: it does not, or is none. */
function transportHeaderBytes({ memory, data, tail }: Skb, { burst, checksumStart, checksumOffset }: VnetHeader): number {
  const at = data + checksumStart;
  if (burst === VNET_BURST.UDP) return checksumOffset === UDP_CHECKSUM && at + UDP_HEADER_BYTES <= tail ? UDP_HEADER_BYTES : 0;
  if (checksumOffset !== TCP_CHECKSUM || at + TCP_HEADER_BYTES > tail) return 0;
  const lenBytes = tcpHeaderBytes(memory.view, at);
  return lenBytes >= TCP_HEADER_BYTES && at + lenBytes <= tail ? lenBytes : 0;
}

/** Does the IP header agree: its version, the protocol, and where that begins? The header at `checksumStart` lies in the head. */
function isTransportThere(skb: Skb, { burst, checksumStart }: VnetHeader, linkBytes: number): boolean {
  const { view } = skb.memory;
  const network = linkBytes === 0 ? 0 : behindEthernet(skb);
  const ipBytes = checksumStart - network;
  const at = skb.data + network;
  if (ipBytes < IPV4_HEADER_BYTES) return false;
  if (ipv4Version(view, at) === 4) {
    const protocol = burst === VNET_BURST.UDP ? IP_PROTOCOL.UDP : IP_PROTOCOL.TCP;
    return !isOf(burst, VNET_BURST.TCPV6) && ipv4HeaderBytes(view, at) === ipBytes && ipv4Protocol(view, at) === protocol;
  }
  // Extension headers may stand between: who cuts it reads them.
  return ipv4Version(view, at) === 6 && !isOf(burst, VNET_BURST.TCPV4) && ipBytes >= IPV6_HEADER_BYTES;
}

function isOf(burst: number, sort: number): boolean {
  return (burst & ~VNET_BURST.ECN) === sort;
}

/** Where the network header begins: behind the link header and the VLAN tags. */
function behindEthernet({ memory, data, tail }: Skb): number {
  let at = data + ETHERNET_TYPE;
  while (at + VLAN_TAG_BYTES < tail && isVlanTpid(memory.view.getUint16(at))) at += VLAN_TAG_BYTES;
  return at - data + ETHERNET_HEADER_BYTES - ETHERNET_TYPE;
}
