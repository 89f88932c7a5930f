import type { AddressWords, DeviceTraffic, Generation, Port, RouteEdit, RouteEntry } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { HopSpec } from './hop.ts';
import type { HopSpecs } from './hop-specs.ts';
import type { Known } from './info-memo.ts';
import { InfoMemo } from './info-memo.ts';
import type { Prefix } from './route-alias.ts';
import { aliasesOf, chainIn, chainOut, chainProlonged, entryOf, RouteAlias } from './route-alias.ts';
import type { CheckedEntry } from './route-checks.ts';
import { checkEntry, checkPrefixLen, isOfStack, masked } from './route-checks.ts';
import type { RouteExpiry } from './route-expiry.ts';
import type { RouteInfo, RouteInfoSpec } from './route-info.ts';
import type { RouteInfos } from './route-infos.ts';
import type { RoutePlace } from './route-journal.ts';
import { RouteJournal } from './route-journal.ts';
import type { RouteListeners } from './route-listeners.ts';
import { conflict, isMeant, isProlonged } from './route-match.ts';
import type { RouteTable } from './route-table.ts';
import { routeWords } from './route-words.ts';
import type { RuleBook } from './rules.ts';
import { TABLE } from './rules.ts';

/** Each change of a prefix makes its chain anew: what that costs is bounded. */
const MOST_ROUTES = 2048;

/** Changes that are not published yet. */
interface Work {
  readonly journal: RouteJournal;
  /** How many changes there may be. */
  readonly changes: number;
  /** What listeners will hear. */
  readonly told: { readonly change: RouteEdit['change']; readonly entry: RouteEntry }[];
  /** How many edits are done. */
  done: number;
  /** Lookups answer otherwise: routes have not just more or less time. */
  isNews: boolean;
}

export interface RouteStoreParts {
  readonly book: RuleBook;
  readonly infos: RouteInfos;
  readonly specs: HopSpecs;
  readonly traffic: Port<DeviceTraffic>;
  /** Tries what a hop asks for: throws where no tunnel offers it. */
  readonly tryOut: (hop: HopSpec) => void;
  /** The layer of this family has begun to leave: nobody new goes by it. */
  readonly layerLeaves: (family: number) => boolean;
  /** Lookups may answer otherwise now. */
  readonly changed: () => void;
  /** Counts all changes of which lookups may answer otherwise, of whatever kind. */
  readonly generation: Generation;
  readonly expiry: RouteExpiry;
  readonly listeners: RouteListeners;
}

/** A table that is handed over. */
export interface HandedTable {
  readonly family: number;
  readonly number: number;
  /** As of `RouteTable.columns`. */
  readonly list: Int32Array;
  /** Routes of one prefix, in order, by the numbers of `list`. */
  readonly chains: readonly (readonly [id: number, routes: readonly RouteEntry[]])[];
}

/** The routes that are configured: `RouteTables`, and lists of them. */
export class RouteStore {
  readonly #parts: RouteStoreParts;
  readonly #infos: RouteInfos;
  readonly #memo = new InfoMemo();
  /** Since then nothing but routes has changed, that the memo was told of. */
  #generation = 0;

  constructor(parts: RouteStoreParts) {
    this.#parts = parts;
    this.#infos = parts.infos;
  }

  add(entry: RouteEntry): void {
    this.#publish([{ change: 'add', entry }], false);
  }

  replace(entry: RouteEntry): void {
    this.#publish([{ change: 'replace', entry }], false);
  }

  remove(entry: RouteEntry): void {
    this.#publish([{ change: 'remove', entry }], false);
  }

  apply(edits: readonly RouteEdit[]): void {
    this.#publish(edits, true);
  }

  /** The time of these routes of a prefix is over. */
  expire(table: RouteTable, prefix: Prefix, over: readonly RouteAlias[]): void {
    const work = this.#begin(0);
    for (const alias of over) {
      work.told.push({ change: 'remove', entry: entryOf(alias, table, prefix) });
      this.#takeOut(work, table, prefix, alias);
    }
    this.#settle(work);
    this.#parts.changed();
    this.#tell(work);
  }

