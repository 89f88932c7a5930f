import type { Skb } from '@softnet/contract';
import { SkbReader } from '@softnet/skb';
import { BATCH_BYTES, BATCHES, HEADER_BYTES, LENGTH_BYTES, putHeader, SORT } from './messages.ts';

/**
 * Frames on their way into a port: many in one buffer, which is given away and comes back. There are as many buffers as may be on the
 * way at once, so they are the bound.
 */
export class OutgoingBatches {
  readonly #reader = new SkbReader();
  readonly #spare: ArrayBuffer[] = [];
  /** The one that is being filled. */
  #view: DataView | null = null;
  #at = HEADER_BYTES;
  /** Given away, and not come back. */
  #away = 0;
  #limit = 0;

  /** The other side takes so many at once; what was on the way to one before it is lost. */
  begin(limit: number): void {
    this.#away = 0;
    this.setLimit(limit);
  }

  setLimit(limit: number): void {
    this.#limit = Math.min(limit, BATCHES);
  }

  /** May a frame be put? */
  get hasRoom(): boolean {
    return this.#view !== null || this.#away < this.#limit;
  }

  /** Copies a frame behind the others, of `FRAME_LIMIT_BYTES` at most. False: there is no room for it until one is sent, or comes back. */
  put(skb: Skb): boolean {
    const view = this.#view ?? this.#take();
    if (view === null || this.#at + LENGTH_BYTES + skb.len > BATCH_BYTES) return false;
    view.setUint32(this.#at, skb.len, true);
    if (this.#reader.open(skb)) this.#reader.copyTo(view, this.#at + LENGTH_BYTES, skb.len);
    this.#at += LENGTH_BYTES + skb.len;
    return true;
  }

  /** The batch at hand, to be given away; null: it is empty. */
  flush(): ArrayBuffer | null {
    const view = this.#view;
    if (view === null || this.#at === HEADER_BYTES) return null;
    putHeader(view, SORT.FRAMES);
    view.setUint32(8, this.#at, true);
    this.#view = null;
    this.#away++;
    return view.buffer as ArrayBuffer;
  }

  /** One has come back. False: none was away, or it is none of ours. */
  returned(buffer: ArrayBuffer): boolean {
    if (this.#away === 0 || buffer.byteLength !== BATCH_BYTES) return false;
    this.#away--;
    this.#spare.push(buffer);
    return true;
  }

  #take(): DataView | null {
    if (this.#away >= this.#limit) return null;
    this.#view = new DataView(this.#spare.pop() ?? new ArrayBuffer(BATCH_BYTES));
    this.#at = HEADER_BYTES;
    return this.#view;
  }
}
