import type { PayloadOwner } from './reassembly.ts';
import { Reassembly } from './reassembly.ts';
import { SackReport } from './sack-report.ts';

/** Pieces out of order that one connection may have, at most: what is more is as if lost. */
const MOST_PIECES = 4096;

/** What a connection has while something came out of order, or twice: kept, and given to another when it is over. */
export class Disorder {
  readonly queue: Reassembly;
  readonly report: SackReport = new SackReport();
  next: Disorder | null = null;

  constructor(owner: PayloadOwner) {
    this.queue = new Reassembly(owner, MOST_PIECES);
  }
}
