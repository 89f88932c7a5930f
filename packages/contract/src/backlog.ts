import { DropReason } from './counter.ts';
import type { NetDevice } from './device.ts';
import type { NetworkLayer } from './network-layer.ts';
import type { Skb } from './skb.ts';
import { defineService } from './token.ts';

/** How often one packet may go through the backlog: tunnels in tunnels, and loops of them. Linux's XMIT_RECURSION_LIMIT. */
export const BACKLOG_DEPTH = 8;

/**
 * The way for packets to begin again: what would call from transmit into receive, or from a device into IP's output,
 * puts them here, and the softirq loop takes them on with an empty stack. In order; `skb.reentries` counts, and
 * {@link BACKLOG_DEPTH} or a full queue drops. A **corridor** of netdev. Linux's `netif_rx`.
 */
export interface Backlog {
  /** Received on this device: loopback, tunnels that unwrap, the pair of a virtual wire. `data` at the link header, as for a driver. */
  receive(skb: Skb, device: NetDevice): void;
  /** To be sent, header written, `skb.dst` set: tunnels that wrap. Continues with `layer.reenter`. */
  send(skb: Skb, layer: NetworkLayer): void;
}
export const Backlog = defineService<Backlog>({
  name: 'backlog',
  version: '1.0.0',
  errno: 'ENETDOWN',
  methods: ['receive', 'send'],
  absent: () => {
    const reason = new DropReason(0, 'backlog.absent', 'no module keeps a backlog');
    const drop = (skb: Skb) => skb.memory.pool.drop(skb, reason);
    return { receive: drop, send: drop };
  },
});
