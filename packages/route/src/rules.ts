import type { RoutingRule } from '@softnet/contract';
import { ADDRESS_FAMILY, NetError, RULE_ACTION } from '@softnet/contract';
import { RouteTable } from './route-table.ts';
import type { IndexOf } from './rule/rule-step.ts';
import { isUnconditional, RuleStep, wantsPorts } from './rule/rule-step.ts';

/** Linux's `RT_TABLE_*`. */
export const TABLE = Object.freeze({ DEFAULT: 253, MAIN: 254, LOCAL: 255 } as const);

/** The kernel's own, `RTPROT_KERNEL`. */
const KERNEL = 2;

/** The routing tables of one family, and the rules by which lookups ask them. */
export class Rules {
  readonly family: number;
  readonly tables = new Map<number, RouteTable>();
  /** In order. Replaced whole. */
  list: readonly RoutingRule[];
  /** The tables that rules name, each once, in order: what lookups ask when the rules are {@link plain}. Replaced whole. */
  order: readonly RouteTable[] = [];
  /** No rule asks for more than the destination: {@link order} says it all. */
  plain = true;
  /** The rules as lookups read them. Replaced whole. */
  steps: readonly RuleStep[] = [];
  /** Some rule asks for ports. */
  wantsPorts = false;
  /** Tables or rules have changed: {@link settle} before {@link order}, {@link plain} or {@link steps} are read. */
  stale = true;
  #indexOf: IndexOf = () => 0;
  readonly #seed: () => number;

  /** @param seed numbers for the hashes of tables. */
  constructor(family: number, seed: () => number) {
    this.family = family;
    this.#seed = seed;
    this.list = defaultRules(family);
  }

  /** The table of this number; made if need be. */
  table(number: number): RouteTable {
    let table = this.tables.get(number);
    if (table === undefined) {
      table = new RouteTable(this.family, number, this.#seed() | 0);
      this.tables.set(number, table);
      this.stale = true;
    }
    return table;
  }

  /** A table that has no routes any more goes. */
  tidy(number: number): void {
    if (this.tables.get(number)?.count !== 0) return;
    this.tables.delete(number);
    this.stale = true;
  }

  /** Other rules from now on, in order. */
  change(list: readonly RoutingRule[]): void {
    this.list = list;
    this.wantsPorts = list.some(wantsPorts);
    this.stale = true;
  }

  /** Devices are called so from now on. Returns whether lookups may answer otherwise. */
  devicesNamed(indexOf: IndexOf): boolean {
    this.#indexOf = indexOf;
    if (!this.list.some(({ iif, oif }) => iif || oif)) return false;
    this.stale = true;
    return true;
  }

  /** Makes what lookups read of tables and rules, at the first lookup after changes: there may be thousands, one after the other. */
  settle(): void {
    const { list, tables } = this;
    this.stale = false;
    const numbers = new Set(list.flatMap(({ action, table }) => (action === RULE_ACTION.TABLE && table ? [table] : [])));
    this.order = [...numbers].flatMap((number) => tables.get(number) ?? []);
    this.plain = list.every(isUnconditional);
    this.steps = this.plain ? [] : list.map((rule) => new RuleStep(rule, list, tables, this.#indexOf));
  }
}

/** Linux's: IPv6 has no table for what all others leave. */
function defaultRules(family: number): RoutingRule[] {
  const rule = (priority: number, table: number): RoutingRule => ({ family, priority, action: RULE_ACTION.TABLE, table, source: KERNEL });
  const both = [rule(0, TABLE.LOCAL), rule(32_766, TABLE.MAIN)];
  return family === ADDRESS_FAMILY.INET ? [...both, rule(32_767, TABLE.DEFAULT)] : both;
}

/** The tables and rules of both families. */
export class RuleBook {
  readonly #inet: Rules;
  readonly #inet6: Rules;

  /** @param seed numbers for the hashes of tables. */
  constructor(seed: () => number) {
    this.#inet = new Rules(ADDRESS_FAMILY.INET, seed);
    this.#inet6 = new Rules(ADDRESS_FAMILY.INET6, seed);
  }

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

  /** Of both families. */
  devicesNamed(indexOf: IndexOf): boolean {
    const inet = this.#inet.devicesNamed(indexOf);
    return this.#inet6.devicesNamed(indexOf) || inet;
  }

  /** Every table there is. */
  *tables(): Generator<RouteTable> {
    for (const rules of [this.#inet, this.#inet6]) yield* rules.tables.values();
  }
}
