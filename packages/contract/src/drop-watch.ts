import type { DropReason } from './counter.ts';
import type { Skb } from './skb.ts';
import { definePoint } from './token.ts';

/** Sees packets that are dropped, whole, before they are freed: captures write them with the reason. A **corridor**. Linux's dropwatch. */
export interface DropWatch {
  /** Does not take the skb. Clone it to keep it. */
  dropped(skb: Skb, reason: DropReason): void;
}
export const DropWatch = definePoint<DropWatch>({ name: 'drop-watch', version: '1.0.0' });
