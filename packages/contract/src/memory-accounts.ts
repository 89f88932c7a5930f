import type { Counter } from './counter.ts';
import { defineService } from './token.ts';

/** How scarce packet memory is. */
export const MEMORY_PRESSURE = Object.freeze({
  NONE: 0,
  /** Who has more than a little gets no more. */
  LOW: 1,
  /** Nobody gets more, but who has nothing. */
  CRITICAL: 2,
} as const);

/** What the packets that wait in one module's sockets and tables take, as `truesize`. Linux's `sk_prot->memory_allocated`. */
export interface MemoryAccount {
  /** The module's name. */
  readonly name: string;
  readonly bytes: number;
  /** Most that it had. */
  readonly peakBytes: number;
  /** Packets that were not let in. */
  readonly refused: Counter;
  /**
   * Takes a packet of `bytes` in, for somebody who has `heldBytes` waiting already and may have `limitBytes`: the one place where memory
   * pressure is felt. One always fits where nothing waits, however small the limit, unless memory is critical. False: drop it.
   * With 0 `bytes`: may what waits go on waiting?
   */
  admit(bytes: number, heldBytes: number, limitBytes: number): boolean;
  /** Without asking: what was let in elsewhere, or must not be refused (what is sent has found memory already). */
  add(bytes: number): void;
  sub(bytes: number): void;
}

/** Who has how much packet memory waiting. A **corridor** of the skb module, which makes an account for a module at its first `open`. */
export interface MemoryAccounts {
  /** The same one for the same name. Modules ask in `start`; the account goes on when skb is replaced. */
  open(name: string): MemoryAccount;
  /** In the order in which they were opened; the list itself, in which new ones will stand too. */
  all(): readonly MemoryAccount[];
  /** One of {@link MEMORY_PRESSURE}: of the pools, by `net.core.skb_pressure`. */
  pressure(): number;
  /**
   * Truesize of all packets that there can be at a time, of small buffers or of pages, whichever are less (`net.core.skb_buffers`, `net.core.skb_pages`): for who promises room to a peer.
   * Changes with these settings. 0: nobody provides memory.
   */
  roomBytes(): number;
}
export const MemoryAccounts = defineService<MemoryAccounts>({
  name: 'memory-accounts',
  version: '1.0.0',
  errno: 'ENOBUFS',
  absent: (refusal) => ({
    open: () => {
      throw refusal();
    },
    all: () => [],
    pressure: () => MEMORY_PRESSURE.NONE,
    roomBytes: () => 0,
  }),
});
