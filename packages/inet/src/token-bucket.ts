import type { Clock } from '@softnet/contract';

/** Tokens are counted in millionths, so that µs times tokens a second is whole. */
const TOKEN = 1_000_000;

/** So many a second, and so many at once: how layers bound their ICMP errors (RFC 1812 §4.3.2.8, RFC 4443 §2.4 f). Full at first. */
export class TokenBucket {
  readonly #clock: Clock;
  #credit = Number.POSITIVE_INFINITY;
  #filledUs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Takes one, if there is one.
   * @param perSecond tokens that come in a second; 0: none ever.
   * @param burst tokens that it holds at most.
   */
  take(perSecond: number, burst: number): boolean {
    if (!this.hasOne(perSecond, burst)) return false;
    this.spend(1);
    return true;
  }

  /** Whether {@link take} would be given one. */
  hasOne(perSecond: number, burst: number): boolean {
    if (perSecond <= 0) return false;
    const { nowUs } = this.#clock;
    // A burst that was raised meanwhile is reached by waiting, one that was lowered counts at once.
    this.#credit = Math.min(this.#credit + (nowUs - this.#filledUs) * perSecond, burst * TOKEN);
    this.#filledUs = nowUs;
    return this.#credit >= TOKEN;
  }

  /** Takes so many; what was not there is owed. */
  spend(tokens: number): void {
    this.#credit -= tokens * TOKEN;
  }
}
