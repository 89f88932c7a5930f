import type { MemoryAccount, Skb, SockCommon } from '@softnet/contract';
import { SKB_TYPE } from '@softnet/contract';
import { orphan } from '@softnet/skb';
import { Connection } from '../machine/connection.ts';

/**
 * A received packet waits in its socket, who pays for it until it is freed ({@link released}); `MemoryAccount.admit` has let it in. Over a loopback its sender paid up to here. It outlives
 * the batch: neither its route nor what other modules noted on it is held.
 */
export function chargeReceived(sock: SockCommon, skb: Skb): void {
  orphan(skb);
  skb.type = SKB_TYPE.HOST;
  skb.dst = null;
  if (skb.slots !== null) skb.slots.fill(null);
  skb.sock = sock;
  sock.receiveQueuedBytes += skb.truesize;
}

/** `SockOps.released`: what it received was read or thrown away; what it sent has left, or was lost: its payload is still the send queue's. */
export function released(sock: SockCommon, skb: Skb, account: MemoryAccount): void {
  if (skb.type !== SKB_TYPE.OUTGOING) {
    sock.receiveQueuedBytes -= skb.truesize;
    account.sub(skb.truesize);
    return;
  }
  const { ext } = sock;
  if (ext instanceof Connection) ext.belowBytes -= skb.truesize;
}
