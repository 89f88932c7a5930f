import { SackRanges } from './sack-ranges.ts';
import { isAfter, isBefore, maxSeq, minSeq } from './sequence.ts';

/** RFC 6675 §2; as in RFC 5681. */
export const DUP_THRESH = 3;
/** Ranges of a peer that are remembered; of more, those that came last are not. */
const MOST_RANGES = 1024;

/** What `nextSegment` says: the rule of RFC 6675 §4's NextSeg, and the octets. Kept, and filled anew. */
export class NextSegment {
  /** 1 to 4; 0: nothing may be sent. */
  rule = 0;
  seq = 0;
  lenBytes = 0;
}

/**
 * What a peer said by SACK, and what follows of it (RFC 6675, RFC 2018 §5, §8). Sequence numbers are borders: where the RFC names the
 * last octet of something, this has the one behind.
 */
export class Scoreboard {
  /** SND.UNA: behind HighACK. */
  highAck = 0;
  /** SND.NXT: behind HighData. */
  highData = 0;
  /** Behind HighRxt: what is not SACKed before it was sent again in this recovery. */
  highRxt = 0;
  /** Behind RescueRxt, where `rescued`. */
  rescueRxt = 0;
  rescued = false;
  recoveryPoint = 0;
  smssBytes = 1460;
  /** What was outstanding at a timeout is lost, whatever is SACKed above (§5.1): before this, where `timedOut`. */
  lostBefore = 0;
  timedOut = false;
  /** The first segment that is missing is to be sent again, whatever the window (§5 (4.3); RFC 6582 §3.2 (5)). */
  firstIsDue = false;
  readonly sacked: SackRanges = new SackRanges(MOST_RANGES);

  /** All of it, at a new sequence number. */
  reset(seq: number): void {
    this.highAck = this.highData = this.highRxt = this.rescueRxt = this.recoveryPoint = this.lostBefore = seq;
    this.rescued = this.timedOut = this.firstIsDue = false;
    this.sacked.clear();
  }

  /** Data up to `sndNxt` were sent. */
  sent(sndNxt: number): void {
    this.highData = maxSeq(this.highData, sndNxt);
  }

  /** What is behind `sndNxt` was not sent after all. */
  unsent(sndNxt: number): void {
    this.highData = minSeq(this.highData, sndNxt);
    this.highRxt = minSeq(this.highRxt, sndNxt);
    this.recoveryPoint = minSeq(this.recoveryPoint, sndNxt);
    this.lostBefore = minSeq(this.lostBefore, sndNxt);
  }

  /** Update (§4), first half: a cumulative acknowledgement, which the caller has checked. */
  acknowledge(ack: number): void {
    this.highAck = ack;
    this.highRxt = maxSeq(this.highRxt, ack);
    this.sacked.dropBefore(ack);
    if (this.timedOut && !isBefore(ack, this.lostBefore)) this.timedOut = false;
  }

  /** Update (§4), second half: a block. @returns octets newly SACKed; 0 for what was known, is no block, or lies outside of what is outstanding. */
  update(left: number, right: number): number {
    if (!isBefore(left, right) || !isAfter(left, this.highAck) || !isBefore(left, this.highData) || isAfter(right, this.highData)) return 0;
    return this.sacked.add(left, right);
  }

  /** The receiver has let go of what it SACKed (RFC 2018 §8): it acknowledges up to a range, and not the range. */
  get isReneging(): boolean {
    return this.sacked.count > 0 && this.sacked.left[0] === this.highAck;
  }

  /** IsLost (§4). @param seq not SACKed. */
  isLost(seq: number): boolean {
    const { sacked } = this;
    let above = sacked.count;
    let bytes = 0;
    while (above > 0 && isAfter(sacked.left[above - 1]!, seq)) {
      above--;
      bytes += (sacked.right[above]! - sacked.left[above]!) | 0;
    }
    return this.#isLost(seq, sacked.count - above, bytes);
  }

  /** SetPipe (§4): octets that are thought to be in the network. */
  pipe(): number {
    return ((this.highData - this.highAck) | 0) - this.sacked.bytes - this.lostBytes() + this.resentBytes();
  }

  /** Octets that are lost (IsLost), whether they were sent again or not: Linux's `lost_out`. */
  lostBytes(): number {
    const { sacked } = this;
    let bytesAbove = sacked.bytes;
    let lost = 0;
    let from = this.highAck;
    for (let i = 0; i <= sacked.count; i++) {
      const to = i < sacked.count ? sacked.left[i]! : this.highData;
      lost += this.#lostOf(from, to, sacked.count - i, bytesAbove);
      if (i === sacked.count) break;
      bytesAbove -= (sacked.right[i]! - sacked.left[i]!) | 0;
      from = sacked.right[i]!;
    }
    return lost;
  }

  /** Octets that were sent again in this recovery (HighRxt), and are not SACKed: Linux's `retrans_out`. */
  resentBytes(): number {
    const { sacked, highRxt } = this;
    let resent = (highRxt - this.highAck) | 0;
    for (let i = 0; i < sacked.count && isBefore(sacked.left[i]!, highRxt); i++)
      resent -= (minSeq(sacked.right[i]!, highRxt) - sacked.left[i]!) | 0;
    return Math.max(0, resent);
  }

