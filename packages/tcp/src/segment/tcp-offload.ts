import type { Gro, Skb, SkbQueue } from '@softnet/contract';
import type { Segmenter } from '@softnet/inet';

/** TCP's part in merging and cutting packets. */
export class TcpOffload implements Gro {
  constructor(_segmenter: Segmenter) {}

  begin(_skb: Skb, _offset: number): boolean {
    return false;
  }
  sameFlow(_held: Skb, _skb: Skb, _offset: number): boolean {
    return true;
  }
  merge(_held: Skb, _skb: Skb, _offset: number): number {
    return 0;
  }
  finish(_held: Skb, _offset: number): void {}

  /** `Protocol.segment`: `transport` is at the header. */
  segment(_skb: Skb, _features: number, _out: SkbQueue): boolean {
    return false;
  }
}
