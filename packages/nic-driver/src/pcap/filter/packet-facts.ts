import { ADDRESS_FAMILY, ETHERTYPE, IP_PROTOCOL, IPV4_WORD2 } from '@softnet/contract';
import {
  dstPort,
  ETHERNET_DST,
  ETHERNET_HEADER_BYTES,
  ETHERNET_SRC,
  ethernetType,
  extensionHeaderBytes,
  extensionNextHeader,
  IPV4_DST,
  IPV4_HEADER_BYTES,
  IPV4_SRC,
  IPV6_DST,
  IPV6_EXTENSION,
  IPV6_HEADER_BYTES,
  IPV6_SRC,
  ipv4FragmentOffsetBytes,
  ipv4HeaderBytes,
  ipv4Protocol,
  ipv6FragmentOffsetBytes,
  ipv6NextHeader,
  isExtensionHeader,
  isVlanTpid,
  PORTS_BYTES,
  srcPort,
  VLAN_TAG_BYTES,
  vlanId,
  vlanTag,
} from '@softnet/wire';

/** Sender's and target's protocol address in ARP for IPv4 over Ethernet (RFC 826). */
const ARP_SENDER = 14;
const ARP_TARGET = 24;
const ARP_BYTES = 28;

/**
 * What filters ask of a packet, read once from its headers: kept and filled anew for each. Headers that are cut off, or no
 * headers, leave their fields at -1. VLAN tags and IPv6's extension headers are looked through.
 */
export class PacketFacts {
  /** With link header, as on the wire. */
  lenBytes = 0;
  dropped = false;
  /** Link addresses as three 16-bit words each, destination first; meaningful if `hasMac`. */
  readonly mac: Int32Array = new Int32Array(6);
  hasMac = false;
  /** VLAN of the outermost tag; -1: none. */
  vlan = -1;
  /** Behind the tags; -1: none. */
  ethertype = -1;
  /** Of `addresses`: one of `ADDRESS_FAMILY`; -1: there are none. */
  family = -1;
  /** Source, then destination: four words each, as in a flow. */
  readonly addresses: Int32Array = new Int32Array(8);
  /** IP protocol; -1: not IP. */
  protocol = -1;
  /** Of UDP and TCP; -1: none. */
  srcPort = -1;
  dstPort = -1;

  /** Reads an Ethernet frame that begins at `offset`. @param tag taken off it already, as in an skb; 0: none. */
  readFrame(view: DataView, offset: number, end: number, tag: number): void {
    this.#clear();
    if (offset + ETHERNET_HEADER_BYTES > end) return;
    this.hasMac = true;
    for (let i = 0; i < 3; i++) {
      this.mac[i] = view.getUint16(offset + ETHERNET_DST + 2 * i);
      this.mac[3 + i] = view.getUint16(offset + ETHERNET_SRC + 2 * i);
    }
    if (tag !== 0) this.vlan = vlanId(tag);
    let type = ethernetType(view, offset);
    let at = offset + ETHERNET_HEADER_BYTES;
    for (; isVlanTpid(type) && at + VLAN_TAG_BYTES <= end; at += VLAN_TAG_BYTES) {
      if (this.vlan < 0) this.vlan = vlanId(vlanTag(view, at - 2));
      type = view.getUint16(at + 2);
    }
    this.#readNetwork(view, type, at, end);
  }

  /** Reads what has no link header: begins with the header of `ethertype`. */
  readPacket(view: DataView, ethertype: number, offset: number, end: number): void {
    this.#clear();
    this.#readNetwork(view, ethertype, offset, end);
  }

  #clear(): void {
    this.hasMac = false;
    this.vlan = -1;
    this.ethertype = -1;
    this.family = -1;
    this.protocol = -1;
    this.srcPort = -1;
    this.dstPort = -1;
  }

  #readNetwork(view: DataView, ethertype: number, at: number, end: number): void {
    this.ethertype = ethertype;
    if (ethertype === ETHERTYPE.IPV4) this.#readIpv4(view, at, end);
    else if (ethertype === ETHERTYPE.IPV6) this.#readIpv6(view, at, end);
    else if (ethertype === ETHERTYPE.ARP && at + ARP_BYTES <= end) this.#ipv4Addresses(view, at + ARP_SENDER, at + ARP_TARGET);
  }

  #readIpv4(view: DataView, at: number, end: number): void {
    if (at + IPV4_HEADER_BYTES > end) return;
    this.protocol = ipv4Protocol(view, at);
    this.#ipv4Addresses(view, at + IPV4_SRC, at + IPV4_DST);
    const lenBytes = ipv4HeaderBytes(view, at);
    if (lenBytes >= IPV4_HEADER_BYTES && ipv4FragmentOffsetBytes(view, at) === 0) this.#readPorts(view, at + lenBytes, end);
  }

  #readIpv6(view: DataView, at: number, end: number): void {
    if (at + IPV6_HEADER_BYTES > end) return;
    this.family = ADDRESS_FAMILY.INET6;
    for (let i = 0; i < 4; i++) {
      this.addresses[i] = view.getInt32(at + IPV6_SRC + 4 * i);
      this.addresses[4 + i] = view.getInt32(at + IPV6_DST + 4 * i);
    }
    let protocol = ipv6NextHeader(view, at);
    let behind = at + IPV6_HEADER_BYTES;
    let isFirst = true;
    while (isFirst && isExtensionHeader(protocol)) {
      const lenBytes = extensionHeaderBytes(view, protocol, behind, end);
      if (lenBytes === 0) break;
      isFirst = protocol !== IPV6_EXTENSION.FRAGMENT || ipv6FragmentOffsetBytes(view, behind) === 0;
      protocol = extensionNextHeader(view, behind);
      behind += lenBytes;
    }
    this.protocol = protocol;
    if (isFirst) this.#readPorts(view, behind, end);
  }

  #readPorts(view: DataView, at: number, end: number): void {
    if (this.protocol !== IP_PROTOCOL.UDP && this.protocol !== IP_PROTOCOL.TCP) return;
    if (at + PORTS_BYTES > end) return;
    this.srcPort = srcPort(view, at);
    this.dstPort = dstPort(view, at);
  }

  #ipv4Addresses(view: DataView, src: number, dst: number): void {
    const { addresses } = this;
    this.family = ADDRESS_FAMILY.INET;
    addresses.fill(0);
    addresses[2] = IPV4_WORD2;
    addresses[6] = IPV4_WORD2;
    addresses[3] = view.getInt32(src);
    addresses[7] = view.getInt32(dst);
  }
}
