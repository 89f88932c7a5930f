import type { AddressWords } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';

import { PrefixTrie } from './prefix-trie.ts';
import type { RouteAlias } from './route-alias.ts';
import { chainIn, chainOut } from './route-alias.ts';

/** One routing table of one family. */
export class RouteTable {
  readonly family: number;
  readonly number: number;
  /** Routes. */
  count = 0;
  /** IPv4: the last word of addresses is the first of its keys. */
  readonly #short: boolean;
  readonly #trie = new PrefixTrie<RouteAlias>();

  constructor(family: number, number: number) {
    this.family = family;
    this.number = number;
    this.#short = family === ADDRESS_FAMILY.INET;
  }

  /** The first route of the longest prefix that an address has; {@link next} goes on with shorter prefixes. */
  first(address0: number, address1: number, address2: number, address3: number): RouteAlias | null {
    return this.#short ? this.#trie.first(address3, 0, 0, 0) : this.#trie.first(address0, address1, address2, address3);
  }

  next(): RouteAlias | null {
    return this.#trie.next();
  }

  /** The routes of this very prefix, as a chain. */
  chain([word0, word1, word2, word3]: AddressWords, prefixLen: number): RouteAlias | null {
    return this.#short ? this.#trie.get(word3, 0, 0, 0, prefixLen) : this.#trie.get(word0, word1, word2, word3, prefixLen);
  }

  add(alias: RouteAlias): void {
    this.#set(alias, chainIn(this.#chainOf(alias), alias));
    this.count++;
  }

  /** It is one of this table. */
  remove(alias: RouteAlias): void {
    const first = this.#chainOf(alias);
    if (first === null) return;
    const left = chainOut(first, alias);
    if (left !== null) this.#set(alias, left);
    else if (this.#short) this.#trie.delete(alias.prefix3, 0, 0, 0, alias.prefixLen);
    else this.#trie.delete(alias.prefix0, alias.prefix1, alias.prefix2, alias.prefix3, alias.prefixLen);
    this.count--;
  }

  /** In the order of prefixes. The table stays as it is meanwhile. */
  *aliases(): Generator<RouteAlias> {
    for (const first of this.#trie.values()) for (let alias: RouteAlias | null = first; alias !== null; alias = alias.next) yield alias;
  }

  #chainOf({ prefix0, prefix1, prefix2, prefix3, prefixLen }: RouteAlias): RouteAlias | null {
    return this.#short ? this.#trie.get(prefix3, 0, 0, 0, prefixLen) : this.#trie.get(prefix0, prefix1, prefix2, prefix3, prefixLen);
  }

  #set({ prefix0, prefix1, prefix2, prefix3, prefixLen }: RouteAlias, first: RouteAlias): void {
    if (this.#short) this.#trie.set(prefix3, 0, 0, 0, prefixLen, first);
    else this.#trie.set(prefix0, prefix1, prefix2, prefix3, prefixLen, first);
  }
}
