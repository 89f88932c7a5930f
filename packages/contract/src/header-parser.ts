import type { NetDevice } from './device.ts';
import { definePoint, defineService } from './token.ts';

/** What a number of a {@link HeaderParser} counts. LINK: a device's `type`. */
export const PARSER_LEVEL = Object.freeze({ END: 0, ETHERTYPE: 1, IP_PROTOCOL: 2, UDP_PORT: 3, TCP_PORT: 4, LINK: 5 } as const);

/** What a parser found: kept and filled anew by its caller. */
export class ParsedHeader {
  lenBytes = 0;
  /** Who parses on: one of {@link PARSER_LEVEL}. END: the payload begins behind this header. */
  nextLevel = 0;
  nextNumber = 0;
  /** Asked for when nobody parses `nextNumber`: the other end's port. -1: none. */
  otherNumber = -1;
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
  /**
   * Reads the header at `offset` into `found`, which is as new. False: more bytes are needed than there are before `endOffset`, or it is
   * not understood.
   */
  parse(view: DataView, offset: number, endOffset: number, found: ParsedHeader): boolean;
}
export const HeaderParser = definePoint<HeaderParser>({ name: 'header-parser', version: '1.0.0' });

/** Asks the {@link HeaderParser}s. A **corridor** of netdev. Callers: drivers, for a frame that is to be put into packet memory (row S4). */
export interface HeaderSplit {
  /**
   * How many bytes of the frame at `offset` are headers: the link's, and all that parsers know behind it. The bytes may lie anywhere; a
   * header that is cut off or not understood belongs to the payload.
   */
  headerBytes(device: NetDevice, view: DataView, offset: number, endOffset: number): number;
}
export const HeaderSplit = defineService<HeaderSplit>({
  name: 'header-split',
  version: '1.0.0',
  methods: ['headerBytes'],
  absent: () => ({ headerBytes: () => 0 }),
});
