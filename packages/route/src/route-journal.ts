import type { AddressWords } from '@softnet/contract';
import type { RouteAlias } from './route-alias.ts';
import type { RouteInfo } from './route-info.ts';
import type { RouteTable } from './route-table.ts';

/** What one change of a table was. */
interface Step {
  readonly table: RouteTable;
  readonly prefix: AddressWords;
  readonly prefixLen: number;
  readonly before: RouteAlias | null;
  readonly after: RouteAlias | null;
  /** One more route uses it. */
  readonly gained: RouteInfo | null;
  /** One route less uses it, which is said when the change is published. */
  readonly lost: RouteInfo | null;
}

/** Changes that are not published yet: they can be taken back, all of them. */
export class RouteJournal {
  /** The tables that were changed. */
  readonly tables = new Set<RouteTable>();
  readonly #steps: Step[] = [];

  note(step: Step): void {
    this.#steps.push(step);
    this.tables.add(step.table);
  }

  /** The last first: tables are as they were. @param give an info has one user less. */
  undo(give: (info: RouteInfo) => void): void {
    for (const { table, prefix, prefixLen, before, gained } of this.#steps.reverse()) {
      table.put(prefix, prefixLen, table.chain(prefix, prefixLen), before);
      if (gained !== null) give(gained);
    }
  }

  /** They hold. @param visit is told of prefixes that have, or had, routes which expire. */
  settle(give: (info: RouteInfo) => void, visit: (table: RouteTable, prefix: AddressWords, prefixLen: number) => void): void {
    for (const { table, prefix, prefixLen, before, after, lost } of this.#steps) {
      if (lost !== null) give(lost);
      if (before?.expires || after?.expires) visit(table, prefix, prefixLen);
    }
  }
}
