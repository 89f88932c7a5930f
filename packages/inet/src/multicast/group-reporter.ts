import type { AddressWords } from '@softnet/contract';
import type { GroupRecord } from './group-changes.ts';
import { currentRecord } from './group-changes.ts';
import type { SourceFilter } from './group-filter.ts';
import { isNothing, NOTHING } from './group-filter.ts';
import { ReportedGroup } from './reported-group.ts';
import type { SourceList } from './source-list.ts';
import { sourceKey } from './source-list.ts';

/** A query, as the host side of either protocol hears it. */
export interface HeardQuery {
  /** IGMP's. MLD's, and one: MLDv1 is IGMPv2 for IPv6, MLDv2 is IGMPv3 (RFC 2710 §1, RFC 3810 §1). */
  readonly version: 1 | 2 | 3;
  /** Null: a general one. */
  readonly group: AddressWords | null;
  /** Empty: the whole group. */
  readonly sources: SourceList;
  /** Answers come within so long; nothing of version 1, which says none. */
  readonly withinUs: number;
  /** Of version 3: QRV and QQI; 0: not said. */
  readonly robustness: number;
  readonly intervalS: number;
}

/** What a report says of a group. */
export interface ReportedRecord extends GroupRecord {
  readonly group: AddressWords;
}

/** What the reporter asks for, and what it says. */
export interface ReporterHost {
  /** 1 to 3: that version whatever the querier speaks; 0: as it speaks (`force_igmp_version`, `force_mld_version`). */
  forcedVersion(): number;
  /** How often changes are said, unless the querier says it (`igmp_qrv`, `mld_qrv`). */
  robustness(): number;
  /** Between two of these, at most (`igmpvN_unsolicited_report_interval` and kin). @param version 2 or 3. */
  unsolicitedUs(version: number): number;
  /** A whole number below the bound, by chance. */
  below(bound: number): number;
  /** Records of one kind of report, however many: who sends them sees to their size. */
  report(records: readonly ReportedRecord[]): void;
  /** A report of version 1 or 2. */
  reportAlone(version: number, group: AddressWords): void;
  /** Of version 2: IGMP's leave, MLD's done. */
  leave(group: AddressWords): void;
  /** Of queries for sources that wait for one answer, about one group: as many as a report of an Ethernet frame says. */
  readonly maxAskedSources: number;
}

const NEVER: number = Number.POSITIVE_INFINITY;
/** Of queriers that do not say it (RFC 3376 §8.2, §8.3; RFC 2236 §8.3). */
const QUERY_INTERVAL_US = 125_000_000;
const RESPONSE_INTERVAL_US = 10_000_000;
/** Whoever asks without end is answered so often only. */
const BETWEEN_ANSWERS_US = 100_000;

/**
 * The host side of IGMP or MLD on one interface: IGMP's versions 1 to 3 (RFC 1112, 2236, 3376); MLD's 1 and 2, which are 2 and 3 here (RFC 2710, 3810). Without
 * I/O, clock and timers: whoever has it calls {@link timeout} at {@link nextUs}, or somewhat later. What is wanted of groups is merged elsewhere; here it is
 * said. Sections are RFC 3376's; RFC 3810 has the same in §6 and §8.
 */
export class GroupReporter {
  /** When `timeout` wants to be called; Infinity: not. */
  nextUs: number = NEVER;
  readonly #host: ReporterHost;
  /** Those that somebody is in, and those whose end is still to be said. */
  readonly #groups = new Map<string, ReportedGroup>();
  #version: number;
  /** Until when an older querier is taken to be there (§7.2.1). */
  #v1UntilUs = 0;
  #v2UntilUs = 0;
  /** Of the last querier of version 3; 0: it has said none. */
  #robustness = 0;
  #intervalUs = QUERY_INTERVAL_US;
  /** The answer to a general query (§5.2), and the next report of changes (§5.1). */
  #generalUs: number = NEVER;
  #changesUs: number = NEVER;
  #answeredUs: number = -NEVER;

  constructor(host: ReporterHost) {
    this.#host = host;
    this.#version = host.forcedVersion() || 3;
  }

