import type { Clock, ModuleContext, Timer } from '@softnet/contract';
import type { Connection } from '../machine/connection.ts';

/** A kernel timer, and whose it is for the time being. */
class Lease {
  readonly timer: Timer;
  conn: Connection | null = null;
  next: Lease | null = null;

  constructor(ctx: Pick<ModuleContext, 'timer'>, fire: (lease: Lease) => void) {
    this.timer = ctx.timer(fire, this as Lease, 'tcp.connection');
  }
}

/**
 * Kernel timers, lent to connections while one of their clocks runs: who is idle has none. A timer that is early is left as it is, as most are put off again and again before they
 * fire; then it is armed anew.
 */
export class ConnectionTimers {
  readonly #ctx: Pick<ModuleContext, 'timer'>;
  readonly #clock: Clock;
  readonly #nextMs: (conn: Connection) => number;
  readonly #fire: (lease: Lease) => void;
  #free: Lease | null = null;

  /** @param nextMs when its first timer ends. @param due runs what is due. */
  constructor(ctx: Pick<ModuleContext, 'timer' | 'clock'>, nextMs: (conn: Connection) => number, due: (conn: Connection) => void) {
    this.#ctx = ctx;
    this.#clock = ctx.clock;
    this.#nextMs = nextMs;
    this.#fire = ({ conn }) => {
      if (conn === null) return;
      if (((this.#nextMs(conn) - this.#clock.nowMs) | 0) <= 0) due(conn);
      // Whoever was called may have ended it.
      if (conn.timer !== null) this.retime(conn);
    };
  }

  /** Its clocks may have changed: a timer fires when the first of them ends, or before. */
  retime(conn: Connection): void {
    if (conn.timers === 0) {
      this.release(conn);
      return;
    }
    const lease = (conn.timer as Lease | null) ?? this.#lend(conn);
    const { nowMs, nowUs } = this.#clock;
    const whenUs = nowUs + Math.max(0, (this.#nextMs(conn) - nowMs) | 0) * 1000;
    if (!lease.timer.armed || lease.timer.whenUs > whenUs) lease.timer.armAt(whenUs);
  }

  /** It has none any more. */
  release(conn: Connection): void {
    const lease = conn.timer as Lease | null;
    if (lease === null) return;
    lease.timer.cancel();
    conn.timer = null;
    lease.conn = null;
    lease.next = this.#free;
    this.#free = lease;
  }

  #lend(conn: Connection): Lease {
    const lease = this.#free ?? new Lease(this.#ctx, this.#fire);
    this.#free = lease.next;
    lease.next = null;
    lease.conn = conn;
    conn.timer = lease;
    return lease;
  }
}
