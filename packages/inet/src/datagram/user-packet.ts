import type { Message, Skb, SkbPool } from '@softnet/contract';
import { copyIn, orphan, scrub } from '@softnet/skb';

/** What a user sends, copied into a packet: the copy in. Null: memory is out, which the pool has counted. @param headBytes room for it in the head; what is more goes on pages. */
export function copyMessage(pool: SkbPool, { data, more }: Message, headroomBytes: number, headBytes: number): Skb | null {
  const skb = pool.alloc(headroomBytes, headBytes);
  if (skb === null) return null;
  let copied = data === null || copyIn(skb, data);
  if (more !== null) for (let i = 0; copied && i < more.length; i++) copied = copyIn(skb, more[i]!);
  if (copied) return skb;
  skb.memory.pool.release(skb);
  return null;
}

/** The user's own packet (MESSAGE_FLAG.SKB), of which only the payload counts from here on. Null: memory is out, and it is the user's still. */
export function adoptPacket(message: Message, headroomBytes: number, tailroomBytes: number): Skb | null {
  const skb = message.skb!;
  orphan(skb);
  // Old headers would be moved along, and are no part of it any more.
  skb.mac = -1;
  skb.network = -1;
  skb.transport = -1;
  if (!skb.memory.pool.makeRoom(skb, headroomBytes, skb.fragments === null ? tailroomBytes : 0)) return null;
  scrub(skb);
  message.skb = null;
  return skb;
}
