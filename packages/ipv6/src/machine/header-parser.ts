import type { HeaderParser, ParsedHeader } from '@softnet/contract';
import { ETHERTYPE, PARSER_LEVEL } from '@softnet/contract';
import type { Ipv6Limits } from '@softnet/wire';
import { IPV6_HEADER_BYTES, IPV6_NEXT_HEADER, Ipv6HeaderChain, ipv6NextHeader, ipv6Version, walkExtensionHeaders } from '@softnet/wire';

/** Where IPv6's header ends, with its extension headers (RFC 8200 §4). Behind it in later fragments is payload, whatever the protocol. */
export class Ipv6Parser implements HeaderParser {
  readonly name = 'ipv6';
  readonly level = PARSER_LEVEL.ETHERTYPE;
  readonly number = ETHERTYPE.IPV6;
  readonly #limits: Ipv6Limits;
  readonly #chain = new Ipv6HeaderChain();

  constructor(limits: Ipv6Limits) {
    this.#limits = limits;
  }

  parse(view: DataView, offset: number, endOffset: number, found: ParsedHeader): boolean {
    if (endOffset - offset < IPV6_HEADER_BYTES || ipv6Version(view, offset) !== 6) return false;
    const chain = this.#chain;
    const start = offset + IPV6_HEADER_BYTES;
    const first = ipv6NextHeader(view, offset);
    if (walkExtensionHeaders(view, first, offset + IPV6_NEXT_HEADER, start, endOffset, this.#limits, chain) !== null) return false;
    found.lenBytes = chain.end - offset;
    found.nextLevel = chain.transport < 0 ? PARSER_LEVEL.END : PARSER_LEVEL.IP_PROTOCOL;
    found.nextNumber = chain.protocol;
    found.otherNumber = -1;
    return true;
  }
}
