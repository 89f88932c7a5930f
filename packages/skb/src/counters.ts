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
