import type { HeaderParser, ParsedHeader } from '@softnet/contract';
import { ETHERTYPE, LINK_TYPE, PARSER_LEVEL } from '@softnet/contract';
import { ETHERNET_HEADER_BYTES, ETHERNET_MIN_TYPE, ETHERNET_TYPE, isVlanTpid, VLAN_TAG_BYTES } from '@softnet/wire';

/** 802.1ad: a tag of the provider, and one of the customer. */
const MAX_TAGS = 2;

/** The headers of links that netdev itself knows. */
export const linkParsers: readonly HeaderParser[] = Object.freeze([
  { name: 'ethernet', level: PARSER_LEVEL.LINK, number: LINK_TYPE.ETHER, parse: parseEthernet },
  { name: 'loopback', level: PARSER_LEVEL.LINK, number: LINK_TYPE.LOOPBACK, parse: parseEthernet },
  { name: 'bare-ip', level: PARSER_LEVEL.LINK, number: LINK_TYPE.NONE, parse: parseBareIp },
]);

/** Ethernet II, with up to two tags (IEEE 802.1Q §9.3). Lengths for types (IEEE 802.3 with LLC) are understood by nobody. */
function parseEthernet(view: DataView, offset: number, endOffset: number, found: ParsedHeader): boolean {
  let lenBytes = ETHERNET_HEADER_BYTES;
  if (endOffset - offset < lenBytes) return false;
  let type = view.getUint16(offset + ETHERNET_TYPE);
  for (let tags = 0; tags < MAX_TAGS && isVlanTpid(type); tags++) {
    lenBytes += VLAN_TAG_BYTES;
    if (endOffset - offset < lenBytes) return false;
    type = view.getUint16(offset + lenBytes - 2);
  }
  if (type < ETHERNET_MIN_TYPE) return false;
  found.lenBytes = lenBytes;
  found.nextLevel = PARSER_LEVEL.ETHERTYPE;
  found.nextNumber = type;
  return true;
}

/** No link header: IP says by its version what it is (RFC 791 §3.1, RFC 8200 §3). */
function parseBareIp(view: DataView, offset: number, endOffset: number, found: ParsedHeader): boolean {
  if (offset >= endOffset) return false;
  const version = view.getUint8(offset) >> 4;
  if (version !== 4 && version !== 6) return false;
  found.nextLevel = PARSER_LEVEL.ETHERTYPE;
  found.nextNumber = version === 4 ? ETHERTYPE.IPV4 : ETHERTYPE.IPV6;
  return true;
}
