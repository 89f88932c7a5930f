import type { PacketMemory } from './packet-memory.ts';
import { definePoint } from './token.ts';

/** What a number of a {@link HeaderParser} counts. */
export const PARSER_LEVEL = Object.freeze({ END: 0, ETHERTYPE: 1, IP_PROTOCOL: 2, UDP_PORT: 3, TCP_PORT: 4 } as const);

/** What a parser found: kept and filled anew by its caller. */
export class ParsedHeader {
  lenBytes = 0;
  /** Who parses on: one of {@link PARSER_LEVEL}. END: the payload begins behind this header. */
  nextLevel = 0;
  nextNumber = 0;
}

/**
 * Says where a header ends, so that devices which split header from payload put the payload on a page (row S4). Any
 * module may teach one (SunRPC by its port). A **corridor**; pure. Called by netdev for drivers.
 */
export interface HeaderParser {
  readonly name: string;
  readonly level: number;
  /** Ethertype, protocol or port (either end's). */
  readonly number: number;
  /** Reads the header at `offset`. False: more bytes are needed than there are before `endOffset`, or it is not understood. */
  parse(memory: PacketMemory, offset: number, endOffset: number, found: ParsedHeader): boolean;
}
export const HeaderParser = definePoint<HeaderParser>({ name: 'header-parser', version: '1.0.0' });
