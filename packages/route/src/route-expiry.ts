import type { AddressWords, Clock, Timer } from '@softnet/contract';
import type { Prefix, RouteAlias } from './route-alias.ts';
import { aliasesOf } from './route-alias.ts';
import type { RouteTable } from './route-table.ts';

/** The longest that a timer is armed for at once: a day. */
const MAX_DELAY_MS = 86_400_000;

/** Takes routes of a prefix out. */
type Expire = (table: RouteTable, prefix: Prefix, over: readonly RouteAlias[]) => void;

/** Routes that go by themselves: each prefix that has some has a timer in the kernel's wheel. */
export class RouteExpiry {
  readonly #clock: Clock;
  readonly #timer: (fire: () => void, place: string) => Timer;
  readonly #expire: Expire;
  readonly #timers = new Map<string, Timer>();

  constructor(clock: Clock, timer: (fire: () => void, place: string) => Timer, expire: Expire) {
    this.#clock = clock;
    this.#timer = timer;
    this.#expire = expire;
  }

  /** The routes of this prefix have changed. */
  look(table: RouteTable, prefix: AddressWords, prefixLen: number): void {
    const dueMs = soonest(table.chain(prefix, prefixLen));
    if (dueMs === null && this.#timers.size === 0) return;
    const key = [table.family, table.number, ...prefix, prefixLen].join();
    let timer = this.#timers.get(key);
    if (dueMs === null) {
      timer?.cancel();
      this.#timers.delete(key);
      return;
    }
    timer ??= this.#timer(() => this.#fire(table, { prefix, prefixLen }), 'route.expiry');
    this.#timers.set(key, timer);
    timer.arm(Math.min(Math.max(this.#leftMs(dueMs), 0), MAX_DELAY_MS) * 1000);
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #fire(table: RouteTable, prefix: Prefix): void {
    const all = aliasesOf(table.chain(prefix.prefix, prefix.prefixLen));
    const over = all.filter(({ expiresMs }) => expiresMs !== null && this.#leftMs(expiresMs) <= 0);
    if (over.length === 0) this.look(table, prefix.prefix, prefix.prefixLen);
    else this.#expire(table, prefix, over);
  }

  #leftMs(expiresMs: number): number {
    return (expiresMs - this.#clock.nowMs) | 0;
  }
}

/** When the first of a chain goes; null: none does. */
function soonest(first: RouteAlias | null): number | null {
  let dueMs: number | null = null;
  for (let alias = first; alias !== null; alias = alias.next) {
    const { expiresMs } = alias;
    if (expiresMs !== null && (dueMs === null || ((expiresMs - dueMs) | 0) < 0)) dueMs = expiresMs;
  }
  return dueMs;
}
