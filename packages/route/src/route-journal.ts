import type { AddressWords } from '@softnet/contract';
import type { RouteAlias } from './route-alias.ts';
import type { RouteInfo } from './route-info.ts';
import type { RouteTable } from './route-table.ts';

/** Where a change was. */
export interface RoutePlace {
  readonly table: RouteTable;
  readonly prefix: AddressWords;
  readonly prefixLen: number;
}

/**
 * Changes that are not published yet: they can be taken back, all of them. They may be a million, so it keeps only what cannot be found
 * out otherwise: of a prefix that had no routes, nothing.
 */
export class RouteJournal {
  /** The tables that were changed. */
  readonly tables: RouteTable[] = [];
  #count = 0;
  /** The changes of prefixes that had routes: which, and the routes that they had, who is used by one more, and by one less. */
  readonly #numbers: number[] = [];
  readonly #before: RouteAlias[] = [];
  readonly #gained: (RouteInfo | null)[] = [];
  readonly #lost: (RouteInfo | null)[] = [];
  /** Prefixes that have, or had, routes which expire. */
  readonly #expiring: RoutePlace[] = [];

  /** A table will be changed. False: one of {@link tables} already. */
  enter(table: RouteTable): boolean {
    if (this.tables[this.tables.length - 1] === table || this.tables.includes(table)) return false;
    this.tables.push(table);
    return true;
  }

  /**
   * One more change is done.
   * @param before the routes that the prefix had. @param gained one more route uses it. @param lost one less will, when it is published.
   */
  note(before: RouteAlias | null, gained: RouteInfo | null, lost: RouteInfo | null): void {
    const number = this.#count++;
    if (before === null) return;
    this.#numbers.push(number);
    this.#before.push(before);
    this.#gained.push(gained);
    this.#lost.push(lost);
  }

  /** The last change was of a prefix that has, or had, routes which expire. */
  noteExpiring(table: RouteTable, prefix: AddressWords, prefixLen: number): void {
    this.#expiring.push({ table, prefix, prefixLen });
  }

  /** The last first: tables are as they were. @param placeOf where a change was, counted from 0. @param give an info has one user less. */
  undo(placeOf: (number: number) => RoutePlace, give: (info: RouteInfo) => void): void {
    let had = this.#numbers.length - 1;
    for (let number = this.#count - 1; number >= 0; number--) {
      const { table, prefix, prefixLen } = placeOf(number);
      const now = table.chain(prefix, prefixLen);
      const hadRoutes = this.#numbers[had] === number;
      table.put(prefix, prefixLen, now, hadRoutes ? this.#before[had]! : null);
      // Where there was none, what is there now is what was gained.
      const gained = hadRoutes ? this.#gained[had--]! : now!.info;
      if (gained !== null) give(gained);
    }
    for (const table of this.tables) table.discard();
  }

  /** They hold. @param visit is told of prefixes that have, or had, routes which expire. */
  settle(give: (info: RouteInfo) => void, visit: (place: RoutePlace) => void): void {
    for (const info of this.#lost) if (info !== null) give(info);
    for (const table of this.tables) table.publish();
    for (const place of this.#expiring) visit(place);
  }
}