  /** 1 to 3: what is spoken now. */
  version(nowUs: number): number {
    const forced = this.#host.forcedVersion();
    const version = forced !== 0 ? forced : nowUs < this.#v1UntilUs ? 1 : nowUs < this.#v2UntilUs ? 2 : 3;
    if (version !== this.#version) {
      // §7.2.1: what waits to be said in the old one is not said any more.
      this.#version = version;
      this.#cancel();
    }
    return version;
  }

  /** Whether the link is told of it. */
  has(group: AddressWords): boolean {
    return this.#groups.has(sourceKey(group));
  }

  /** What all members together want of a group has changed. */
  changed(group: AddressWords, now: SourceFilter, nowUs: number): void {
    const version = this.version(nowUs);
    const known = this.#groups.get(sourceKey(group));
    const state = known ?? new ReportedGroup(group);
    const before = state.filter;
    if (known === undefined) this.#groups.set(sourceKey(group), state);
    state.filter = now;
    if (version === 3) {
      state.changes.note(before, now, this.#repeats());
      this.#changesUs = nowUs;
      this.#wakeAt(nowUs);
      return;
    }
    if (isNothing(before) && !isNothing(now)) {
      state.reportsLeft = this.#repeats();
      state.reportUs = nowUs;
      this.#wakeAt(nowUs);
    } else if (isNothing(now)) this.#leave(state, version);
  }

  /** The same, but somebody else says it: its members are another generation's now. */
  passedOn(group: AddressWords, now: SourceFilter): void {
    const state = this.#groups.get(sourceKey(group));
    if (state === undefined) return;
    state.cancel();
    state.filter = now;
    if (isNothing(now)) this.#groups.delete(sourceKey(group));
  }

  /** A query that is right in all that can be seen of it. */
  query(query: HeardQuery, nowUs: number): void {
    this.#noteQuerier(query, nowUs);
    const version = this.version(nowUs);
    const withinUs = query.version === 1 ? RESPONSE_INTERVAL_US : query.withinUs;
    if (version === 3) this.#answer(query, this.#dueUs(withinUs, nowUs));
    else for (const state of this.#asked(query)) this.#answerAlone(state, this.#dueUs(withinUs, nowUs));
  }

  /** Another host is in a group: what this one would say of it, the querier knows (RFC 2236 §3). */
  heard(group: AddressWords, nowUs: number): void {
    const state = this.#groups.get(sourceKey(group));
    if (this.version(nowUs) === 3 || state === undefined) return;
    state.reportUs = NEVER;
    state.reportsLeft = 0;
    state.isReporter = false;
  }

  /** Says what is due. */
  timeout(nowUs: number): void {
    if (this.version(nowUs) === 3) {
      this.#sayAnswers(nowUs);
      if (this.#changesUs <= nowUs) this.#sayChanges(nowUs);
    } else for (const state of this.#groups.values()) if (state.reportUs <= nowUs) this.#sayAlone(state, nowUs);
    this.#rewake();
  }

  /** The interface is up (again): all groups are joined anew, and who asks there is not known. */
  up(nowUs: number): void {
    this.#v1UntilUs = 0;
    this.#v2UntilUs = 0;
    this.#robustness = 0;
    this.#intervalUs = QUERY_INTERVAL_US;
    this.again(nowUs);
  }

  /** All groups are joined anew: what was said before, nobody has heard. */
  again(nowUs: number): void {
    this.down();
    for (const state of [...this.#groups.values()]) {
      const { filter } = state;
      state.filter = NOTHING;
      this.changed(state.group, filter, nowUs);
    }
  }

  /** Nothing can be said. */
  down(): void {
    this.#cancel();
  }

  #noteQuerier({ version, robustness, intervalS, withinUs }: HeardQuery, nowUs: number): void {
    if (version === 3) {
      this.#robustness = robustness;
      if (intervalS !== 0) this.#intervalUs = intervalS * 1_000_000;
      return;
    }
    // §8.12: robustness times the query interval, and a response interval.
    const untilUs = nowUs + this.#repeats() * this.#intervalUs;
    if (version === 1) this.#v1UntilUs = untilUs + RESPONSE_INTERVAL_US;
    else this.#v2UntilUs = untilUs + withinUs;
  }

  /** §5.2: one answer for all that is asked until then. */
  #answer({ group, sources }: HeardQuery, dueUs: number): void {
    if (this.#generalUs <= dueUs) return;
    if (group === null) {
      this.#generalUs = dueUs;
      this.#wakeAt(dueUs);
      return;
    }
    const state = this.#groups.get(sourceKey(group));
    if (state === undefined) return;
    state.answer.ask(dueUs, sources, this.#host.maxAskedSources);
    this.#wakeAt(dueUs);
  }

  /** RFC 2236 §3: a report that is under way is not put off. */
  #answerAlone(state: ReportedGroup, dueUs: number): void {
    if (isNothing(state.filter) || state.reportUs <= dueUs) return;
    state.reportUs = dueUs;
    state.reportsLeft = Math.max(1, state.reportsLeft);
    this.#wakeAt(dueUs);
  }

  #asked({ group }: HeardQuery): Iterable<ReportedGroup> {
    if (group === null) return this.#groups.values();
    const state = this.#groups.get(sourceKey(group));
    return state === undefined ? [] : [state];
  }

  #dueUs(withinUs: number, nowUs: number): number {
    return Math.max(nowUs + 1 + this.#below(Math.max(1, withinUs)), this.#answeredUs + BETWEEN_ANSWERS_US);
  }

  #sayAnswers(nowUs: number): void {
    const records: ReportedRecord[] = [];
    const all = this.#generalUs <= nowUs;
    if (all) this.#generalUs = NEVER;
    for (const { group, filter, answer } of this.#groups.values()) {
      if (all && !isNothing(filter)) records.push({ group, ...currentRecord(filter) });
      if (answer.dueUs > nowUs) continue;
      const record = answer.take(filter);
      if (record !== null && !all) records.push({ group, ...record });
    }
    if (records.length === 0) return;
    this.#answeredUs = nowUs;
    this.#host.report(records);
  }

  #sayChanges(nowUs: number): void {
    const records: ReportedRecord[] = [];
    let more = false;
    for (const state of this.#groups.values()) {
      const { group, filter, changes } = state;
      if (changes.pending) for (const record of changes.take(filter)) records.push({ group, ...record });
      if (changes.pending) more = true;
      else if (isNothing(filter)) this.#groups.delete(sourceKey(group));
    }
    this.#changesUs = more ? nowUs + 1 + this.#below(this.#host.unsolicitedUs(3)) : NEVER;
    if (records.length > 0) this.#host.report(records);
  }

  #sayAlone(state: ReportedGroup, nowUs: number): void {
    state.reportsLeft--;
    state.reportUs = state.reportsLeft > 0 ? nowUs + 1 + this.#below(this.#host.unsolicitedUs(2)) : NEVER;
    state.isReporter = true;
    this.#answeredUs = nowUs;
    this.#host.reportAlone(this.#version, state.group);
  }

