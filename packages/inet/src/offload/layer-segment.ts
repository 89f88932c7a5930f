import type { Contributions, CurrentOwner, DropReason, EthertypeHandler, Segment } from '@softnet/contract';
import { ETHERTYPE } from '@softnet/contract';

/**
 * Cuts a packet by the network layer whose header it has: for who has packets of both. Of two generations by the newer.
 * @param nobody why those are dropped that no layer cuts.
 */
export function layerSegment(handlers: Contributions<EthertypeHandler>, current: CurrentOwner, nobody: DropReason): Segment {
  return (skb, features, out) => {
    const { items, owners } = handlers;
    const ethertype = skb.memory.view.getUint8(skb.network) >>> 4 === 4 ? ETHERTYPE.IPV4 : ETHERTYPE.IPV6;
    for (let i = items.length - 1; i >= 0; i--) {
      const { segment } = items[i]!;
      if (segment === null || items[i]!.ethertype !== ethertype) continue;
      const caller = current.id;
      current.id = owners[i]!;
      const done = segment(skb, features, out);
      current.id = caller;
      return done;
    }
    skb.memory.pool.drop(skb, nobody);
    return false;
  };
}
