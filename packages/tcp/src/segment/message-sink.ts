import type { Message, Skb } from '@softnet/contract';
import { SkbReader } from '@softnet/skb';

/** Where a user wants what he receives: one place, or many. Opened for each message. */
export class MessageSink {
  /** Bytes for which there is room. */
  roomBytes = 0;
  readonly #reader = new SkbReader();
  #more: readonly Uint8Array[] | null = null;
  #nextMore = 0;
  /** The place that bytes were put into last, and a view of it: most take all into one, and that costs no garbage. */
  #place: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#place.buffer);
  #at = 0;

  open({ data, more }: Message): void {
    this.#more = more;
    this.#nextMore = 0;
    this.roomBytes = 0;
    if (more !== null) for (let i = 0; i < more.length; i++) this.roomBytes += more[i]!.length;
    if (data === null) this.#at = this.#place.length;
    else {
      this.roomBytes += data.length;
      this.#stand(data);
    }
  }

  /** Copies `lenBytes` of an skb, from `from` on; there is room. */
  put(skb: Skb, from: number, lenBytes: number): void {
    this.#reader.open(skb, from, lenBytes);
    this.roomBytes -= lenBytes;
    for (let left = lenBytes; left > 0; ) {
      const room = this.#view.byteLength - this.#at;
      if (room === 0) {
        this.#stand(this.#more![this.#nextMore++]!);
        continue;
      }
      const count = Math.min(left, room);
      this.#reader.copyTo(this.#view, this.#at, count);
      this.#at += count;
      left -= count;
    }
  }

  #stand(place: Uint8Array): void {
    this.#at = 0;
    if (place === this.#place) return;
    this.#place = place;
    this.#view = new DataView(place.buffer, place.byteOffset, place.length);
  }
}
