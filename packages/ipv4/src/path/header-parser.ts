import type { HeaderParser, ParsedHeader } from '@softnet/contract';
import { ETHERTYPE, PARSER_LEVEL } from '@softnet/contract';
import { IPV4_HEADER_BYTES, ipv4FragmentOffsetBytes, ipv4HeaderBytes, ipv4Protocol, ipv4Version } from '@softnet/wire';

/** Where IPv4's header ends, options included (RFC 791 §3.1). Behind it in later fragments is payload, whatever the protocol. */
export const IPV4_PARSER: HeaderParser = Object.freeze({
  name: 'ipv4',
  level: PARSER_LEVEL.ETHERTYPE,
  number: ETHERTYPE.IPV4,
  parse(view: DataView, offset: number, endOffset: number, found: ParsedHeader): boolean {
    if (endOffset - offset < IPV4_HEADER_BYTES || ipv4Version(view, offset) !== 4) return false;
    const lenBytes = ipv4HeaderBytes(view, offset);
    if (lenBytes < IPV4_HEADER_BYTES || endOffset - offset < lenBytes) return false;
    found.lenBytes = lenBytes;
    found.nextLevel = ipv4FragmentOffsetBytes(view, offset) === 0 ? PARSER_LEVEL.IP_PROTOCOL : PARSER_LEVEL.END;
    found.nextNumber = ipv4Protocol(view, offset);
    found.otherNumber = -1;
    return true;
  },
});
