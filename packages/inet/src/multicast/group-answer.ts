import { GROUP_FILTER } from '@softnet/contract';
import type { GroupRecord } from './group-changes.ts';
import { currentRecord, GROUP_RECORD } from './group-changes.ts';
import type { SourceFilter } from './group-filter.ts';
import { isNothing } from './group-filter.ts';
import type { SourceList } from './source-list.ts';
import { commonSources, sourceList, withoutSources } from './source-list.ts';

/** A group's answer to queries about it, put off for a while and said once for all of them (RFC 3376 §5.2, RFC 3810 §6.2). */
export class GroupAnswer {
  /** When it is due; Infinity: nobody has asked. */
  dueUs: number = Number.POSITIVE_INFINITY;
  /** Sources that were asked for; empty: the group as a whole. */
  #sources: SourceList = [];

  /**
   * Rules 3 to 5 of §5.2.
   * @param sources of a group-and-source-specific query; empty: group-specific.
   * @param limit of sources that are remembered: beyond it the whole group is the answer.
   */
  ask(dueUs: number, sources: SourceList, limit: number): void {
    const whole = sources.length === 0 || (this.pending && this.#sources.length === 0);
    const both = whole ? [] : sourceList([...this.#sources, ...sources]);
    this.#sources = both.length > limit ? [] : both;
    this.dueUs = Math.min(this.dueUs, dueUs);
  }

  get pending(): boolean {
    return this.dueUs !== Number.POSITIVE_INFINITY;
  }

  /** Null: there is nothing to say. Answered or not, nobody waits afterwards. */
  take(now: SourceFilter): GroupRecord | null {
    const asked = this.#sources;
    this.clear();
    if (isNothing(now)) return null;
    if (asked.length === 0) return currentRecord(now);
    const wanted = now.filter === GROUP_FILTER.INCLUDE ? commonSources(asked, now.sources) : withoutSources(asked, now.sources);
    return wanted.length === 0 ? null : { type: GROUP_RECORD.IS_INCLUDE, sources: wanted };
  }

  clear(): void {
    this.dueUs = Number.POSITIVE_INFINITY;
    this.#sources = [];
  }
}
