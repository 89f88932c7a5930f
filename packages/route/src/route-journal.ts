import type { AddressWords } from '@softnet/contract';
import type { RouteAlias } from './route-alias.ts';
import type { RouteInfo } from './route-info.ts';
import type { RouteTable } from './route-table.ts';

/** Words of a step: those of the prefix, then its length and the number of its table. */
const STEP = 5;
const FIRST_STEPS = 4;

/** Changes that are not published yet: they can be taken back, all of them. In columns, as they may be a million. */
export class RouteJournal {
  /** The tables that were changed. */
  readonly tables: RouteTable[] = [];
  #count = 0;
  #steps = new Int32Array(FIRST_STEPS * STEP);
  readonly #before: (RouteAlias | null)[] = [];
  readonly #gained: (RouteInfo | null)[] = [];
  readonly #lost: (RouteInfo | null)[] = [];
  /** Steps of prefixes that have, or had, routes which expire. */
  readonly #expiring: number[] = [];

  /** A table will be changed. False: one of {@link tables} already. */
  enter(table: RouteTable): boolean {
    if (this.tables[this.tables.length - 1] === table || this.tables.includes(table)) return false;
    this.tables.push(table);
    return true;
  }

  /**
   * What is about to be done, or was: to take back what was not does no harm.
   * @param before the routes of the prefix. @param gained one more route uses it. @param lost one less will, when it is published.
   */
  note(
    table: RouteTable,
    prefix: AddressWords,
    prefixLen: number,
    before: RouteAlias | null,
    gained: RouteInfo | null,
    lost: RouteInfo | null,
    expires: boolean,
  ): void {
    const at = this.#count * STEP;
    if (at === this.#steps.length) this.#grow();
    const steps = this.#steps;
    for (let word = 0; word < 4; word++) steps[at + word] = prefix[word]!;
    const last = this.tables.length - 1;
    steps[at + 4] = ((this.tables[last] === table ? last : this.tables.indexOf(table)) << 8) | prefixLen;
    this.#before.push(before);
    this.#gained.push(gained);
    this.#lost.push(lost);
    if (expires) this.#expiring.push(this.#count);
    this.#count++;
  }

  /** The last first: tables are as they were. @param give an info has one user less. */
  undo(give: (info: RouteInfo) => void): void {
    for (let i = this.#count - 1; i >= 0; i--) {
      const { table, prefix, prefixLen } = this.#stepAt(i);
      table.put(prefix, prefixLen, table.chain(prefix, prefixLen), this.#before[i]!);
      const gained = this.#gained[i]!;
      if (gained !== null) give(gained);
    }
    for (const table of this.tables) table.discard();
  }

  /** They hold. @param visit is told of prefixes that have, or had, routes which expire. */
  settle(give: (info: RouteInfo) => void, visit: (table: RouteTable, prefix: AddressWords, prefixLen: number) => void): void {
    for (let i = 0; i < this.#count; i++) {
      const lost = this.#lost[i]!;
      if (lost !== null) give(lost);
    }
    for (const table of this.tables) table.publish();
    for (const i of this.#expiring) {
      const { table, prefix, prefixLen } = this.#stepAt(i);
      visit(table, prefix, prefixLen);
    }
  }

  #stepAt(i: number): { readonly table: RouteTable; readonly prefix: AddressWords; readonly prefixLen: number } {
    const [word0, word1, word2, word3, rest] = this.#steps.subarray(i * STEP, (i + 1) * STEP) as unknown as [...AddressWords, number];
    return { table: this.tables[rest >>> 8]!, prefix: [word0, word1, word2, word3], prefixLen: rest & 0xff };
  }

  #grow(): void {
    const grown = new Int32Array(this.#steps.length * 2);
    grown.set(this.#steps);
    this.#steps = grown;
  }
}