  /** Of all tables, by their numbers. */
  entries(family: number): RouteEntry[] {
    const entries: RouteEntry[] = [];
    for (const table of this.tablesOf(family)) {
      for (const at of table.routes()) for (const alias of aliasesOf(at.first)) entries.push(entryOf(alias, table, at));
    }
    return entries;
  }

  /** Tables of the last generation, checked when their routes were added; without ways by devices that have gone meanwhile. */
  restore(tables: Iterable<HandedTable>): void {
    const work = this.#begin(Number.POSITIVE_INFINITY);
    for (const table of tables) this.#restoreTable(work, table);
    this.#settle(work);
    this.#parts.changed();
  }

  #restoreTable(work: Work, { family, number, list, chains }: HandedTable): void {
    const table = this.#parts.book.of(family).table(number);
    this.#enter(work, table);
    const firsts = new Map(chains.map(([id, entries]) => [id, this.#chainOf(entries)]));
    table.visit(list, (prefix, prefixLen, id) => {
      const first = firsts.get(id)!;
      if (first === null) return;
      let after: RouteAlias | null = first;
      const before = table.chain(prefix, prefixLen);
      if (before !== null) after = aliasesOf(first).reduce((chain, alias) => chainIn(chain, alias.info, alias), before);
      for (let alias: RouteAlias | null = first; alias !== null; alias = alias.next) alias.info.users++;
      table.put(prefix, prefixLen, before, after);
      if (after.expires) work.journal.noteExpiring(table, prefix, prefixLen);
    });
    for (const first of firsts.values()) for (const { info } of aliasesOf(first)) this.#infos.give(info);
  }

  /** Routes of one prefix, which is none in particular; their infos have one more user. Null: all their ways have gone. */
  #chainOf(entries: readonly RouteEntry[]): RouteAlias | null {
    let first: RouteAlias | null = null;
    for (const entry of entries) {
      const nextHops = entry.nextHops.filter(({ ifindex }) => this.#parts.traffic.current.byIndex(ifindex) !== null);
      if (nextHops.length === 0 && entry.nextHops.length > 0) continue;
      const { checked, info } = this.#known({ ...entry, nextHops }, true);
      first = chainIn(first, info, checked);
    }
    return first;
  }

  /** Drops the routes all of whose devices have gone. Returns them; nobody is told. */
  dropGone(): RouteEntry[] {
    return this.#dropThose(({ hops }) => hops.length > 0 && hops.every((hop) => hop.gone));
  }

  /** Drops the routes of these infos. Returns them; nobody is told. */
  dropOf(infos: ReadonlySet<RouteInfo>): RouteEntry[] {
    return infos.size === 0 ? [] : this.#dropThose((info) => infos.has(info));
  }

  #dropThose(isMeant: (info: RouteInfo) => boolean): RouteEntry[] {
    this.#memo.forget();
    const entries: RouteEntry[] = [];
    const work = this.#begin(0);
    for (const table of this.#parts.book.tables()) {
      for (const at of table.routes((first) => aliasesOf(first).some(({ info }) => isMeant(info)))) {
        for (const alias of aliasesOf(at.first)) {
          if (!isMeant(alias.info)) continue;
          entries.push(entryOf(alias, table, at));
          this.#takeOut(work, table, at, alias);
        }
      }
    }
    this.#settle(work);
    return entries;
  }

  /** By their numbers. */
  tablesOf(family: number): RouteTable[] {
    return [...(this.#parts.book.find(family)?.tables.values() ?? [])].sort((a, b) => a.number - b.number);
  }

  /** All of it or nothing. @param several the error says which of the edits was refused. */
  #publish(edits: readonly RouteEdit[], several: boolean): void {
    const work = this.#begin(edits.length);
    try {
      for (const edit of edits) this.#do(work, edit);
    } catch (error) {
      const placeOf = (number: number): RoutePlace => this.#placeOf(edits[number]!.entry);
      work.journal.undo(placeOf, (info) => this.#infos.give(info));
      // Gateways may have been checked against what is no more.
      this.#memo.forget();
      this.#close(work);
      throw several ? ofEdit(error, work.done, edits.length) : error;
    }
    this.#settle(work);
    if (work.isNews) this.#changed();
    this.#tell(work);
  }

  #begin(changes: number): Work {
    const { value } = this.#parts.generation;
    if (this.#generation !== value) this.#memo.forget();
    this.#generation = value;
    this.#memo.begin();
    return { journal: new RouteJournal(), changes, told: [], done: 0, isNews: false };
  }

  /** A table will be changed. */
  #enter({ journal, changes }: Work, table: RouteTable): void {
    if (journal.enter(table)) table.begin(changes);
  }

  /** Lookups answer otherwise. Where that is all that has changed, the memo knows already. */
  #changed(): void {
    const { generation, changed } = this.#parts;
    const before = generation.value;
    changed();
    if (before === this.#generation && generation.value === before + 1) this.#generation = before + 1;
  }

  #do(work: Work, { change, entry }: RouteEdit): void {
    if (change === 'remove') this.#remove(work, entry);
    else this.#put(work, entry, change === 'replace');
    work.done++;
  }

  /** What was done holds. */
  #settle(work: Work): void {
    const { expiry } = this.#parts;
    work.journal.settle(
      (info) => this.#infos.give(info),
      ({ table, prefix, prefixLen }) => expiry.look(table, prefix, prefixLen),
    );
    this.#close(work);
  }

