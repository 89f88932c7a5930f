import type { Skb } from '@softnet/contract';
import { SkbReader } from '@softnet/skb';
import { FrameCopier } from '../../driver/copy-frame.ts';

/** Changes frames as noise on a line does. Allocates nothing: made once. */
export class FrameDamage {
  readonly #copier = new FrameCopier();
  readonly #reader = new SkbReader();

  /**
   * Takes a frame, and gives another one with one bit changed, in bytes of its own: whoever shares the first one's sees no damage. What was known of its
   * checksums is not known of the new one.
   * Null: it is as it was, and the caller has it still; there is no memory (counted by the pool), or it stands for several frames whose checksums are
   * yet to be written, which would hide the damage.
   */
  flip(skb: Skb, bit: number): Skb | null {
    if (skb.gsoSize > 0) return null;
    const copy = this.#copier.copy(skb.memory.pool, skb);
    if (copy === null) return null;
    if (!this.#reader.open(copy, bit >> 3, 1)) {
      copy.memory.pool.release(copy);
      return null;
    }
    this.#reader.bytes[this.#reader.offset]! ^= 1 << (bit & 7);
    keepNotes(copy, skb);
    skb.memory.pool.release(skb);
    return copy;
  }
}

/** What the device below asks of a frame beside its bytes. */
function keepNotes(to: Skb, from: Skb): void {
  const moved = to.data - from.data;
  if (from.network >= 0) to.network = from.network + moved;
  if (from.transport >= 0) to.transport = from.transport + moved;
  to.protocol = from.protocol;
  to.type = from.type;
  to.vlan = from.vlan;
  to.mark = from.mark;
  to.priority = from.priority;
  to.hash = from.hash;
  to.flags = from.flags;
  to.reentries = from.reentries;
}
