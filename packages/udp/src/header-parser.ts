import type { HeaderParser, ParsedHeader } from '@softnet/contract';
import { IP_PROTOCOL, PARSER_LEVEL } from '@softnet/contract';
import { dstPort, srcPort, UDP_HEADER_BYTES } from '@softnet/wire';

/** Where UDP's header ends (RFC 768), and who may know what follows: who has its port, either one. */
export const UDP_PARSER: HeaderParser = Object.freeze({
  name: 'udp',
  level: PARSER_LEVEL.IP_PROTOCOL,
  number: IP_PROTOCOL.UDP,
  parse(view: DataView, offset: number, endOffset: number, found: ParsedHeader): boolean {
    if (endOffset - offset < UDP_HEADER_BYTES) return false;
    found.lenBytes = UDP_HEADER_BYTES;
    found.nextLevel = PARSER_LEVEL.UDP_PORT;
    found.nextNumber = dstPort(view, offset);
    found.otherNumber = srcPort(view, offset);
    return true;
  },
});
