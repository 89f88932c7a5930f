import type { Reassembly } from './reassembly.ts';
import { isAfter, isBefore } from './sequence.ts';

/** More do not fit (RFC 2018 §3). */
const MOST_BLOCKS = 4;

/**
 * The blocks that a receiver reports: the run that the last segment came to first, then those reported before, newest first (RFC 2018 §4); before all of
 * them, once, what came twice (RFC 2883 §4).
 */
export class SackReport {
  /** left, right, left, right ...: for `putSack`. */
  readonly edges: Int32Array = new Int32Array(2 * (MOST_BLOCKS + 1));
  /** Blocks, the D-SACK included. */
  count = 0;
  /** The first is a D-SACK: until `sent`. */
  hasDuplicate = false;

  /** Octets from `seq` on were taken into `queue`. */
  arrived(seq: number, queue: Reassembly): void {
    this.#dropDuplicate();
    const left = queue.runLeft(seq);
    const right = queue.runRight(seq);
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      const isPart = !isBefore(this.edges[2 * i]!, left) && !isAfter(this.edges[2 * i + 1]!, right);
      if (!isPart) this.#move(i, kept++);
    }
    this.count = kept;
    this.#unshift(left, right, MOST_BLOCKS);
  }

  /** Octets came that were there already. @param right bounded by what came. */
  duplicate(left: number, right: number): void {
    this.#dropDuplicate();
    this.#unshift(left, right, MOST_BLOCKS + 1);
    this.hasDuplicate = true;
  }

  /** RCV.NXT moved on: blocks behind are left. */
  acknowledged(rcvNxt: number): void {
    let kept = this.hasDuplicate ? 1 : 0;
    for (let i = kept; i < this.count; i++) if (isAfter(this.edges[2 * i]!, rcvNxt)) this.#move(i, kept++);
    this.count = kept;
  }

  /** An acknowledgement with these blocks has gone: a D-SACK is said once. */
  sent(): void {
    this.#dropDuplicate();
  }

  /** As new. */
  reset(): void {
    this.count = 0;
    this.hasDuplicate = false;
  }

  #dropDuplicate(): void {
    if (!this.hasDuplicate) return;
    this.hasDuplicate = false;
    this.edges.copyWithin(0, 2, 2 * this.count);
    this.count--;
  }

  #unshift(left: number, right: number, most: number): void {
    this.edges.copyWithin(2, 0, 2 * Math.min(this.count, most - 1));
    this.edges[0] = left;
    this.edges[1] = right;
    this.count = Math.min(this.count + 1, most);
  }

  #move(from: number, to: number): void {
    this.edges[2 * to] = this.edges[2 * from]!;
    this.edges[2 * to + 1] = this.edges[2 * from + 1]!;
  }
}
