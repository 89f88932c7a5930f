import type { AddressWords } from '@softnet/contract';
import { GROUP_FILTER } from '@softnet/contract';
import type { SourceList } from './source-list.ts';
import { areSameSources, sourceKey, sourceList } from './source-list.ts';

/** What is wanted of a group: by one member, or by all of an interface (RFC 3376 §3.1, §3.2; RFC 3810 §4.1, §4.2). */
export interface SourceFilter {
  /** One of `GROUP_FILTER`. */
  readonly filter: number;
  readonly sources: SourceList;
}

/** Nothing: nobody is in the group. */
export const NOTHING: SourceFilter = Object.freeze({ filter: GROUP_FILTER.INCLUDE, sources: Object.freeze([] as const) });

/** How many members name a source in each way. */
interface SourceCount {
  readonly source: AddressWords;
  includes: number;
  excludes: number;
}

/**
 * The filters of all members of a group on an interface, merged by the rule of RFC 3376 §3.2 (RFC 3810 §4.2). Members come and go at the
 * cost of their own sources only, however many there are. Linux's `sfcount`.
 */
export class GroupFilter {
  /** Members. */
  users = 0;
  /** What they want together. */
  merged: SourceFilter = NOTHING;
  #excludingUsers = 0;
  readonly #counts = new Map<string, SourceCount>();

  add(member: SourceFilter): void {
    this.users++;
    this.#count(member, 1);
    this.#merge();
  }

  /** One that was added. */
  remove(member: SourceFilter): void {
    this.users--;
    this.#count(member, -1);
    this.#merge();
  }

  /** A member's filter becomes another one: in between nothing is seen. */
  replace(before: SourceFilter, now: SourceFilter): void {
    this.#count(before, -1);
    this.#count(now, 1);
    this.#merge();
  }

  #count({ filter, sources }: SourceFilter, by: number): void {
    const excludes = filter === GROUP_FILTER.EXCLUDE;
    if (excludes) this.#excludingUsers += by;
    for (const source of sources) {
      const key = sourceKey(source);
      const count = this.#counts.get(key) ?? { source, includes: 0, excludes: 0 };
      if (excludes) count.excludes += by;
      else count.includes += by;
      if (count.includes + count.excludes === 0) this.#counts.delete(key);
      else this.#counts.set(key, count);
    }
  }

  /** EXCLUDE if anybody excludes: what all of those exclude, and nobody includes. Else INCLUDE: what anybody includes. */
  #merge(): void {
    const excluding = this.#excludingUsers;
    const named: AddressWords[] = [];
    for (const { source, includes, excludes } of this.#counts.values()) {
      if (excluding > 0 ? excludes === excluding && includes === 0 : includes > 0) named.push(source);
    }
    const merged = { filter: excluding > 0 ? GROUP_FILTER.EXCLUDE : GROUP_FILTER.INCLUDE, sources: sourceList(named) };
    if (!isSameFilter(merged, this.merged)) this.merged = merged;
  }
}

function isSameFilter(a: SourceFilter, b: SourceFilter): boolean {
  return a === b || (a.filter === b.filter && areSameSources(a.sources, b.sources));
}

/** INCLUDE of nobody: the interface is not in the group. */
export function isNothing({ filter, sources }: SourceFilter): boolean {
  return filter === GROUP_FILTER.INCLUDE && sources.length === 0;
}
