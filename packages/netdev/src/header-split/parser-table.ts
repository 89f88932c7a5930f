import type { Contributions, HeaderParser } from '@softnet/contract';

/** Who parses a header. */
export interface ParserEntry {
  readonly parser: HeaderParser;
  /** Integer of its module, for `CurrentOwner`. */
  readonly owner: number;
}

/** Ethertypes, link types and ports have 16 bits. */
const NUMBERS = 0x10000;

/** The parsers by level and number: of two for the same, the one that went live last. */
export class ParserTable {
  readonly #parsers: Contributions<HeaderParser>;
  #seen: readonly HeaderParser[] | null = null;
  #entries = new Map<number, ParserEntry>();

  constructor(parsers: Contributions<HeaderParser>) {
    this.#parsers = parsers;
  }

  find(level: number, number: number): ParserEntry | null {
    if (this.#seen !== this.#parsers.items) this.refresh();
    return number >= 0 && number < NUMBERS ? (this.#entries.get(level * NUMBERS + number) ?? null) : null;
  }

  /** Parsers have come or gone. */
  refresh(): void {
    const { items, owners } = this.#parsers;
    this.#entries = new Map();
    items.forEach((parser, i) => {
      const { level, number } = parser;
      if (number >= 0 && number < NUMBERS) this.#entries.set(level * NUMBERS + number, { parser, owner: owners[i]! });
    });
    this.#seen = items;
  }
}
