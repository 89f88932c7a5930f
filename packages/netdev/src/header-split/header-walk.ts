import type { CurrentOwner, HeaderSplit, NetDevice } from '@softnet/contract';
import { PARSER_LEVEL, ParsedHeader } from '@softnet/contract';
import type { ParserEntry, ParserTable } from './parser-table.ts';

/** So many headers, one behind the other, at most: tunnels in tunnels end somewhere. */
const MAX_HEADERS = 16;

/** Walks from header to header by what parsers say, until nobody knows the next one (row S4). */
export class HeaderWalk implements HeaderSplit {
  readonly #parsers: ParserTable;
  readonly #current: CurrentOwner;
  readonly #found = new ParsedHeader();

  constructor(parsers: ParserTable, current: CurrentOwner) {
    this.#parsers = parsers;
    this.#current = current;
  }

  headerBytes({ type }: NetDevice, view: DataView, offset: number, endOffset: number): number {
    const found = this.#found;
    let at = offset;
    let entry = this.#parsers.find(PARSER_LEVEL.LINK, type);
    for (let count = 0; entry !== null && count < MAX_HEADERS; count++) {
      if (!this.#parse(entry, view, at, endOffset)) break;
      at += found.lenBytes;
      if (found.nextLevel === PARSER_LEVEL.END) break;
      entry = this.#parsers.find(found.nextLevel, found.nextNumber) ?? this.#parsers.find(found.nextLevel, found.otherNumber);
    }
    return at - offset;
  }

  /** False also for what a parser says of bytes that are not there. */
  #parse({ parser, owner }: ParserEntry, view: DataView, offset: number, endOffset: number): boolean {
    const found = this.#found;
    found.lenBytes = 0;
    found.nextLevel = PARSER_LEVEL.END;
    found.nextNumber = 0;
    found.otherNumber = -1;
    const caller = this.#current.id;
    this.#current.id = owner;
    const understood = parser.parse(view, offset, endOffset, found);
    this.#current.id = caller;
    const { lenBytes } = found;
    return understood && (lenBytes | 0) === lenBytes && lenBytes >= 0 && lenBytes <= endOffset - offset;
  }
}