  #close({ journal }: Work): void {
    for (const { family, number } of journal.tables) this.#parts.book.of(family).tidy(number);
  }

  #tell({ told }: Work): void {
    if (told.length === 0) return;
    const { listeners } = this.#parts;
    listeners.several(
      told.map(
        ({ change, entry }) =>
          () =>
            listeners.route(change, entry),
      ),
    );
  }

  #put(work: Work, given: RouteEntry, replaces: boolean): void {
    const known = this.#known(given, false);
    const { checked: entry, info } = known;
    const { prefixLen } = given;
    const prefix = masked(entry.family, given.prefix, prefixLen);
    const table = this.#parts.book.of(entry.family).table(entry.table);
    this.#enter(work, table);
    const before = table.chain(prefix, prefixLen);
    const other = before === null ? null : conflict(before, entry, info);
    const fault = this.#faultOf(given, table, before, other, replaces);
    if (fault !== null) {
      this.#infos.give(info);
      throw fault;
    }
    const rest = other === null ? before : chainOut(before!, other);
    const isNews = other === null || !isProlonged(other, entry, info);
    let wanted = known.alone ?? null;
    if (rest !== null) wanted = isNews ? chainIn(rest, info, entry) : chainProlonged(before!, other!, entry.expiresMs ?? null);
    wanted ??= new RouteAlias(info, entry, null);
    const after = this.#place(table, prefix, prefixLen, before, wanted, info);
    if (rest === null) known.alone = after;
    work.journal.note(before, info, other === null ? null : other.info);
    work.isNews ||= isNews;
    if (wanted.expires || before?.expires === true) work.journal.noteExpiring(table, prefix, prefixLen);
    this.#memo.touch(entry.family, prefix, prefixLen);
    if (!this.#parts.listeners.heard) return;
    const told = entryOf(new RouteAlias(info, entry, null), table, { prefix, prefixLen });
    work.told.push({ change: other === null ? 'add' : 'replace', entry: told });
  }

  /** Why a prefix cannot have one more. @param other the route in whose place it would be. */
  #faultOf(entry: RouteEntry, table: RouteTable, first: RouteAlias | null, other: RouteAlias | null, replaces: boolean): NetError | null {
    if (other !== null) {
      if (replaces) return null;
      const words = this.#words(entryOf(other, table, entry));
      return new NetError('EEXIST', `table ${table.number} has the route ${words} already: replace changes it`, { syscall: 'route' });
    }
    if (first === null || first.length < MOST_ROUTES) return null;
    const words = this.#words({ ...entry, nextHops: [], priority: 0 });
    const text = `table ${table.number} has ${MOST_ROUTES} routes ${words} already, the most of a prefix`;
    return new NetError('ENOBUFS', text, { syscall: 'route' });
  }

  /** The prefix has other routes. @throws NetError ENOBUFS; then the info that they would have gained has one user less. */
  #place(
    table: RouteTable,
    prefix: AddressWords,
    prefixLen: number,
    before: RouteAlias | null,
    after: RouteAlias,
    gained: RouteInfo,
  ): RouteAlias | null {
    try {
      return table.put(prefix, prefixLen, before, after);
    } catch (error) {
      this.#infos.give(gained);
      throw error;
    }
  }

  /** Where an edit was made. */
  #placeOf({ family, prefix, prefixLen, table = TABLE.MAIN }: RouteEntry): RoutePlace {
    return { table: this.#parts.book.of(family).table(table), prefix: masked(family, prefix, prefixLen), prefixLen };
  }

  /** A route like this, checked; its info has one more user. */
  #known(given: RouteEntry, trusted: boolean): Known {
    if (!trusted) this.#checkLayer(given);
    const known = this.#memo.find(given);
    if (known !== null) {
      checkPrefixLen(given, () => this.#words(given));
      known.info.users++;
      return known;
    }
    const { specs, tryOut } = this.#parts;
    const checked = checkEntry(given, () => this.#words(given));
    const hopSpecs = specs.of(checked, trusted);
    if (!trusted) for (const spec of hopSpecs) tryOut(spec);
    return this.#memo.keep(given, checked, this.#infos.take(infoSpecOf(checked), hopSpecs));
  }

  #remove(work: Work, entry: RouteEntry): void {
    const { family, prefix, prefixLen, table: number = TABLE.MAIN } = entry;
    const table = this.#parts.book.of(family).tables.get(number);
    const at = { prefix: masked(family, prefix, prefixLen), prefixLen };
    const alias = aliasesOf(table?.chain(at.prefix, prefixLen) ?? null).find((each) => isMeant(each, entry));
    if (table === undefined || alias === undefined) {
      throw new NetError('ENOENT', `table ${number} has no route ${this.#words(entry)}`, { syscall: 'route' });
    }
    if (this.#parts.listeners.heard) work.told.push({ change: 'remove', entry: entryOf(alias, table, at) });
    this.#takeOut(work, table, at, alias);
    this.#memo.touch(family, at.prefix, prefixLen);
  }

  #takeOut(work: Work, table: RouteTable, { prefix, prefixLen }: Prefix, alias: RouteAlias): void {
    this.#enter(work, table);
    const before = table.chain(prefix, prefixLen)!;
    table.put(prefix, prefixLen, before, chainOut(before, alias));
    work.journal.note(before, null, alias.info);
    work.isNews = true;
    if (before.expires) work.journal.noteExpiring(table, prefix, prefixLen);
  }

  /** @throws NetError EAFNOSUPPORT: a route by hand is for those who come, and its layer takes nobody new. */
  #checkLayer(entry: RouteEntry): void {
    if (isOfStack(entry) || !this.#parts.layerLeaves(entry.family)) return;
    const sentence = `the route ${this.#words(entry)} cannot be: its layer is leaving, and takes nothing new; call it back, or load it again`;
    throw new NetError('EAFNOSUPPORT', sentence, { syscall: 'route' });
  }

  #words(entry: RouteEntry): string {
    return routeWords(entry, (ifindex) => this.#parts.traffic.current.byIndex(ifindex)?.name ?? null);
  }
}

function infoSpecOf({
  family,
  type,
  scope,
  nextHops,
  nextHopId,
  metrics,
  realms = 0,
  preferredSource,
  source,
}: CheckedEntry): RouteInfoSpec {
  return {
    ...{ family, type, scope, nextHopId, realms, source },
    weights: nextHops.length === 0 ? [1] : nextHops.map(({ weight = 1 }) => weight),
    metrics: metrics === undefined ? null : metrics.slice(),
    preferredSource: preferredSource ?? null,
  };
}

/** The error says which edit it was. */
function ofEdit(error: unknown, index: number, count: number): unknown {
  if (!(error instanceof NetError)) return error;
  const sentence = error.message.slice(error.code.length + 2);
  return new NetError(error.code, `edit ${index + 1} of ${count}: ${sentence}`, { syscall: 'route', cause: error });
}
