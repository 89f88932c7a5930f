import type { Clock, InterfaceAddress, Timer } from '@softnet/contract';
import { ADDRESS_FLAG } from '@softnet/contract';
import { armUntil } from '../arm-until.ts';

export interface AddressLivesHost {
  readonly clock: Clock;
  readonly timer: (fire: () => void) => Timer;
  /** All there are; those that are not held any more have moved to the next generation. */
  readonly entries: () => readonly InterfaceAddress[];
  /** Its flags have changed: it is deprecated. */
  readonly changed: (entry: InterfaceAddress) => void;
  readonly expired: (entry: InterfaceAddress) => void;
}

/** Addresses that are deprecated, and go, at their time (RFC 4862 §5.5.4; Linux's `check_lifetime`). */
export class AddressLives {
  readonly #host: AddressLivesHost;
  readonly #timer: Timer;
  #closed = false;

  constructor(host: AddressLivesHost) {
    this.#host = host;
    this.#timer = host.timer(() => this.#timeout());
  }

  /** Addresses or their lives have changed. */
  look(): void {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { validUntilMs, preferredUntilMs, flags, holdNext } of this.#host.entries()) {
      if (holdNext === null) continue;
      const waits = (flags & ADDRESS_FLAG.DEPRECATED) === 0;
      nextMs = Math.min(nextMs, validUntilMs, waits ? preferredUntilMs : Number.POSITIVE_INFINITY);
    }
    if (this.#closed) this.#timer.cancel();
    else armUntil(this.#timer, this.#host.clock, nextMs * 1000);
  }

  close(): void {
    this.#closed = true;
    this.#timer.cancel();
  }

  #timeout(): void {
    const { clock, entries, changed, expired } = this.#host;
    const nowMs = clock.nowUs / 1000;
    for (const entry of [...entries()]) {
      if (entry.holdNext === null) continue;
      if (entry.validUntilMs <= nowMs) expired(entry);
      else if (entry.preferredUntilMs <= nowMs && (entry.flags & ADDRESS_FLAG.DEPRECATED) === 0) {
        entry.flags |= ADDRESS_FLAG.DEPRECATED;
        changed(entry);
      }
    }
    this.look();
  }
}

/**
 * How long an address lives from now on, and the flags that follow from that. What is given by hand for ever is `PERMANENT`.
 * @param preferredMs 0 to `validMs`. @param validMs above 0. Both may be Infinity.
 */
export function setLifetimes(entry: InterfaceAddress, preferredMs: number, validMs: number, nowMs: number): void {
  entry.validUntilMs = nowMs + validMs;
  entry.preferredUntilMs = nowMs + preferredMs;
  const lasts = validMs === Number.POSITIVE_INFINITY ? ADDRESS_FLAG.PERMANENT : 0;
  const deprecated = preferredMs <= 0 ? ADDRESS_FLAG.DEPRECATED : 0;
  entry.flags = (entry.flags & ~(ADDRESS_FLAG.PERMANENT | ADDRESS_FLAG.DEPRECATED)) | lasts | deprecated;
}
