import type { MemoryAccount, MemoryAccounts, Port } from '@softnet/contract';
import { MEMORY_PRESSURE } from '@softnet/contract';
import type { Connection } from '../machine/connection.ts';
import type { SocketSettings } from './settings.ts';

const PAGE_SHIFT = 12;
/** Of all room for packets, so much may be promised beyond first buffers; the rest is for these, and for what is on its way. */
const PROMISED_PART = 3 / 4;
/** No connection's send buffer grows beyond such a part of all room. */
const SEND_PART = 1 / 4;

/**
 * How much memory connections may have: each, and all together. Peers are not promised what is not there: receive buffers that have grown share {@link PROMISED_PART} of the pool, so that n busy
 * ones have 1/(n+1) of it each, at most what `tcp_rmem` says. Short of memory is TCP when the pool is, or as long as it has more than `tcp_mem` says. Linux's `tcp_init` and `tcp_under_memory_pressure`.
 */
export class MemoryBounds {
  readonly #accounts: Port<MemoryAccounts>;
  readonly #account: MemoryAccount;
  readonly #settings: SocketSettings;
  /** Sum of what receive buffers have grown by. */
  #grantedBytes = 0;
  #isAbove = false;

  constructor(accounts: Port<MemoryAccounts>, account: MemoryAccount, settings: SocketSettings) {
    this.#accounts = accounts;
    this.#account = account;
    this.#settings = settings;
  }

  /** More than the third number of `tcp_mem`: nothing is let in. */
  get isFull(): boolean {
    return this.#account.bytes >> PAGE_SHIFT > this.#settings.mem[2]!;
  }

  /** The pool is, or TCP has come above the second number of `tcp_mem`, and not yet below the first. */
  get isShort(): boolean {
    const pages = this.#account.bytes >> PAGE_SHIFT;
    const { mem } = this.#settings;
    if (pages > mem[1]!) this.#isAbove = true;
    else if (pages <= mem[0]!) this.#isAbove = false;
    return this.#isAbove || this.#accounts.current.pressure() !== MEMORY_PRESSURE.NONE;
  }

  get mostSendBytes(): number {
    return Math.min(this.#settings.wmem[2]!, Math.max(this.#settings.wmem[1]!, this.#accounts.current.roomBytes() * SEND_PART));
  }

  /**
   * Its receive buffer is to have `wantedBytes`: what it may have of them, at least `leastBytes`; less than it has now where others came. Noted in `conn.extra`, which is there.
   */
  receiveShare({ extra }: Connection, wantedBytes: number, leastBytes: number): number {
    const firstBytes = this.#settings.rmem[1]!;
    const own = extra!.grantedBytes;
    const idleBytes = this.#accounts.current.roomBytes() * PROMISED_PART - (this.#grantedBytes - own);
    const share = Math.max(leastBytes, Math.min(wantedBytes, firstBytes + Math.max(0, Math.floor(idleBytes / 2))));
    extra!.grantedBytes = Math.max(0, share - firstBytes);
    this.#grantedBytes += extra!.grantedBytes - own;
    return share;
  }

  /** It comes from another generation, with what it had there. */
  adopt({ extra }: Connection): void {
    if (extra !== null) this.#grantedBytes += extra.grantedBytes;
  }

  /** It is over, or another generation's. */
  leave({ extra }: Connection): void {
    if (extra === null) return;
    this.#grantedBytes -= extra.grantedBytes;
    extra.grantedBytes = 0;
  }
}
