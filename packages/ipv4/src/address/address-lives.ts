import type { Clock, InterfaceAddress, Timer } from '@softnet/contract';
import { ADDRESS_FLAG } from '@softnet/contract';
import type { AddressBook } from '../machine/address-book.ts';

export interface AddressLivesHost {
  readonly clock: Clock;
  readonly book: AddressBook;
  readonly timer: (fire: () => void) => Timer;
  /** Its flags have changed: it is deprecated. */
  readonly changed: (entry: InterfaceAddress) => void;
  readonly expired: (entry: InterfaceAddress) => void;
}

/** Addresses that are deprecated, and go, at their time (Linux's `check_lifetime`). */
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
    for (const { validUntilMs, preferredUntilMs, flags, holdNext } of this.#host.book.entries) {
      if (holdNext === null) continue;
      const waits = (flags & ADDRESS_FLAG.DEPRECATED) === 0;
      nextMs = Math.min(nextMs, validUntilMs, waits ? preferredUntilMs : Number.POSITIVE_INFINITY);
    }
    if (this.#closed || nextMs === Number.POSITIVE_INFINITY) this.#timer.cancel();
    else this.#timer.armAt(Math.ceil(nextMs * 1000));
  }

  close(): void {
    this.#closed = true;
    this.#timer.cancel();
  }

  #timeout(): void {
    const { clock, book, changed, expired } = this.#host;
    const nowMs = clock.nowUs / 1000;
    for (const entry of book.entries) {
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
