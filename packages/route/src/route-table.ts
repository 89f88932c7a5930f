import type { AddressWords } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';

import { PrefixTable } from './prefixes/prefix-table.ts';
import type { Prefix, RouteAlias } from './route-alias.ts';
import { RouteAliases } from './route-aliases.ts';

/** A prefix and the first of its routes. */
export interface PrefixRoutes extends Prefix {
  readonly first: RouteAlias;
}

/** One routing table of one family. */
export class RouteTable {
  readonly family: number;
  readonly number: number;
  /** Routes. */
  count = 0;
  /** IPv4: the last word of addresses is the only one of its keys. */
  readonly #short: boolean;
  readonly #prefixes: PrefixTable;
  readonly #aliases = new RouteAliases();

  constructor(family: number, number: number) {
    this.family = family;
    this.number = number;
    this.#short = family === ADDRESS_FAMILY.INET;
    this.#prefixes = new PrefixTable(!this.#short);
  }

  /** Length of the prefix that {@link first} or {@link next} has found. */
  get prefixLen(): number {
    return this.#prefixes.prefixLen;
  }

  /** Bytes of what lookups read, and of the prefixes themselves. */
  get bytes(): { readonly lookup: number; readonly control: number } {
    return { lookup: this.#prefixes.lookupBytes, control: this.#prefixes.controlBytes };
  }

  /** The first route of the longest prefix that an address has; {@link next} goes on with shorter prefixes. */
  first(address0: number, address1: number, address2: number, address3: number): RouteAlias | null {
    const id = this.#short ? this.#prefixes.first(address3) : this.#prefixes.firstWide(address0, address1, address2, address3);
    return this.#aliases.byId[id]!;
  }

  next(): RouteAlias | null {
    return this.#aliases.byId[this.#prefixes.next()]!;
  }

  /** The routes of this very prefix, as a chain. */
  chain([word0, word1, word2, word3]: AddressWords, prefixLen: number): RouteAlias | null {
    const id = this.#short ? this.#prefixes.get(word3, 0, 0, 0, prefixLen) : this.#prefixes.get(word0, word1, word2, word3, prefixLen);
    return this.#aliases.byId[id]!;
  }

  /** The prefix has other routes from now on; null: none. @param before its chain now. Returns the one that it has then. */
  put(prefix: AddressWords, prefixLen: number, before: RouteAlias | null, after: RouteAlias | null): RouteAlias | null {
    const own = after === null ? null : this.#aliases.take(after);
    if (own !== before) this.#set(prefix, prefixLen, own);
    this.count += (own === null ? 0 : own.length) - (before === null ? 0 : before.length);
    if (before !== null) this.#aliases.give(before);
    return own;
  }

  /** Those that are wanted, in the order of prefixes. */
  routes(wants: (first: RouteAlias) => boolean = () => true): PrefixRoutes[] {
    const wanted = this.#aliases.byId.map((alias) => alias !== null && wants(alias));
    const found: PrefixRoutes[] = [];
    this.#prefixes.visitAll((word0, word1, word2, word3, prefixLen, id) => {
      if (!wanted[id]) return;
      const isDefault = prefixLen === 0;
      const prefix: AddressWords = this.#short ? [0, 0, isDefault ? 0 : 0xffff, word0] : [word0, word1, word2, word3];
      found.push({ prefix, prefixLen, first: this.#aliases.byId[id]! });
    });
    return found.sort(byPrefix);
  }

  #set([word0, word1, word2, word3]: AddressWords, prefixLen: number, alias: RouteAlias | null): void {
    const prefixes = this.#prefixes;
    if (alias === null) {
      if (this.#short) prefixes.delete(word3, 0, 0, 0, prefixLen);
      else prefixes.delete(word0, word1, word2, word3, prefixLen);
    } else if (this.#short) prefixes.set(word3, 0, 0, 0, prefixLen, alias.id);
    else prefixes.set(word0, word1, word2, word3, prefixLen, alias.id);
  }
}

function byPrefix(a: PrefixRoutes, b: PrefixRoutes): number {
  for (let word = 0; word < 4; word++) {
    const difference = (a.prefix[word]! >>> 0) - (b.prefix[word]! >>> 0);
    if (difference !== 0) return difference;
  }
  return a.prefixLen - b.prefixLen;
}
