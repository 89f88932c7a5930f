import { isAfter } from './sequence.ts';

/** Linux's bounds of RFC 6298's timer, µs; its clock granularity G is the minimum's part here. */
export const RTO_INITIAL_US = 1_000_000;
export const RTO_MIN_US = 200_000;
export const RTO_MAX_US = 120_000_000;

/**
 * Karn's, Jacobson's and RFC 6298's: round trips, and how long to wait for an acknowledgement. µs, small integers. RTTVAR is Linux's, in two points other than (2.3): the deviation follows
 * round trips that become shorter eight times slower, as those are no reason to wait longer; and RTTVAR is the largest deviation of a window, falls by a quarter of what it is above that of
 * the last one, and is so large that the RTO is SRTT and the minimum.
 */
export class RoundTrip {
  /** SRTT and RTTVAR in eighths and quarters; 0: no sample yet. */
  srtt8Us = 0;
  rttvar4Us = 0;
  /** The deviation of (2.3), and the largest since the window began that ends at `windowSeq`; quarters. */
  deviation4Us = 0;
  largest4Us = 0;
  windowSeq = 0;
  minRttUs = 0;
  /** By how many bits it is backed off (5.5). */
  backoff = 0;
  /** Of this connection (TCP_RTO_MIN_US kin). */
  minUs = RTO_MIN_US;
  /** While there is no sample (2.1; 5.7: 3 s behind a SYN that was lost). */
  firstUs = RTO_INITIAL_US;
  maxUs = RTO_MAX_US;

  get srttUs(): number {
    return this.srtt8Us >> 3;
  }

  /**
   * A measured round trip (2.2, 2.3); ends the backoff. Not of what was sent twice, unless a timestamp says which was answered (Karn, §3; RFC 7323 §4.1).
   * @param sndUna, sndNxt as they are now: from one to the other is a window.
   */
  sample(rttUs: number, sndUna: number, sndNxt: number): void {
    const rtt = Math.min(Math.max(rttUs, 1), this.maxUs);
    if (this.minRttUs === 0 || rtt < this.minRttUs) this.minRttUs = rtt;
    this.backoff = 0;
    if (this.srtt8Us === 0) {
      this.srtt8Us = rtt << 3;
      this.deviation4Us = rtt << 1;
      this.rttvar4Us = this.largest4Us = Math.max(this.deviation4Us, this.minUs);
      this.windowSeq = sndNxt;
      return;
    }
    const error = rtt - (this.srtt8Us >> 3);
    const rise = Math.abs(error) - (this.deviation4Us >> 2);
    this.srtt8Us += error;
    this.deviation4Us += error < 0 && rise > 0 ? rise >> 3 : rise;
    this.largest4Us = Math.max(this.largest4Us, this.deviation4Us);
    this.rttvar4Us = Math.max(this.rttvar4Us, this.largest4Us);
    if (!isAfter(sndUna, this.windowSeq)) return;
    this.rttvar4Us -= (this.rttvar4Us - this.largest4Us) >> 2;
    this.largest4Us = this.minUs;
    this.windowSeq = sndNxt;
  }

  /** 2.2, 2.3, 2.4, 2.5: SRTT + max(G, 4 · RTTVAR); as Linux the second part is not below the minimum. Backed off. */
  get timeoutUs(): number {
    const plain = this.srtt8Us === 0 ? this.firstUs : this.srttUs + Math.max(this.rttvar4Us, this.minUs);
    return Math.min(plain * 2 ** this.backoff, this.maxUs);
  }

  /** 5.5: it expired. */
  backOff(): void {
    if (this.timeoutUs < this.maxUs) this.backoff++;
  }
}

/** What a timestamp that came back says, µs; -1: nothing (RFC 7323 §3.2, §4.1). @param tsEcr 0 is of somebody who echoes none. */
export function timestampRttUs(nowMs: number, tsEcr: number): number {
  if (tsEcr === 0) return -1;
  const ms = (nowMs - tsEcr) | 0;
  return ms < 0 || ms > RTO_MAX_US / 1000 ? -1 : Math.max(ms, 1) * 1000;
}
