import type { DeviceTraffic, Port, RouteEdit, RouteEntry } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import type { HopSpec } from './hop.ts';
import type { HopSpecs } from './hop-specs.ts';
import { entryOf, RouteAlias } from './route-alias.ts';
import type { CheckedEntry } from './route-checks.ts';
import { checkEntry, isAppended, masked, sameWords } from './route-checks.ts';
import type { RouteExpiry } from './route-expiry.ts';
import type { RouteInfo, RouteInfoSpec } from './route-info.ts';
import type { RouteInfos } from './route-infos.ts';
import type { RouteListeners } from './route-listeners.ts';
import type { RouteTable } from './route-table.ts';
import { routeWords } from './route-words.ts';
import type { RuleBook } from './rules.ts';
import { TABLE } from './rules.ts';

export interface RouteStoreParts {
  readonly book: RuleBook;
  readonly infos: RouteInfos;
  readonly specs: HopSpecs;
  readonly traffic: Port<DeviceTraffic>;
  /** Tries what a hop asks for: throws where no tunnel offers it. */
  readonly tryOut: (hop: HopSpec) => void;
  /** Lookups may answer otherwise now. */
  readonly changed: () => void;
  readonly expiry: RouteExpiry;
  readonly listeners: RouteListeners;
}

/** The routes that are configured: `RouteTables`, and lists of them. */
export class RouteStore {
  readonly #parts: RouteStoreParts;
  readonly #infos: RouteInfos;

  constructor(parts: RouteStoreParts) {
    this.#parts = parts;
    this.#infos = parts.infos;
  }

  add(entry: RouteEntry): void {
    this.#put(this.#check(entry), false, false);
  }

  replace(entry: RouteEntry): void {
    this.#put(this.#check(entry), true, false);
  }

  remove(entry: RouteEntry): void {
    const { family, prefix, prefixLen } = entry;
    const number = entry.table ?? TABLE.MAIN;
    const table = this.#parts.book.of(family).tables.get(number);
    let alias = table?.chain(masked(family, prefix, prefixLen), prefixLen) ?? null;
    while (alias !== null && !isMeant(alias, entry)) alias = alias.next;
    if (table === undefined || alias === null) {
      throw new NetError('ENOENT', `table ${number} has no route ${this.#words(entry)}`, { syscall: 'route' });
    }
    this.expire(table, alias);
  }

  /** Its time is over, or somebody wants it gone. */
  expire(table: RouteTable, alias: RouteAlias): void {
    const entry = entryOf(alias, table.family, table.number);
    this.#takeOut(table, alias);
    this.#parts.changed();
    this.#parts.listeners.route('remove', entry);
  }

  apply(edits: readonly RouteEdit[]): void {
    for (const { change, entry } of edits) this[change](entry);
  }

  /** Of all tables, by their numbers. */
  entries(family: number): RouteEntry[] {
    const tables = [...(this.#parts.book.find(family)?.tables.values() ?? [])].sort((a, b) => a.number - b.number);
    return tables.flatMap((table) => Array.from(table.aliases(), (alias) => entryOf(alias, family, table.number)));
  }

  /** Routes of the last generation, checked when they were added. */
  restore(entries: readonly RouteEntry[]): void {
    for (const entry of entries) this.#put(this.#check(entry), false, true);
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
    const entries: RouteEntry[] = [];
    for (const table of [...this.#parts.book.tables()]) {
      for (const alias of [...table.aliases()].filter(({ info }) => isMeant(info))) {
        entries.push(entryOf(alias, table.family, table.number));
        this.#takeOut(table, alias);
      }
    }
    return entries;
  }

  #put(entry: CheckedEntry, replaces: boolean, trusted: boolean): void {
    const { book, specs, tryOut, changed, expiry, listeners } = this.#parts;
    const hopSpecs = specs.of(entry, trusted);
    if (!trusted) for (const spec of hopSpecs) tryOut(spec);
    const table = book.of(entry.family).table(entry.table);
    const info = this.#infos.take(infoSpecOf(entry), hopSpecs);
    const before = this.#conflict(table, entry, info);
    if (before !== null && !replaces) {
      this.#infos.give(info);
      throw new NetError(
        'EEXIST',
        `table ${entry.table} has the route ${this.#words(entryOf(before, entry.family, entry.table))} already: replace changes it`,
        {
          syscall: 'route',
        },
      );
    }
    if (before !== null) this.#takeOut(table, before);
    const alias = new RouteAlias(info, entry);
    const into = book.of(entry.family).table(entry.table);
    into.add(alias);
    expiry.watch(into, alias);
    changed();
    if (!trusted && listeners.heard) listeners.route(before === null ? 'add' : 'replace', entryOf(alias, entry.family, entry.table));
  }

  /** The route whose place the entry would take: one prefix, tos and priority; of the stack's own, one way. */
  #conflict(table: RouteTable, entry: CheckedEntry, info: RouteInfo): RouteAlias | null {
    const device = info.hops[0]?.ifindex ?? 0;
    for (let alias = table.chain(entry.prefix, entry.prefixLen); alias !== null; alias = alias.next) {
      if (alias.tos !== entry.tos || alias.priority !== entry.priority) continue;
      if (!isAppended(entry) || alias.info === info) return alias;
      if (alias.info.source === info.source && alias.info.type === info.type && isOneLink(alias.info, device)) return alias;
    }
    return null;
  }

  #takeOut(table: RouteTable, alias: RouteAlias): void {
    table.remove(alias);
    this.#parts.expiry.forget(alias);
    this.#infos.give(alias.info);
    this.#parts.book.of(table.family).tidy(table.number);
  }

  #check(entry: RouteEntry): CheckedEntry {
    return checkEntry(entry, () => this.#words(entry));
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

function isOneLink({ hops }: RouteInfo, ifindex: number): boolean {
  return hops.length === 1 && hops[0]!.ifindex === ifindex && hops[0]!.spec.gatewayFamily === 0;
}

/** What the entry leaves open does not count: metric, source, type, scope, next hops. */
function isMeant({ info, tos, priority }: RouteAlias, entry: RouteEntry): boolean {
  if (tos !== (entry.tos ?? 0) || (entry.priority && entry.priority !== priority)) return false;
  if ((entry.type !== 0 && entry.type !== info.type) || (entry.source !== 0 && entry.source !== info.source)) return false;
  if (entry.nextHopId && entry.nextHopId !== info.nextHopId) return false;
  if (entry.scope !== undefined && entry.scope !== info.scope) return false;
  return entry.nextHops.every(({ ifindex, gateway }) =>
    info.hops.some(({ spec, ifindex: own }) => {
      if (ifindex !== 0 && ifindex !== own) return false;
      return gateway === undefined || (gateway.family === spec.gatewayFamily && sameWords(gateway.address, spec.gateway));
    }),
  );
}
