import { NetError } from '@softnet/contract';
import { parseAddress, parseMac, parsePrefix } from '@softnet/wire';
import type { FilterWord } from './filter-words.ts';
import { filterWords } from './filter-words.ts';
import type { FilterProtocol, FilterSide, PacketFilter } from './packet-filter.ts';
import { FILTER_PROTOCOLS } from './packet-filter.ts';

/** Longest text, and most parentheses and `not`s within one another. */
const MAX_FILTER_CHARS = 4096;
export const MAX_FILTER_DEPTH = 64;
/** Of a frame that is asked for. */
const MAX_LENGTH_BYTES = 99_999_999;

/** Where a test may begin, as it is said to the user. */
const TESTS = `${FILTER_PROTOCOLS.join(', ')}, src, dst, host, net, port, ether, vlan, greater, less, dropped, not or (`;

/**
 * Reads a filter as tcpdump's users write it: `udp and (port 53 or src net 10.0.0.0/8) and not host 10.0.0.9`. As there, `and` and `or`
 * bind equally, from left to right, and `not` binds its next test only. An empty text means all packets.
 *
 * Tests: `ip`, `ip6`, `arp`, `udp`, `tcp`, `icmp`, `icmp6`; `[PROTOCOL] [src|dst] host A | net A/LEN | port N`; `ether [src|dst] host M`;
 * `vlan [N]`; `greater N`, `less N`; `dropped`.
 * @throws NetError EINVAL: where, and what was expected there.
 */
export function parseFilter(text: string): PacketFilter {
  if (text.length > MAX_FILTER_CHARS) throw new NetError('EINVAL', `filter: it is longer than ${MAX_FILTER_CHARS} characters`);
  const parser = new FilterParser(filterWords(text));
  return parser.all();
}

class FilterParser {
  readonly #words: readonly FilterWord[];
  #next = 0;
  #depth = 0;

  constructor(words: readonly FilterWord[]) {
    this.#words = words;
  }

  all(): PacketFilter {
    if (this.#word.text === '') return { and: [] };
    const filter = this.#expression();
    if (this.#word.text !== '') throw this.#expected('and, or, or the end');
    return filter;
  }

  get #word(): FilterWord {
    return this.#words[this.#next]!;
  }

  #take(text: string): boolean {
    if (this.#word.text !== text) return false;
    this.#next++;
    return true;
  }

  #expression(): PacketFilter {
    let filter = this.#term();
    for (;;) {
      const word = this.#word.text;
      if (word !== 'and' && word !== 'or') return filter;
      this.#next++;
      filter = joined(word, filter, this.#term());
    }
  }

  #term(): PacketFilter {
    if (++this.#depth > MAX_FILTER_DEPTH) throw this.#expected(`no more than ${MAX_FILTER_DEPTH} levels of parentheses and not`);
    const filter = this.#take('not') ? { not: this.#term() } : this.#take('(') ? this.#inParentheses() : this.#test();
    this.#depth--;
    return filter;
  }

  #inParentheses(): PacketFilter {
    const filter = this.#expression();
    if (!this.#take(')')) throw this.#expected('and, or, or )');
    return filter;
  }

  #test(): PacketFilter {
    if (this.#take('dropped')) return { dropped: true };
    if (this.#take('greater')) return { minBytes: this.#number(MAX_LENGTH_BYTES) };
    if (this.#take('less')) return { maxBytes: this.#number(MAX_LENGTH_BYTES) };
    if (this.#take('vlan')) return { vlan: /^\d/.test(this.#word.text) ? this.#number(4095) : 'any' };
    if (this.#take('ether')) return this.#ether();
    const proto = FILTER_PROTOCOLS.find((name) => this.#take(name));
    if (proto === undefined) return this.#ofAnEnd(undefined);
    const filter = this.#qualifies() ? this.#ofAnEnd(proto) : null;
    return filter === null ? { proto } : joined('and', { proto }, filter);
  }

  /** Does a protocol stand before what it qualifies: `udp port 53`? */
  #qualifies(): boolean {
    return ['src', 'dst', 'host', 'net', 'port'].includes(this.#word.text);
  }

  #side(): { readonly side?: FilterSide } {
    if (this.#take('src')) return { side: 'src' };
    return this.#take('dst') ? { side: 'dst' } : {};
  }

  #ofAnEnd(proto: FilterProtocol | undefined): PacketFilter {
    const side = this.#side();
    const mayBePort = proto === undefined || proto === 'udp' || proto === 'tcp';
    const mayBeAddress = proto === undefined || proto === 'ip' || proto === 'ip6' || proto === 'arp';
    if (mayBePort && this.#take('port')) return { port: this.#number(65_535), ...side };
    if (mayBeAddress && this.#take('host')) return { net: this.#address(), ...side };
    if (mayBeAddress && this.#take('net')) return { net: this.#prefix(), ...side };
    // As tcpdump has it: `src 10.0.0.1`.
    if (mayBeAddress && side.side !== undefined && parsePrefix(this.#word.text) !== null) return { net: this.#prefix(), ...side };
    if (proto === undefined && side.side === undefined) throw this.#expected(TESTS);
    throw this.#expected([...(mayBeAddress ? ['host A', 'net A/LEN'] : []), ...(mayBePort ? ['port N'] : [])].join(', '));
  }

  #ether(): PacketFilter {
    const side = this.#side();
    if (!this.#take('host') && side.side === undefined) throw this.#expected('host, src or dst');
    const { text } = this.#word;
    if (parseMac(text) === null) throw this.#expected("a link address like '02:00:00:00:00:01'");
    this.#next++;
    return { ether: text, ...side };
  }

  #address(): string {
    const { text } = this.#word;
    if (parseAddress(text) === null) throw this.#expected("an address like '10.0.0.1' or 'fd00::1'");
    this.#next++;
    return text;
  }

  #prefix(): string {
    const { text } = this.#word;
    if (parsePrefix(text) === null) throw this.#expected("a prefix like '10.0.0.0/8' or 'fd00::/8'");
    this.#next++;
    return text;
  }

  #number(most: number): number {
    const { text } = this.#word;
    if (!/^\d{1,8}$/.test(text) || Number(text) > most) throw this.#expected(`a number, 0 to ${most}`);
    this.#next++;
    return Number(text);
  }

  #expected(what: string): NetError {
    const { text, at } = this.#word;
    const found = text === '' ? 'the end' : `'${text.slice(0, 40)}'`;
    return new NetError('EINVAL', `filter: at character ${at + 1}: expected ${what}, found ${found}`);
  }
}

/** Long rows become one list, not a tree as deep. */
function joined(word: 'and' | 'or', left: PacketFilter, right: PacketFilter): PacketFilter {
  if (word === 'and') return { and: 'and' in left ? [...left.and, right] : [left, right] };
  return { or: 'or' in left ? [...left.or, right] : [left, right] };
}
