import type { Fragment, Skb } from '@softnet/contract';
import { orphan, pull } from '@softnet/skb';

/** A merged packet stands for so many at most, as Linux's UDP has it; and has so many bytes, network header included. */
export const MERGE_LIMITS = Object.freeze({ segments: 64, bytes: 65535 } as const);

/**
 * Puts the payload of `skb` behind a packet that GRO holds, without a copy, and ends `skb`; counts in `held.gsoSegs`. Until
 * {@link finishJoin} the fragments of `held` stand in reverse order: so each is put there at once, however many there are.
 * @param headerBytes of `skb`, from `data` on, which are not joined: the same as `held` has.
 * False: no memory for that, or others show its bytes; both are as they were, but that nobody pays for `held` any more.
 */
export function joinPayload(held: Skb, skb: Skb, headerBytes: number): boolean {
  const lenBytes = skb.len - headerBytes;
  if (held.gsoSegs === 0) {
    // What its sender has paid for (over a loopback) is not what it takes from here on.
    orphan(held);
    // Its headers will be written to: a clone of it, of a device that duplicates, must not have them.
    if (!held.memory.pool.makeRoom(held, 0, 0)) return false;
  }
  pull(skb, headerBytes);
  const first = skb.memory.pool.dissolve(skb);
  if (first === null) {
    // Not by `push`, as nothing is written there: the head may be shared, which is why it was refused.
    skb.data -= headerBytes;
    skb.len += headerBytes;
    return false;
  }
  if (held.gsoSegs === 0) {
    held.fragments = reverse(held.fragments);
    held.gsoSegs = 1;
  }
  for (let fragment: Fragment | null = first; fragment !== null; ) {
    const { next }: Fragment = fragment;
    held.truesize += fragment.truesize;
    fragment.next = held.fragments;
    held.fragments = fragment;
    fragment = next;
  }
  held.len += lenBytes;
  held.gsoSegs++;
  return true;
}

/** The packet is complete: its fragments in their order. */
export function finishJoin(held: Skb): void {
  held.fragments = reverse(held.fragments);
}

function reverse(first: Fragment | null): Fragment | null {
  let done: Fragment | null = null;
  for (let fragment = first; fragment !== null; ) {
    const { next } = fragment;
    fragment.next = done;
    done = fragment;
    fragment = next;
  }
  return done;
}