  /** §5 (4.1), (4.2): recovery begins. The caller sends the first segment again, and says so by `retransmitted`. */
  enterRecovery(): void {
    this.recoveryPoint = this.highData;
    this.highRxt = this.highAck;
    this.rescued = false;
  }

  /**
   * §5.1: the timer expired. All that is not SACKed is lost, and is sent again from the beginning; a recovery does not begin before `recoveryPoint`
   * is acknowledged. What a reneging receiver SACKed counts no more (RFC 2018 §8).
   */
  expire(): void {
    if (this.isReneging) this.sacked.clear();
    this.enterRecovery();
    this.firstIsDue = false;
    this.lostBefore = this.highData;
    this.timedOut = true;
  }

  /** Octets up to `end` were sent again by rule 1 or 3. */
  retransmitted(end: number): void {
    this.highRxt = maxSeq(this.highRxt, end);
  }

  /** §5 (4.3): the first segment was sent again. Until more than it is acknowledged there is no rescue. */
  firstRetransmitted(end: number): void {
    this.retransmitted(end);
    this.rescued = true;
    this.rescueRxt = end;
  }

  /** Rule 4 was followed: once in a recovery. */
  rescue(): void {
    this.rescued = true;
    this.rescueRxt = this.recoveryPoint;
  }

  /** NextSeg (§4). @param unsentBytes that are there to be sent, and the peer's window allows. */
  nextSegment(unsentBytes: number, into: NextSegment): void {
    into.rule = 0;
    if (this.#findHole(into, true)) into.rule = 1;
    else if (unsentBytes > 0) fill(into, 2, this.highData, Math.min(unsentBytes, this.smssBytes));
    else if (this.#findHole(into, false)) into.rule = 3;
    else if (!this.rescued || isAfter(this.highAck, this.rescueRxt)) this.#findLast(into);
  }

  /** Rule 1 (a), (b), and (c) where `lost`: the first hole behind HighRxt, and before the highest SACKed octet. */
  #findHole(into: NextSegment, lost: boolean): boolean {
    const { sacked } = this;
    let bytesAbove = sacked.bytes;
    let from = this.highAck;
    const holes = this.timedOut && lost ? sacked.count + 1 : sacked.count;
    for (let i = 0; i < holes; i++) {
      const to = i < sacked.count ? sacked.left[i]! : this.lostBefore;
      const seq = maxSeq(from, this.highRxt);
      if (isBefore(seq, to) && (!lost || this.#isLost(seq, sacked.count - i, bytesAbove))) {
        fill(into, 1, seq, Math.min((to - seq) | 0, this.smssBytes));
        return true;
      }
      if (i === sacked.count) break;
      bytesAbove -= (sacked.right[i]! - sacked.left[i]!) | 0;
      from = sacked.right[i]!;
    }
    return false;
  }

  /** Rule 4: with the highest octet that is outstanding and not SACKed. */
  #findLast(into: NextSegment): void {
    const { sacked } = this;
    let end = this.highData;
    let i = sacked.count;
    while (i > 0 && sacked.right[i - 1] === end) end = sacked.left[--i]!;
    const from = i > 0 ? sacked.right[i - 1]! : this.highAck;
    if (!isBefore(from, end)) return;
    const lenBytes = Math.min((end - from) | 0, this.smssBytes);
    fill(into, 4, (end - lenBytes) | 0, lenBytes);
  }

  #isLost(seq: number, rangesAbove: number, bytesAbove: number): boolean {
    if (this.timedOut && isBefore(seq, this.lostBefore)) return true;
    return rangesAbove >= DUP_THRESH || bytesAbove > (DUP_THRESH - 1) * this.smssBytes;
  }

  /** (a) of SetPipe, of a hole. */
  #lostOf(from: number, to: number, rangesAbove: number, bytesAbove: number): number {
    const bytes = (to - from) | 0;
    if (bytes <= 0) return 0;
    if (rangesAbove >= DUP_THRESH || bytesAbove > (DUP_THRESH - 1) * this.smssBytes) return bytes;
    return this.timedOut ? Math.max(0, Math.min(bytes, (this.lostBefore - from) | 0)) : 0;
  }
}

function fill(into: NextSegment, rule: number, seq: number, lenBytes: number): void {
  into.rule = rule;
  into.seq = seq;
  into.lenBytes = lenBytes;
}

/**
 * Whether the first block of an acknowledgement is a D-SACK (RFC 2883 §4): it lies below the cumulative acknowledgement, or within the second block.
 * @param blocks in all; the second counts where there are two.
 */
export function isDuplicateSack(ack: number, left: number, right: number, blocks: number, left2: number, right2: number): boolean {
  if (!isBefore(left, right)) return false;
  if (isBefore(left, ack)) return !isAfter(right, ack);
  return blocks > 1 && !isBefore(left, left2) && !isAfter(right, right2);
}
