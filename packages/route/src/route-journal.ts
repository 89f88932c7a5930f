import type { RouteEntry } from '@softnet/contract';
import type { RouteAlias } from './route-alias.ts';
import type { RouteInfo } from './route-info.ts';
import type { RouteTable } from './route-table.ts';

/** What one change of a table was. */
interface Step {
  readonly table: RouteTable;
  readonly at: Pick<RouteEntry, 'prefix' | 'prefixLen'>;
  readonly before: RouteAlias | null;
  /** One more route uses it. */
  readonly gained: RouteInfo | null;
  /** One route less uses it, which is said when the change is published. */
  readonly lost: RouteInfo | null;
}

/** Changes that are not published yet: they can be taken back, all of them. */
export class RouteJournal {
  readonly #steps: Step[] = [];

  note(step: Step): void {
    this.#steps.push(step);
  }

  /** The last first: tables are as they were. @param give an info has one user less. */
  undo(give: (info: RouteInfo) => void): void {
    for (const { table, at, before, gained } of this.#steps.reverse()) {
      table.put(at.prefix, at.prefixLen, before);
      if (gained !== null) give(gained);
    }
  }

  /** They hold. @param visit is told of each, in order. */
  settle(give: (info: RouteInfo) => void, visit: (table: RouteTable, at: Step['at']) => void): void {
    for (const { table, at, lost } of this.#steps) {
      if (lost !== null) give(lost);
      visit(table, at);
    }
  }

  /** The tables that were changed. */
  get tables(): Set<RouteTable> {
    return new Set(this.#steps.map(({ table }) => table));
  }
}
