import type { Message } from '@softnet/contract';
import { MESSAGE_FLAG } from '@softnet/contract';

/** One of the first bytes of what is sent, wherever it lies; -1: there is none. */
export function sentByte({ flags, skb, data, more }: Message, index: number): number {
  if ((flags & MESSAGE_FLAG.SKB) !== 0) {
    if (skb === null) return -1;
    if (skb.data + index < skb.tail) return skb.memory.bytes[skb.data + index]!;
    const at = index - (skb.tail - skb.data);
    return skb.fragments === null || at >= skb.fragments.lenBytes ? -1 : skb.fragments.memory.bytes[skb.fragments.offset + at]!;
  }
  let left = index;
  if (data !== null) {
    if (left < data.length) return data[left]!;
    left -= data.length;
  }
  if (more === null) return -1;
  for (let i = 0; i < more.length; i++) {
    if (left < more[i]!.length) return more[i]![left]!;
    left -= more[i]!.length;
  }
  return -1;
}
