import type { AddressWords } from '@softnet/contract';
import type { SourceFilter } from '@softnet/inet';
import { currentRecord, isNothing, NOTHING } from '@softnet/inet';
import { IgmpGroup } from './igmp-group.ts';
import type { IgmpQuery, IgmpRecord } from './wire.ts';
import { IGMP_TYPE } from './wire.ts';

/** What the machine asks for, and what it says. */
export interface IgmpHost {
  /** 1 to 3: that version whatever the querier speaks; 0: as it speaks (`force_igmp_version`). */
  forcedVersion(): number;
  /** How often changes are said, unless the querier says it (`igmp_qrv`). */
  robustness(): number;
  /** Between two of these, at most (`igmpvN_unsolicited_report_interval`). @param version 2 or 3. */
  unsolicitedUs(version: number): number;
  /** A whole number below the bound, by chance. */
  below(bound: number): number;
  /** Records of one kind of report, however many: who sends them sees to their size. */
  report(records: readonly IgmpRecord[]): void;
  /** A message of version 1 or 2. */
  message(type: typeof IGMP_TYPE.REPORT_V1 | typeof IGMP_TYPE.REPORT_V2 | typeof IGMP_TYPE.LEAVE, group: AddressWords): void;
}

const NEVER: number = Number.POSITIVE_INFINITY;
/** Of queriers that do not say it (RFC 3376 §8.2, §8.3; RFC 2236 §8.3). */
const QUERY_INTERVAL_US = 125_000_000;
const RESPONSE_INTERVAL_US = 10_000_000;
/** Whoever asks without end is answered so often only. */
const BETWEEN_ANSWERS_US = 100_000;
/** Of queries for sources that wait for one answer, about one group: as many as a report of an Ethernet frame says. */
const MAX_ASKED_SOURCES = 364;

/**
 * The host side of IGMP on one interface: versions 1 to 3 (RFC 1112, 2236, 3376). Without I/O, clock and timers: whoever has it calls {@link timeout} at
 * {@link nextUs}, or somewhat later. What is wanted of groups is merged elsewhere; here it is said.
 */
export class IgmpMachine {
  /** When `timeout` wants to be called; Infinity: not. */
  nextUs: number = NEVER;
  readonly #host: IgmpHost;
  /** By the group's last word: those that somebody is in, and those whose end is still to be said. */
  readonly #groups = new Map<number, IgmpGroup>();
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

  constructor(host: IgmpHost) {
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

  /** What all members together want of a group has changed. */
  changed(group: AddressWords, now: SourceFilter, nowUs: number): void {
    const version = this.version(nowUs);
    const known = this.#groups.get(group[3]);
    const state = known ?? new IgmpGroup(group);
    const before = state.filter;
    if (known === undefined) this.#groups.set(group[3], state);
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

  /** A query that is right in all that can be seen of it. */
  query(query: IgmpQuery, nowUs: number): void {
    this.#noteQuerier(query, nowUs);
    const version = this.version(nowUs);
    const withinUs = query.version === 1 ? RESPONSE_INTERVAL_US : query.maxResponseDs * 100_000;
    if (version === 3) this.#answer(query, this.#dueUs(withinUs, nowUs));
    else for (const state of this.#asked(query)) this.#answerAlone(state, this.#dueUs(withinUs, nowUs));
  }

  /** Another host is in a group: what this one would say of it, the querier knows (RFC 2236 §3). */
  heard(group: AddressWords, nowUs: number): void {
    const state = this.#groups.get(group[3]);
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
    this.down();
    this.#v1UntilUs = 0;
    this.#v2UntilUs = 0;
    this.#robustness = 0;
    this.#intervalUs = QUERY_INTERVAL_US;
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

  #noteQuerier({ version, robustness, intervalS, maxResponseDs }: IgmpQuery, nowUs: number): void {
    if (version === 3) {
      this.#robustness = robustness;
      if (intervalS !== 0) this.#intervalUs = intervalS * 1_000_000;
      return;
    }
    // §8.12: robustness times the query interval, and a response interval.
    const untilUs = nowUs + this.#repeats() * this.#intervalUs;
    if (version === 1) this.#v1UntilUs = untilUs + RESPONSE_INTERVAL_US;
    else this.#v2UntilUs = untilUs + maxResponseDs * 100_000;
  }

  /** §5.2: one answer for all that is asked until then. */
  #answer({ group, sources }: IgmpQuery, dueUs: number): void {
    if (this.#generalUs <= dueUs) return;
    if (group[3] === 0) {
      this.#generalUs = dueUs;
      this.#wakeAt(dueUs);
      return;
    }
    const state = this.#groups.get(group[3]);
    if (state === undefined) return;
    state.answer.ask(dueUs, sources, MAX_ASKED_SOURCES);
    this.#wakeAt(dueUs);
  }

  /** RFC 2236 §3: a report that is under way is not put off. */
  #answerAlone(state: IgmpGroup, dueUs: number): void {
    if (isNothing(state.filter) || state.reportUs <= dueUs) return;
    state.reportUs = dueUs;
    state.reportsLeft = Math.max(1, state.reportsLeft);
    this.#wakeAt(dueUs);
  }

  #asked({ group }: IgmpQuery): Iterable<IgmpGroup> {
    if (group[3] === 0) return this.#groups.values();
    const state = this.#groups.get(group[3]);
    return state === undefined ? [] : [state];
  }

  #dueUs(withinUs: number, nowUs: number): number {
    return Math.max(nowUs + 1 + this.#host.below(Math.max(1, withinUs)), this.#answeredUs + BETWEEN_ANSWERS_US);
  }

  #sayAnswers(nowUs: number): void {
    const records: IgmpRecord[] = [];
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
    const records: IgmpRecord[] = [];
    let more = false;
    for (const state of this.#groups.values()) {
      const { group, filter, changes } = state;
      if (changes.pending) for (const record of changes.take(filter)) records.push({ group, ...record });
      if (changes.pending) more = true;
      else if (isNothing(filter)) this.#groups.delete(group[3]);
    }
    this.#changesUs = more ? nowUs + 1 + this.#host.below(this.#host.unsolicitedUs(3)) : NEVER;
    if (records.length > 0) this.#host.report(records);
  }

  #sayAlone(state: IgmpGroup, nowUs: number): void {
    state.reportsLeft--;
    state.reportUs = state.reportsLeft > 0 ? nowUs + 1 + this.#host.below(this.#host.unsolicitedUs(2)) : NEVER;
    state.isReporter = true;
    this.#answeredUs = nowUs;
    this.#host.message(this.#version === 1 ? IGMP_TYPE.REPORT_V1 : IGMP_TYPE.REPORT_V2, state.group);
  }

  /** RFC 2236 §3: said by who reported last; RFC 1112 has no such message. */
  #leave(state: IgmpGroup, version: number): void {
    this.#groups.delete(state.group[3]);
    if (version === 2 && state.isReporter) this.#host.message(IGMP_TYPE.LEAVE, state.group);
  }

  #cancel(): void {
    this.#generalUs = NEVER;
    this.#changesUs = NEVER;
    this.nextUs = NEVER;
    for (const state of this.#groups.values()) {
      state.cancel();
      if (isNothing(state.filter)) this.#groups.delete(state.group[3]);
    }
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
