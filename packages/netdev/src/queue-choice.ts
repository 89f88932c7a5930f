import type { CurrentOwner, NetDevice, Skb } from '@softnet/contract';
import type { FlowHash } from './flow-hash.ts';

/** skb.priority of so much and more is a qdisc's class, not a priority. */
const PRIORITIES = 16;

/**
 * The transmit queue for a packet: the driver's choice; else, of those that serve its priority (the least `priority` that reaches up to
 * it; if none does, the highest), the one that its flow hashes to. Linux's `netdev_pick_tx`.
 */
export function chooseQueue(device: NetDevice, skb: Skb, hash: FlowHash, current: CurrentOwner): number {
  const { txQueues, ops } = device;
  if (ops.selectQueue !== undefined) {
    const caller = current.id;
    current.id = device.holdKind?.owner ?? caller;
    const index = ops.selectQueue(device, skb);
    current.id = caller;
    return index >= 0 && index < txQueues.length ? index : 0;
  }
  if (txQueues.length <= 1) return 0;
  const priority = servingPriority(txQueues, skb.priority >= 0 && skb.priority < PRIORITIES ? skb.priority : 0);
  let count = 0;
  for (let i = 0; i < txQueues.length; i++) if (txQueues[i]!.priority === priority) count++;
  // The hash as a fraction of all hashes.
  let left = count === 1 ? 0 : Math.floor(((hash.of(skb) >>> 0) / 0x100000000) * count);
  for (let i = 0; i < txQueues.length; i++) if (txQueues[i]!.priority === priority && left-- === 0) return i;
  return 0;
}

/** The priority of the queues that serve `wanted`, 0 to 15: the least that reaches up to it; if none does, the highest. */
export function servingPriority(queues: readonly { readonly priority: number }[], wanted: number): number {
  let serving = -1;
  let highest = 0;
  for (let i = 0; i < queues.length; i++) {
    const { priority } = queues[i]!;
    if (priority >= wanted && (serving < 0 || priority < serving)) serving = priority;
    if (priority > highest) highest = priority;
  }
  return serving < 0 ? highest : serving;
}
