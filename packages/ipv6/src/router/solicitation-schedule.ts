/** From the settings `router_solicitation*`; µs. */
export interface SolicitationTimes {
  /** Before the first: a random part of it (RFC 4861 §6.3.7). */
  readonly delayUs: number;
  /** Between the first two, about; later ones wait longer and longer (RFC 7559 §2). */
  readonly intervalUs: number;
  readonly maxIntervalUs: number;
  /** So many in all; -1: until a router answers. */
  readonly limit: number;
}

/** Layout of {@link SolicitationSchedule.freeze}. */
export interface FrozenSchedule {
  readonly nextUs: number;
  readonly sent: number;
  readonly lastUs: number;
}

/** When routers are asked for (RFC 4861 §6.3.7), again and again where packets are lost (RFC 7559, by the rules of RFC 8415 §15). */
export class SolicitationSchedule {
  /** Kernel µs of the next; Infinity: none is due. */
  nextUs = Number.POSITIVE_INFINITY;
  #sent = 0;
  /** The last time waited. */
  #lastUs = 0;
  readonly #fraction: () => number;

  /** @param fraction uniform, 0 ≤ x < 1. */
  constructor(fraction: () => number) {
    this.#fraction = fraction;
  }

  /** The link has come up, or this host is no router any more: from the beginning. */
  begin(nowUs: number, { delayUs, limit }: SolicitationTimes): void {
    this.#sent = 0;
    this.#lastUs = 0;
    this.nextUs = limit === 0 ? Number.POSITIVE_INFINITY : nowUs + Math.floor(delayUs * this.#fraction());
  }

  /** A router has answered. Whoever was not asked may have said less than he would: one is sent (RFC 4861 §6.3.7). */
  answered(): void {
    if (this.#sent > 0) this.stop();
  }

  /** The link is gone, or this host is a router. */
  stop(): void {
    this.nextUs = Number.POSITIVE_INFINITY;
  }

  /** One is sent now: says when the next is. */
  sent(nowUs: number, times: SolicitationTimes): void {
    this.#sent++;
    const isLast = times.limit >= 0 && this.#sent >= times.limit;
    this.#lastUs = this.#wait(times);
    this.nextUs = isLast ? Number.POSITIVE_INFINITY : nowUs + this.#lastUs;
  }

  freeze(): FrozenSchedule {
    return { nextUs: this.nextUs, sent: this.#sent, lastUs: this.#lastUs };
  }

  thaw({ nextUs, sent, lastUs }: FrozenSchedule): void {
    this.nextUs = nextUs;
    this.#sent = sent;
    this.#lastUs = lastUs;
  }

  #wait({ intervalUs, maxIntervalUs }: SolicitationTimes): number {
    const fuzz = (this.#fraction() - 0.5) / 5;
    const waitUs = this.#lastUs === 0 ? intervalUs * (1 + fuzz) : this.#lastUs * (2 + fuzz);
    return Math.floor(waitUs > maxIntervalUs ? maxIntervalUs * (1 + fuzz) : waitUs);
  }
}