  /** RFC 2236 §3: said by who reported last; RFC 1112 has no such message. */
  #leave(state: ReportedGroup, version: number): void {
    this.#groups.delete(sourceKey(state.group));
    if (version === 2 && state.isReporter) this.#host.leave(state.group);
  }

  #cancel(): void {
    this.#generalUs = NEVER;
    this.#changesUs = NEVER;
    this.nextUs = NEVER;
    for (const state of this.#groups.values()) {
      state.cancel();
      if (isNothing(state.filter)) this.#groups.delete(sourceKey(state.group));
    }
  }

  /** µs by chance: beyond 71 minutes, which MLD may give to answer in (RFC 3810 §5.1.3), by whole ms. */
  #below(boundUs: number): number {
    return boundUs <= 0xffffffff ? this.#host.below(boundUs) : 1000 * this.#host.below(Math.floor(boundUs / 1000));
  }

  #repeats(): number {
    return this.#robustness || this.#host.robustness();
  }

  #wakeAt(us: number): void {
    if (us < this.nextUs) this.nextUs = us;
  }

  #rewake(): void {
    let next = Math.min(this.#generalUs, this.#changesUs);
    for (const { answer, reportUs } of this.#groups.values()) next = Math.min(next, answer.dueUs, reportUs);
    this.nextUs = next;
  }
}
