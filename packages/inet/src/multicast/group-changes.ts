import { GROUP_FILTER, hasSource } from '@softnet/contract';
import type { SourceFilter } from './group-filter.ts';
import type { SourceList } from './source-list.ts';
import { sourceKey, sourceList, withoutSources } from './source-list.ts';

/** Types of group records, the same in IGMPv3 and MLDv2 (RFC 3376 §4.2.12, RFC 3810 §5.2.12). */
export const GROUP_RECORD = Object.freeze({
  IS_INCLUDE: 1,
  IS_EXCLUDE: 2,
  TO_INCLUDE: 3,
  TO_EXCLUDE: 4,
  ALLOW: 5,
  BLOCK: 6,
} as const);

/** What a report says of a group. */
export interface GroupRecord {
  /** One of {@link GROUP_RECORD}. */
  readonly type: number;
  readonly sources: SourceList;
}

const { EXCLUDE } = GROUP_FILTER;

/**
 * Changes of one group that are still to be reported, each as often as robustness wants it (RFC 3376 §5.1, RFC 3810 §6.1). Those that come
 * in the midst are merged: what is said is always how things are now.
 */
export class GroupChanges {
  /** How often the next reports still say the filter mode. */
  #modeLeft = 0;
  /** Sources that have changed, and how often each is still said. */
  readonly #sourcesLeft = new Map<string, { readonly source: SourceList[number]; left: number }>();

  get pending(): boolean {
    return this.#modeLeft > 0 || this.#sourcesLeft.size > 0;
  }

  /** @param robustness how often it is said, 1 or more. */
  note(before: SourceFilter, now: SourceFilter, robustness: number): void {
    if (before.filter !== now.filter) {
      // Whoever says the mode says all sources: those that are still to be said are said with it.
      this.#modeLeft = robustness;
      return;
    }
    const differing = [...withoutSources(before.sources, now.sources), ...withoutSources(now.sources, before.sources)];
    for (const source of differing) this.#sourcesLeft.set(sourceKey(source), { source, left: robustness });
  }

  /** What the next report says; counted as said. */
  take(now: SourceFilter): GroupRecord[] {
    const records = this.#modeLeft > 0 ? [modeRecord(now)] : this.#sourceRecords(now);
    if (this.#modeLeft > 0) this.#modeLeft--;
    for (const [key, change] of this.#sourcesLeft) if (--change.left <= 0) this.#sourcesLeft.delete(key);
    return records;
  }

  clear(): void {
    this.#modeLeft = 0;
    this.#sourcesLeft.clear();
  }

  /** By the table of RFC 3376 §5.1: of what has changed, what is to come and what is not. */
  #sourceRecords({ filter, sources }: SourceFilter): GroupRecord[] {
    const changed = sourceList([...this.#sourcesLeft.values()].map(({ source }) => source));
    const wanted = changed.filter(([a, b, c, d]) => hasSource(sources, a, b, c, d) === (filter !== EXCLUDE));
    const unwanted = withoutSources(changed, wanted);
    const records: GroupRecord[] = [];
    if (wanted.length > 0) records.push({ type: GROUP_RECORD.ALLOW, sources: wanted });
    if (unwanted.length > 0) records.push({ type: GROUP_RECORD.BLOCK, sources: unwanted });
    return records;
  }
}

function modeRecord({ filter, sources }: SourceFilter): GroupRecord {
  return { type: filter === EXCLUDE ? GROUP_RECORD.TO_EXCLUDE : GROUP_RECORD.TO_INCLUDE, sources };
}

/** How things are: what answers a query. */
export function currentRecord({ filter, sources }: SourceFilter): GroupRecord {
  return { type: filter === EXCLUDE ? GROUP_RECORD.IS_EXCLUDE : GROUP_RECORD.IS_INCLUDE, sources };
}
