import { Counter } from '@softnet/contract';

/** What a pool did since it was made. */
export class PoolCounters {
  /** Packets made, clones not counted. */
  readonly allocated: Counter;
  readonly cloned: Counter;
  /** Pages handed out as fragments. */
  readonly pages: Counter;
  /** Bytes of heads that were copied, since the head was shared or lacked room. */
  readonly copiedBytes: Counter;

  constructor(counter: (name: string) => Counter = (name) => new Counter(name)) {
    this.allocated = counter('skb.allocated');
    this.cloned = counter('skb.cloned');
    this.pages = counter('skb.pages');
    this.copiedBytes = counter('skb.copied-bytes');
  }
}

/** What a pool has, and has out. */
export interface PoolUsage {
  readonly name: string;
  readonly buffers: number;
  readonly buffersIdle: number;
  readonly pages: number;
  readonly pagesIdle: number;
  /** Packets that are out, clones included. */
  readonly skbsOut: number;
  readonly counters: PoolCounters;
}
