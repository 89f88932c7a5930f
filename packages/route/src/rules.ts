import { ADDRESS_FAMILY, NetError } from '@softnet/contract';
import { RouteTable } from './route-table.ts';

/** Linux's `RT_TABLE_*`. */
export const TABLE = Object.freeze({ DEFAULT: 253, MAIN: 254, LOCAL: 255 } as const);

/** What is asked when a flow names no table, in order. Policy rules (`ip rule`) will stand here. */
const ORDER: readonly number[] = [TABLE.LOCAL, TABLE.MAIN, TABLE.DEFAULT];

/** The routing tables of one family, and in which order lookups ask them. */
export class Rules {
  readonly family: number;
  readonly tables = new Map<number, RouteTable>();
  /** The tables that lookups ask, in order. Replaced whole. */
  order: readonly RouteTable[] = [];

  constructor(family: number) {
    this.family = family;
  }

  /** The table of this number; made if need be. */
  table(number: number): RouteTable {
    let table = this.tables.get(number);
    if (table === undefined) {
      table = new RouteTable(this.family, number);
      this.tables.set(number, table);
      this.#settle();
    }
    return table;
  }

  /** A table that has no routes any more goes. */
  tidy(number: number): void {
    if (this.tables.get(number)?.count !== 0) return;
    this.tables.delete(number);
    this.#settle();
  }

  #settle(): void {
    this.order = ORDER.flatMap((number) => this.tables.get(number) ?? []);
  }
}

/** The tables of both families. */
export class RuleBook {
  readonly #inet = new Rules(ADDRESS_FAMILY.INET);
  readonly #inet6 = new Rules(ADDRESS_FAMILY.INET6);

  /** Null: no family that is routed here. */
  find(family: number): Rules | null {
    return family === ADDRESS_FAMILY.INET ? this.#inet : family === ADDRESS_FAMILY.INET6 ? this.#inet6 : null;
  }

  /** @throws NetError EAFNOSUPPORT. */
  of(family: number): Rules {
    const rules = this.find(family);
    if (rules !== null) return rules;
    throw new NetError(
      'EAFNOSUPPORT',
      `routes are of family ${ADDRESS_FAMILY.INET} (IPv4) or ${ADDRESS_FAMILY.INET6} (IPv6), got ${family}`,
    );
  }

  /** Every table there is. */
  *tables(): Generator<RouteTable> {
    for (const rules of [this.#inet, this.#inet6]) yield* rules.tables.values();
  }
}
