import type { Log, Poll } from '@softnet/contract';
import type { PacketState } from './packet-state.ts';

/**
 * Tells users that what `poll` says may have changed: a little later, from a poll, as what they do then (send, close, open) has no place amid the way of
 * the packet that was shown. What their code throws harms nobody else; the log has the first of each socket.
 */
export class Wakings {
  #first: PacketState | null = null;
  #last: PacketState | null = null;
  readonly #log: Log;
  readonly #poll: Poll;

  /** @param makePoll makes the poll of which {@link Wakings.run} is the work. */
  constructor(log: Log, makePoll: (run: (budget: number) => number) => Poll) {
    this.#log = log;
    this.#poll = makePoll((budget) => this.run(budget));
  }

  later(state: PacketState): void {
    if (state.isWaking || state.sock.wake === null) return;
    state.isWaking = true;
    if (this.#last === null) {
      this.#first = state;
      this.#poll.raise();
    } else this.#last.nextWaking = state;
    this.#last = state;
  }

  run(budget: number): number {
    let count = 0;
    for (let state = this.#first; state !== null && count < budget; state = this.#first) {
      this.#first = state.nextWaking;
      if (this.#first === null) this.#last = null;
      state.nextWaking = null;
      state.isWaking = false;
      this.now(state);
      count++;
    }
    return count;
  }

  now(state: PacketState): void {
    const { sock } = state;
    try {
      sock.wake?.(sock);
    } catch (error) {
      if (state.wakeThrew) return;
      state.wakeThrew = true;
      this.#log.warn("what a socket's user does when it is woken throws", { user: sock.holdOwner?.name ?? '', error: String(error) });
    }
  }
}
