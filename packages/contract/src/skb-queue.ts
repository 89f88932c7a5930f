import type { Skb } from './skb.ts';

/** Packets in order, linked by `skb.next`: a batch, or what waits. It owns what is in it. Limits are its owner's. */
export class SkbQueue {
  first: Skb | null = null;
  last: Skb | null = null;
  lenPackets = 0;
  lenBytes = 0;
}

/** Puts a packet last. It must be in no queue. */
export function enqueue(queue: SkbQueue, skb: Skb): void {
  if (queue.last === null) queue.first = skb;
  else queue.last.next = skb;
  queue.last = skb;
  queue.lenPackets++;
  queue.lenBytes += skb.len;
}

/** Takes the first packet, or null. Its `len` must be what it was when it came. */
export function dequeue(queue: SkbQueue): Skb | null {
  const skb = queue.first;
  if (skb === null) return null;
  queue.first = skb.next;
  if (queue.first === null) queue.last = null;
  skb.next = null;
  queue.lenPackets--;
  queue.lenBytes -= skb.len;
  return skb;
}

/** Moves all of `from` behind `to`, in order. */
export function splice(to: SkbQueue, from: SkbQueue): void {
  if (from.first === null) return;
  if (to.last === null) to.first = from.first;
  else to.last.next = from.first;
  to.last = from.last;
  to.lenPackets += from.lenPackets;
  to.lenBytes += from.lenBytes;
  from.first = null;
  from.last = null;
  from.lenPackets = 0;
  from.lenBytes = 0;
}
