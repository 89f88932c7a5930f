/** Linux's bounds of the delayed acknowledgement's timer, µs: RFC 1122 §4.2.3.2 wants less than 500 ms. */
export const ATO_MIN_US = 40_000;
export const DELACK_MAX_US = 200_000;
const MOST_QUICK = 16;

/** When to acknowledge: at once, or with the next segment, or after a while (RFC 1122 §4.2.3.2, RFC 5681 §4.2; quick ones as Linux). */
export class AckPolicy {
  /** Acknowledgements that are still to go at once: the peer is in slow start, or something was odd. */
  quick = 0;
  /** Data go both ways: an acknowledgement rides on an answer. */
  isInteractive = false;
  /** µs; 0: no data came yet. */
  atoUs = 0;

  /** The next so many go at once: half a window's, at most 16. */
  beginQuick(windowBytes: number, mssBytes: number): void {
    this.#raiseQuick(windowBytes, mssBytes);
    this.isInteractive = false;
    this.atoUs = ATO_MIN_US;
  }

  /** Data came. @param sinceUs after the last; -1: they are the first. */
  received(sinceUs: number, windowBytes: number, mssBytes: number): void {
    if (this.atoUs === 0 || sinceUs < 0) {
      this.#raiseQuick(windowBytes, mssBytes);
      this.atoUs = ATO_MIN_US;
    } else if (sinceUs <= ATO_MIN_US >> 1) this.atoUs = (this.atoUs >> 1) + (ATO_MIN_US >> 1);
    else if (sinceUs < this.atoUs) this.atoUs = Math.min((this.atoUs >> 1) + sinceUs, DELACK_MAX_US);
  }

  /**
   * @param unackedBytes received and not acknowledged: more than a segment's worth is acknowledged (RFC 5681 §4.2: at least every second).
   * @param inDisorder out of order, or a hole was filled: at once (RFC 5681 §4.2).
   */
  isDue(unackedBytes: number, mssBytes: number, inDisorder: boolean): boolean {
    return inDisorder || unackedBytes > mssBytes || (this.quick > 0 && !this.isInteractive);
  }

  /** An acknowledgement went. @param withData data rode along. */
  sent(withData: boolean): void {
    if (this.quick > 0) this.quick--;
    if (withData) this.isInteractive = true;
  }

  /** How long it may wait. */
  get delayUs(): number {
    return Math.min(Math.max(this.atoUs, ATO_MIN_US), DELACK_MAX_US);
  }

  #raiseQuick(windowBytes: number, mssBytes: number): void {
    const quick = Math.floor(windowBytes / (2 * Math.max(mssBytes, 1)));
    this.quick = Math.max(this.quick, Math.min(Math.max(quick, 2), MOST_QUICK));
  }
}
