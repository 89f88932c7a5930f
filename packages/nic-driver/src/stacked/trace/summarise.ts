import { ETHERTYPE } from '@softnet/contract';
import {
  ETHERNET_HEADER_BYTES,
  ETHERNET_TYPE,
  formatIpv4,
  formatMac,
  isVlanTpid,
  MAC_BYTES,
  VLAN_TAG_BYTES,
  vlanId,
  vlanPriority,
  vlanTag,
} from '@softnet/wire';
import { summariseIpv4, summariseIpv6 } from './summarise-ip.ts';

/** So many tags one in another are told of. */
const MAX_TAGS = 2;

/**
 * A frame in one line of text, as tcpdump says it: `IP 10.0.0.1.4711 > 10.0.0.2.7: UDP, length 12`. Pure; throws nothing, whatever the bytes are: what
 * they do not hold it says is missing, `[truncated]`.
 * @param offset where the frame begins in `view`.
 * @param heldBytes how many of its bytes are there; the rest was not kept.
 * @param lenBytes how many it has.
 * @param hasLinkHeader false: it begins with an IP header (TUN).
 */
export function summarise(view: DataView, offset: number, heldBytes: number, lenBytes: number, hasLinkHeader = true): string {
  const end = offset + Math.max(0, Math.min(heldBytes, lenBytes, view.byteLength - offset));
  if (!hasLinkHeader) return summariseBare(view, offset, end, lenBytes);
  if (end - offset < ETHERNET_HEADER_BYTES) return `[truncated], length ${lenBytes}`;
  let at = offset + ETHERNET_TYPE;
  let tags = '';
  for (let count = 0; count < MAX_TAGS && isVlanTpid(view.getUint16(at)); count++) {
    if (at + VLAN_TAG_BYTES + 2 > end) return `${tags}vlan [truncated], length ${lenBytes}`;
    const tag = vlanTag(view, at);
    tags += `vlan ${vlanId(tag)}, p ${vlanPriority(tag)}, `;
    at += VLAN_TAG_BYTES;
  }
  const type = view.getUint16(at);
  at += 2;
  const rest = lenBytes - (at - offset);
  if (type === ETHERTYPE.IPV4) return tags + summariseIpv4(view, at, end, rest);
  if (type === ETHERTYPE.IPV6) return tags + summariseIpv6(view, at, end, rest);
  if (type === ETHERTYPE.ARP) return tags + summariseArp(view, at, end, rest);
  return `${tags}${macs(view, offset)}, ethertype 0x${type.toString(16).padStart(4, '0')}, length ${lenBytes}`;
}

function summariseBare(view: DataView, at: number, end: number, lenBytes: number): string {
  const version = at < end ? view.getUint8(at) >> 4 : 0;
  if (version === 4) return summariseIpv4(view, at, end, lenBytes);
  return version === 6 ? summariseIpv6(view, at, end, lenBytes) : `no IP packet, length ${lenBytes}`;
}

function macs(view: DataView, offset: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, 2 * MAC_BYTES);
  return `${formatMac(bytes, MAC_BYTES)} > ${formatMac(bytes)}`;
}

/** Of IPv4 over Ethernet (RFC 826). */
const ARP_BYTES = 28;
const ARP_IPV4_OVER_ETHERNET = 0x06040000;

function summariseArp(view: DataView, at: number, end: number, lenBytes: number): string {
  if (end - at < ARP_BYTES) return `ARP [truncated], length ${lenBytes}`;
  const operation = view.getUint16(at + 6);
  if (view.getUint32(at + 4) - operation !== ARP_IPV4_OVER_ETHERNET) return `ARP of other links or protocols, length ${lenBytes}`;
  const sender = formatIpv4(view.getInt32(at + 14));
  const target = formatIpv4(view.getInt32(at + 24));
  if (operation === 1) return `ARP, Request who-has ${target} tell ${sender}, length ${lenBytes}`;
  const mac = formatMac(new Uint8Array(view.buffer, view.byteOffset + at + 8, MAC_BYTES));
  return operation === 2
    ? `ARP, Reply ${sender} is-at ${mac}, length ${lenBytes}`
    : `ARP, operation ${operation} of ${sender}, length ${lenBytes}`;
}
