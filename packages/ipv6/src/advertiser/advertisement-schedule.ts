/** RFC 4861 §10, µs. */
const MAX_INITIAL_INTERVAL_US = 16_000_000;
const MAX_INITIAL = 3;
const MIN_DELAY_BETWEEN_US = 3_000_000;
const MAX_DELAY_US = 500_000;

/** MinRtrAdvInterval and MaxRtrAdvInterval, µs. */
export interface AdvertisementInterval {
  readonly minUs: number;
  readonly maxUs: number;
}

export interface FrozenAdvertisementSchedule {
  readonly nextUs: number;
  readonly lastUs: number;
  readonly initialLeft: number;
}

/** When a router speaks to all of a link (RFC 4861 §6.2.4, §6.2.6). */
export class AdvertisementSchedule {
  /** Kernel µs of the next; Infinity: none is due. */
  nextUs = Number.POSITIVE_INFINITY;
  #lastUs = Number.NEGATIVE_INFINITY;
  #initialLeft = 0;
  readonly #fraction: () => number;

  /** @param fraction uniform, 0 ≤ x < 1. */
  constructor(fraction: () => number) {
    this.#fraction = fraction;
  }

  /** It tells of itself from now on, or says something else: the first few soon. */
  begin(nowUs: number): void {
    this.#initialLeft = MAX_INITIAL;
    this.nextUs = this.#soon(nowUs);
  }

  stop(): void {
    this.nextUs = Number.POSITIVE_INFINITY;
  }

  /** Somebody asks. False: all were told a moment ago, so that only he should be (§6.2.6). */
  solicited(nowUs: number): boolean {
    if (this.nextUs <= nowUs + MAX_DELAY_US) return true;
    if (nowUs + MAX_DELAY_US < this.#lastUs + MIN_DELAY_BETWEEN_US) return false;
    this.nextUs = this.#soon(nowUs);
    return true;
  }

  /** A random while, as all that answers a solicitation waits. */
  delayUs(): number {
    return Math.floor(MAX_DELAY_US * this.#fraction());
  }

  /** Too many ask for each to be answered: all are told as soon as may be. */
  crowded(nowUs: number): void {
    this.nextUs = Math.min(this.nextUs, this.#soon(nowUs));
  }

  /** All are told now: says when the next is due. */
  sent(nowUs: number, { minUs, maxUs }: AdvertisementInterval): void {
    this.#lastUs = nowUs;
    if (this.#initialLeft > 0) this.#initialLeft--;
    const waitUs = minUs + Math.floor((maxUs - minUs) * this.#fraction());
    this.nextUs = nowUs + (this.#initialLeft > 0 ? Math.min(waitUs, MAX_INITIAL_INTERVAL_US) : waitUs);
  }

  /** All were told something else now: the next waits its time (§6.2.6). */
  told(nowUs: number): void {
    this.#lastUs = nowUs;
  }

  freeze(): FrozenAdvertisementSchedule {
    return { nextUs: this.nextUs, lastUs: this.#lastUs, initialLeft: this.#initialLeft };
  }

  thaw({ nextUs, lastUs, initialLeft }: FrozenAdvertisementSchedule): void {
    this.nextUs = nextUs;
    this.#lastUs = lastUs;
    this.#initialLeft = initialLeft;
  }

  #soon(nowUs: number): number {
    return Math.max(nowUs, this.#lastUs + MIN_DELAY_BETWEEN_US) + this.delayUs();
  }
}
