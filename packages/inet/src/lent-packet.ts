import type { Fragment, FragmentSource, Skb } from '@softnet/contract';
import { Fragment as FragmentRecord } from '@softnet/contract';
import { appendFragment, FRAGMENT_BYTES } from '@softnet/skb';

/** A packet whose bytes other packets show as fragments: it is freed when nobody does any more. */
class LentPacket implements FragmentSource {
  /** Null: at rest. */
  skb: Skb | null = null;
  /** Fragments that show its bytes, and 1 for who lends it. */
  shares = 0;
  next: LentPacket | null = null;
  readonly #lender: PacketLender;

  constructor(lender: PacketLender) {
    this.#lender = lender;
  }

  share(fragment: Fragment): Fragment {
    this.shares++;
    return this.#lender.fragment(fragment, this);
  }

  release(fragment: Fragment): void {
    this.#lender.takeBack(fragment);
    this.giveUp();
  }

  /** One fewer needs it. */
  giveUp(): void {
    if (--this.shares > 0) return;
    const skb = this.skb!;
    this.#lender.rest(this);
    skb.memory.pool.release(skb);
  }
}

export type { LentPacket };

/**
 * Lends the bytes of whole packets, head and fragments alike, to other packets as fragments, without a copy: pieces of one that
 * is cut, or the rest of one that is put together. Records are kept and used again; the packets themselves are the pool's,
 * and what is lent stays good when the module that lent it is gone.
 */
export class PacketLender {
  #idleFragments: Fragment | null = null;
  #idlePackets: LentPacket | null = null;

  /** Takes the packet, to lend it until {@link LentPacket.giveUp}, and as long as a fragment shows it. */
  lend(skb: Skb): LentPacket {
    let lent = this.#idlePackets;
    if (lent === null) lent = new LentPacket(this);
    else this.#idlePackets = lent.next;
    lent.next = null;
    lent.skb = skb;
    lent.shares = 1;
    return lent;
  }

  /** Hangs bytes `from` to `from + lenBytes` of the lent packet, counted from its `data`, behind another one. */
  append(to: Skb, lent: LentPacket, from: number, lenBytes: number): void {
    const { memory, head, data, tail, end, fragments } = lent.skb!;
    let left = lenBytes;
    let at = from;
    const inHead = Math.min(left, tail - data - at);
    if (inHead > 0) {
      this.#hang(to, lent, memory, data + at, inHead, end - head + FRAGMENT_BYTES);
      left -= inHead;
    }
    at = Math.max(0, at - (tail - data));
    for (let fragment = fragments; left > 0 && fragment !== null; fragment = fragment.next) {
      const taken = Math.min(left, fragment.lenBytes - at);
      if (taken > 0) {
        this.#hang(to, lent, fragment.memory, fragment.offset + at, taken, fragment.truesize);
        left -= taken;
      }
      at = Math.max(0, at - fragment.lenBytes);
    }
  }

  /** A record that shows what `like` does. */
  fragment(like: Fragment, source: LentPacket): Fragment {
    const record = this.#record(source, like.memory);
    record.offset = like.offset;
    record.lenBytes = like.lenBytes;
    record.truesize = like.truesize;
    return record;
  }

  takeBack(fragment: Fragment): void {
    fragment.offset = -1;
    fragment.lenBytes = 0;
    fragment.truesize = 0;
    fragment.next = this.#idleFragments;
    this.#idleFragments = fragment;
  }

  rest(lent: LentPacket): void {
    lent.skb = null;
    lent.next = this.#idlePackets;
    this.#idlePackets = lent;
  }

  #hang(to: Skb, lent: LentPacket, memory: Fragment['memory'], offset: number, lenBytes: number, truesize: number): void {
    const record = this.#record(lent, memory);
    record.offset = offset;
    record.lenBytes = lenBytes;
    record.truesize = truesize;
    lent.shares++;
    appendFragment(to, record);
  }

  #record(source: LentPacket, memory: Fragment['memory']): Fragment {
    const record = this.#idleFragments;
    if (record === null) return new FragmentRecord(memory, source);
    this.#idleFragments = record.next;
    record.next = null;
    record.memory = memory;
    record.source = source;
    return record;
  }
}
