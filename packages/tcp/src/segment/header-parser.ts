import type { HeaderParser, ParsedHeader } from '@softnet/contract';
import { IP_PROTOCOL, PARSER_LEVEL } from '@softnet/contract';
import { dstPort, srcPort, TCP_HEADER_BYTES, tcpHeaderBytes } from '@softnet/wire';

/** Where TCP's header ends, options included (RFC 9293 §3.1), and who may know what follows: who has its port, either one. */
export const TCP_PARSER: HeaderParser = Object.freeze({
  name: 'tcp',
  level: PARSER_LEVEL.IP_PROTOCOL,
  number: IP_PROTOCOL.TCP,
  parse(view: DataView, offset: number, endOffset: number, found: ParsedHeader): boolean {
    if (endOffset - offset < TCP_HEADER_BYTES) return false;
    const lenBytes = tcpHeaderBytes(view, offset);
    if (lenBytes < TCP_HEADER_BYTES || endOffset - offset < lenBytes) return false;
    found.lenBytes = lenBytes;
    found.nextLevel = PARSER_LEVEL.TCP_PORT;
    found.nextNumber = dstPort(view, offset);
    found.otherNumber = srcPort(view, offset);
    return true;
  },
});
