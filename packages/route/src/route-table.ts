import type { AddressWords } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';

import { PrefixTable } from './prefixes/prefix-table.ts';
import type { Prefix, RouteAlias } from './route-alias.ts';
import { RouteAliases } from './route-aliases.ts';

/** From so many changes at once on a new tree may be worth it. */
const FEWEST = 64;

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

  #isBulk = false;

  /** @param seed of the hash of prefixes. int32. */
  constructor(family: number, number: number, seed: number) {
    this.family = family;
    this.number = number;
    this.#short = family === ADDRESS_FAMILY.INET;
    this.#prefixes = new PrefixTable(!this.#short, seed);
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

  /**
   * So many changes follow. Where they are many for its size, lookups have a new tree when {@link publish} says so, made at once; else each change
   * is theirs when it is done.
   */
  begin(changes: number): void {
    if (changes < FEWEST || changes * 4 < this.#prefixes.count) return;
    this.#isBulk = true;
    this.#prefixes.begin(Number.isFinite(changes) ? changes : 0);
  }

  /** The changes hold. */
  publish(): void {
    if (this.#isBulk) this.#prefixes.publish();
    this.#isBulk = false;
  }

  /** All changes have been taken back. */
  discard(): void {
    if (this.#isBulk) this.#prefixes.discard();
    this.#isBulk = false;
  }

  /** Those that are wanted, in the order of prefixes. */
  routes(wants: (first: RouteAlias) => boolean = () => true): PrefixRoutes[] {
    const wanted = this.#aliases.byId.map((alias) => alias !== null && wants(alias));
    const found: PrefixRoutes[] = [];
    if (!wanted.includes(true)) return found;
    // Few are wanted, mostly: to put a million in order for them takes a second.
    this.visit(this.#prefixes.chosen(wanted), (prefix, prefixLen, id) => {
      found.push({ prefix, prefixLen, first: this.#aliases.byId[id]! });
    });
    return found;
  }

  /** All prefixes in order: of each its own words, then its length and, from bit 8 on, which of `firsts` is the first of its routes. */
  columns(): { readonly list: Int32Array; readonly firsts: readonly (RouteAlias | null)[] } {
    return { list: this.#prefixes.sorted(), firsts: this.#aliases.byId };
  }

  /** Each prefix of a list that {@link columns} gave, here or elsewhere, and its number there. */
  visit(list: Int32Array, visit: (prefix: AddressWords, prefixLen: number, id: number) => void): void {
    const stride = this.#short ? 2 : 5;
    for (let at = 0; at < list.length; at += stride) {
      const { prefix, prefixLen } = this.#prefixAt(list, at);
      visit(prefix, prefixLen, list[at + stride - 1]! >>> 8);
    }
  }

  #prefixAt(list: Int32Array, at: number): Prefix {
    const word0 = list[at]!;
    if (!this.#short) return { prefix: [word0, list[at + 1]!, list[at + 2]!, list[at + 3]!], prefixLen: list[at + 4]! & 0xff };
    const prefixLen = list[at + 1]! & 0xff;
    return { prefix: [0, 0, prefixLen === 0 ? 0 : 0xffff, word0], prefixLen };
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
