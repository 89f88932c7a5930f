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

/** Changes that are not published yet: they can be taken back, all of them. In columns, as they may be a million. */
export class RouteJournal {
  /** The tables that were changed. */
  readonly tables = new Set<RouteTable>();
  readonly #tables: RouteTable[] = [];
  readonly #prefixes: AddressWords[] = [];
  readonly #lens: number[] = [];
  readonly #before: (RouteAlias | null)[] = [];
  readonly #after: (RouteAlias | null)[] = [];
  readonly #gained: (RouteInfo | null)[] = [];
  readonly #lost: (RouteInfo | null)[] = [];

  note({ table, prefix, prefixLen, before, after, gained, lost }: Step): void {
    this.tables.add(table);
    this.#tables.push(table);
    this.#prefixes.push(prefix);
    this.#lens.push(prefixLen);
    this.#before.push(before);
    this.#after.push(after);
    this.#gained.push(gained);
    this.#lost.push(lost);
  }

  /** The last first: tables are as they were. @param give an info has one user less. */
  undo(give: (info: RouteInfo) => void): void {
    for (let i = this.#tables.length - 1; i >= 0; i--) {
      const [table, prefix, prefixLen, gained] = [this.#tables[i]!, this.#prefixes[i]!, this.#lens[i]!, this.#gained[i]!];
      table.put(prefix, prefixLen, table.chain(prefix, prefixLen), this.#before[i]!);
      if (gained !== null) give(gained);
    }
  }

  /** They hold. @param visit is told of prefixes that have, or had, routes which expire. */
  settle(give: (info: RouteInfo) => void, visit: (table: RouteTable, prefix: AddressWords, prefixLen: number) => void): void {
    for (let i = 0; i < this.#tables.length; i++) {
      const lost = this.#lost[i]!;
      if (lost !== null) give(lost);
      if (this.#before[i]?.expires || this.#after[i]?.expires) visit(this.#tables[i]!, this.#prefixes[i]!, this.#lens[i]!);
    }
  }
}
