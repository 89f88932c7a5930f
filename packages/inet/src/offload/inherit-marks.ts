import type { Skb } from '@softnet/contract';

/** What Linux's `ip_copy_metadata` copies: what hooks, qdiscs and drivers go by. `type` is the caller's. */
export function inheritMarks(piece: Skb, whole: Skb): void {
  piece.dst = whole.dst;
  piece.ifindex = whole.ifindex;
  piece.queue = whole.queue;
  piece.protocol = whole.protocol;
  piece.mark = whole.mark;
  piece.priority = whole.priority;
  piece.hash = whole.hash;
  piece.vlan = whole.vlan;
  piece.timeUs = whole.timeUs;
  piece.flags = whole.flags;
  piece.reentries = whole.reentries;
  const { slots } = whole;
  if (slots === null) return;
  piece.slots ??= new Array<unknown>(slots.length).fill(null);
  for (let i = 0; i < slots.length; i++) piece.slots[i] = slots[i];
}
