import type { Clock, Timer } from '@softnet/contract';
import type { RouteAlias } from './route-alias.ts';
import type { RouteTable } from './route-table.ts';

/** The longest that a timer is armed for at once: a day. */
const MAX_DELAY_MS = 86_400_000;

/** Routes that go by themselves: each has a timer in the kernel's wheel. */
export class RouteExpiry {
  readonly #clock: Clock;
  readonly #timer: (fire: () => void, place: string) => Timer;
  readonly #expire: (table: RouteTable, alias: RouteAlias) => void;
  readonly #timers = new Map<RouteAlias, Timer>();

  /** @param expire takes the route out. */
  constructor(clock: Clock, timer: (fire: () => void, place: string) => Timer, expire: (table: RouteTable, alias: RouteAlias) => void) {
    this.#clock = clock;
    this.#timer = timer;
    this.#expire = expire;
  }

  /** Does nothing for a route that stays. */
  watch(table: RouteTable, alias: RouteAlias): void {
    if (alias.expiresMs === null) return;
    const timer = this.#timer(() => this.#look(table, alias), 'route.expiry');
    this.#timers.set(alias, timer);
    this.#arm(timer, alias.expiresMs);
  }

  /** The route is not there any more. */
  forget(alias: RouteAlias): void {
    if (alias.expiresMs === null) return;
    this.#timers.get(alias)?.cancel();
    this.#timers.delete(alias);
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #look(table: RouteTable, alias: RouteAlias): void {
    if (this.#leftMs(alias.expiresMs!) <= 0) this.#expire(table, alias);
    else this.#arm(this.#timers.get(alias)!, alias.expiresMs!);
  }

  #arm(timer: Timer, expiresMs: number): void {
    timer.arm(Math.min(Math.max(this.#leftMs(expiresMs), 0), MAX_DELAY_MS) * 1000);
  }

  #leftMs(expiresMs: number): number {
    return (expiresMs - this.#clock.nowMs) | 0;
  }
}
