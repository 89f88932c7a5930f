import { isAfter, isBefore, maxSeq } from './sequence.ts';

const FIRST_ROOM = 8;

/** Disjoint ranges of sequence numbers, ascending, in arrays that grow by doubling up to a bound. `left` ≤ seq < `right`. */
export class SackRanges {
  count = 0;
  left: Int32Array = new Int32Array(FIRST_ROOM);
  right: Int32Array = new Int32Array(FIRST_ROOM);
  /** Octets in them. */
  bytes = 0;
  readonly #most: number;

  /** @param most ranges that are kept apart; at least 8. */
  constructor(most: number) {
    this.#most = most;
  }

  /** @returns how many octets of it are new; none, when it would be one range too many. */
  add(left: number, right: number): number {
    let from = this.count;
    while (from > 0 && !isBefore(this.right[from - 1]!, left)) from--;
    let to = from;
    let known = 0;
    let [newLeft, newRight] = [left, right];
    for (; to < this.count && !isAfter(this.left[to]!, right); to++) {
      known += (this.right[to]! - this.left[to]!) | 0;
      if (isBefore(this.left[to]!, newLeft)) newLeft = this.left[to]!;
      newRight = maxSeq(newRight, this.right[to]!);
    }
    if (from === to && !this.#makeRoom()) return 0;
    this.#shift(to, from + 1);
    this.left[from] = newLeft;
    this.right[from] = newRight;
    const grown = ((newRight - newLeft) | 0) - known;
    this.bytes += grown;
    return grown;
  }

  /** The first from `seq` on that lies in none. */
  firstOutside(seq: number): number {
    let i = this.count - 1;
    while (i >= 0 && isAfter(this.left[i]!, seq)) i--;
    return i >= 0 ? maxSeq(this.right[i]!, seq) : seq;
  }

  /** What is before `seq` is forgotten. */
  dropBefore(seq: number): void {
    let gone = 0;
    while (gone < this.count && !isAfter(this.right[gone]!, seq)) {
      this.bytes -= (this.right[gone]! - this.left[gone]!) | 0;
      gone++;
    }
    if (gone > 0) this.#shift(gone, 0);
    if (this.count > 0 && isBefore(this.left[0]!, seq)) {
      this.bytes -= (seq - this.left[0]!) | 0;
      this.left[0] = seq;
    }
  }

  clear(): void {
    this.count = 0;
    this.bytes = 0;
  }

  /** Ranges from `from` on stand at `to` afterwards. */
  #shift(from: number, to: number): void {
    this.left.copyWithin(to, from, this.count);
    this.right.copyWithin(to, from, this.count);
    this.count += to - from;
  }

  #makeRoom(): boolean {
    if (this.count < this.left.length) return true;
    if (this.count >= this.#most) return false;
    const room = Math.min(this.#most, this.count * 2);
    const [left, right] = [new Int32Array(room), new Int32Array(room)];
    left.set(this.left);
    right.set(this.right);
    this.left = left;
    this.right = right;
    return true;
  }
}
