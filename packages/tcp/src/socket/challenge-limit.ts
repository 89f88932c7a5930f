import type { Clock } from '@softnet/contract';

const UNLIMITED = 0x7fffffff;
const SECOND_MS = 1000;

/** Challenge ACKs of all connections together, by the second (RFC 5961 §7, `tcp_challenge_ack_limit`). */
export class ChallengeLimit {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #limit: () => number;
  #sinceMs = 0;
  #count = 0;

  constructor(clock: Pick<Clock, 'nowMs'>, limit: () => number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  take(): boolean {
    const limit = this.#limit();
    if (limit === UNLIMITED) return true;
    const { nowMs } = this.#clock;
    if (((nowMs - this.#sinceMs) | 0) >= SECOND_MS) {
      this.#sinceMs = nowMs;
      this.#count = 0;
    }
    return this.#count++ < limit;
  }
}
