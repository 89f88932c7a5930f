import type { Skb } from '@softnet/contract';
import { ETHERTYPE, FlowKey, IP_PROTOCOL } from '@softnet/contract';
import { gather } from '@softnet/skb';
import {
  dstPort,
  ETHERNET_HEADER_BYTES,
  ETHERNET_TYPE,
  extensionHeaderBytes,
  extensionNextHeader,
  hasIpv6MoreFragments,
  IPV4_HEADER_BYTES,
  IPV6_EXTENSION,
  IPV6_HEADER_BYTES,
  ipv4HeaderBytes,
  ipv4Protocol,
  ipv4TotalBytes,
  ipv4Version,
  ipv6FragmentOffsetBytes,
  ipv6NextHeader,
  ipv6PayloadBytes,
  ipv6Version,
  isExtensionHeader,
  isIpv4Fragment,
  isVlanTpid,
  PORTS_BYTES,
  readIpv4Ends,
  readIpv6Ends,
  srcPort,
  VLAN_TAG_BYTES,
} from '@softnet/wire';

/** A card looks behind so many tags and extension headers, no further. */
const MOST_TAGS = 2;
const MOST_EXTENSIONS = 8;

/**
 * What a network card sees of a received Ethernet frame: which flow it is of. Kept and filled anew for each frame; offsets are from
 * `skb.data`, the link header.
 */
export class FrameHeaders {
  /** Local is the destination; without ports, and for fragments, the ports are 0. */
  readonly key: FlowKey = new FlowKey();
  ipv6 = false;
  /** The key has ports. */
  ports = false;
  /** The packet's protocol header is whole and here: it is no fragment, and no routing header changes its destination. */
  whole = false;
  network = 0;
  transport = 0;
  /** Behind the IP packet; padding may follow. */
  end = 0;

  /** False: neither IPv4 nor IPv6, or cut off, or lying about its length. May bring headers from fragments into the head. */
  read(skb: Skb): boolean {
    let at = ETHERNET_HEADER_BYTES;
    if (!inHead(skb, at)) return false;
    let type = skb.memory.view.getUint16(skb.data + ETHERNET_TYPE);
    for (let tags = 0; isVlanTpid(type); tags++) {
      at += VLAN_TAG_BYTES;
      if (tags === MOST_TAGS || !inHead(skb, at)) return false;
      type = skb.memory.view.getUint16(skb.data + at - 2);
    }
    this.network = at;
    this.ports = false;
    this.key.localPort = 0;
    this.key.remotePort = 0;
    if (type === ETHERTYPE.IPV4) return this.#readIpv4(skb, at);
    return type === ETHERTYPE.IPV6 && this.#readIpv6(skb, at);
  }

  #readIpv4(skb: Skb, network: number): boolean {
    if (!inHead(skb, network + IPV4_HEADER_BYTES)) return false;
    const { view } = skb.memory;
    const at = skb.data + network;
    const headerBytes = ipv4HeaderBytes(view, at);
    const totalBytes = ipv4TotalBytes(view, at);
    if (ipv4Version(view, at) !== 4 || headerBytes < IPV4_HEADER_BYTES || totalBytes < headerBytes) return false;
    const { key } = this;
    key.protocol = ipv4Protocol(view, at);
    readIpv4Ends(view, at, key);
    this.ipv6 = false;
    this.whole = !isIpv4Fragment(view, at);
    this.transport = network + headerBytes;
    this.end = network + totalBytes;
    return this.end <= skb.len && this.#readPorts(skb);
  }

  #readIpv6(skb: Skb, network: number): boolean {
    if (!inHead(skb, network + IPV6_HEADER_BYTES)) return false;
    const { view } = skb.memory;
    const at = skb.data + network;
    if (ipv6Version(view, at) !== 6) return false;
    const { key } = this;
    readIpv6Ends(view, at, key);
    key.protocol = ipv6NextHeader(view, at);
    this.ipv6 = true;
    this.whole = true;
    this.transport = network + IPV6_HEADER_BYTES;
    this.end = this.transport + ipv6PayloadBytes(view, at);
    return this.end <= skb.len && this.#skipExtensions(skb) && this.#readPorts(skb);
  }

  #skipExtensions(skb: Skb): boolean {
    const { key } = this;
    for (let count = 0; this.whole && isExtensionHeader(key.protocol); count++) {
      if (count === MOST_EXTENSIONS || !inHead(skb, this.transport + 8)) return false;
      // A length of its own, which may be more than is in the head.
      const lenBytes = extensionHeaderBytes(skb.memory.view, key.protocol, skb.data + this.transport, skb.data + this.end);
      if (lenBytes === 0 || !inHead(skb, this.transport + lenBytes)) return false;
      const { view } = skb.memory;
      const at = skb.data + this.transport;
      if (key.protocol === IPV6_EXTENSION.ROUTING) this.whole = false;
      if (key.protocol === IPV6_EXTENSION.FRAGMENT && (ipv6FragmentOffsetBytes(view, at) !== 0 || hasIpv6MoreFragments(view, at))) {
        this.whole = false;
      }
      key.protocol = extensionNextHeader(view, at);
      this.transport += lenBytes;
    }
    return true;
  }

  /** Fragments of a packet are of one flow, whichever of them has the ports: none of them is looked at (RSS by addresses). */
  #readPorts(skb: Skb): boolean {
    const { key } = this;
    if (!this.whole || !hasPorts(key.protocol)) return true;
    if (this.transport + PORTS_BYTES > this.end || !inHead(skb, this.transport + PORTS_BYTES)) return false;
    const at = skb.data + this.transport;
    key.remotePort = srcPort(skb.memory.view, at);
    key.localPort = dstPort(skb.memory.view, at);
    this.ports = true;
    return true;
  }
}

/** Protocols that begin with ports, as the card knows them. */
export function hasPorts(protocol: number): boolean {
  return (
    protocol === IP_PROTOCOL.TCP ||
    protocol === IP_PROTOCOL.UDP ||
    protocol === IP_PROTOCOL.SCTP ||
    protocol === IP_PROTOCOL.DCCP ||
    protocol === IP_PROTOCOL.UDPLITE
  );
}

/** Do so many bytes lie in the head? They are brought there where they are not. */
function inHead(skb: Skb, lenBytes: number): boolean {
  if (skb.tail - skb.data >= lenBytes) return true;
  return skb.fragments !== null && skb.len >= lenBytes && gather(skb, lenBytes);
}
