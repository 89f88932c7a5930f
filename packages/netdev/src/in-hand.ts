import type { DropReason, Skb } from '@softnet/contract';

/**
 * What netdev has, and nobody else, while it asks others who do not take it: link layers, parts in merging, taps. When one of them throws, it is
 * dropped. Two fields that are written are all that it costs.
 */
export class InHand {
  /** From the driver's batch, until it is held, part of another one, or on its way up. */
  offered: Skb | null = null;
  /** On its way up, until the ingress hooks have it. */
  rising: Skb | null = null;

  drop(reason: DropReason): void {
    const { offered, rising } = this;
    this.offered = null;
    this.rising = null;
    offered?.memory.pool.drop(offered, reason);
    rising?.memory.pool.drop(rising, reason);
  }
}
