import type { Fragment, Skb } from '@softnet/contract';
import type { FrameSink } from './framing.ts';
import { FrameParser } from './framing.ts';

/** Where received frames come from and go to. */
export interface IncomingHost {
  /** A packet for a frame of `lenBytes`, yet to be written, or null: its bytes are thrown away, and it has counted why. */
  makeFrame(lenBytes: number): Skb | null;
  /** A whole frame. Takes the skb. */
  received(skb: Skb): void;
}

/**
 * What has been received of a stream: the chunk at hand, and the frame that is being put together in packet memory, to which bytes go
 * from the chunk without a copy between. It belongs to the connection, and goes with it from one generation to the next.
 */
export class Incoming implements FrameSink {
  readonly #parser: FrameParser = new FrameParser(this);
  #chunk: Uint8Array | null = null;
  #from = 0;
  #end = 0;
  /** The frame at hand; null: it is thrown away, or there is none. */
  #skb: Skb | null = null;
  /** Where its next byte goes: in the head (null), or in this fragment; and how many bytes of that are written. */
  #fragment: Fragment | null = null;
  #written = 0;
  #budget = 0;
  /** While it reads. */
  #host: IncomingHost | null = null;

  /** The length that cannot be; 0: all is well. */
  get lyingLength(): number {
    return this.#parser.lyingLength;
  }

  /** All of the chunk at hand is read. */
  get idle(): boolean {
    return this.#chunk === null;
  }

  /** Keeps a chunk, until {@link read} has read it: the one before it is read. */
  take(chunk: Uint8Array, lenBytes: number): void {
    this.#chunk = chunk;
    this.#from = 0;
    this.#end = lenBytes;
  }

  /** Reads up to `budget` frames of the chunk, and returns how many. */
  read(host: IncomingHost, budget: number): number {
    if (this.#chunk === null || budget <= 0) return 0;
    this.#budget = budget;
    this.#host = host;
    this.#from = this.#parser.accept(this.#chunk, this.#from, this.#end);
    this.#host = null;
    if (this.#from === this.#end || this.lyingLength > 0) this.#chunk = null;
    return budget - this.#budget;
  }

  /** A length or a frame has begun and is not there whole. */
  get midFrame(): boolean {
    return this.#parser.midFrame;
  }

  /** The packet of a frame that is not there whole, or null; what comes of that frame is thrown away. */
  takePartial(): Skb | null {
    const skb = this.#skb;
    this.#skb = null;
    return skb;
  }

  begin(lenBytes: number): void {
    this.#skb = this.#host!.makeFrame(lenBytes);
    this.#fragment = null;
    this.#written = 0;
  }

  part(chunk: Uint8Array, from: number, lenBytes: number): void {
    const skb = this.#skb;
    if (skb === null) return;
    let at = from;
    for (const end = from + lenBytes; at < end; ) at += this.#copy(skb, chunk, at, end - at);
  }

  end(): boolean {
    const skb = this.#skb;
    this.#skb = null;
    if (skb !== null) this.#host!.received(skb);
    return --this.#budget > 0;
  }

  /** As many bytes as fit where the next one goes. There is room: the packet has as many bytes as the frame. */
  #copy(skb: Skb, chunk: Uint8Array, at: number, lenBytes: number): number {
    const fragment = this.#fragment;
    const room = (fragment === null ? skb.tail - skb.data : fragment.lenBytes) - this.#written;
    if (room === 0) {
      this.#fragment = fragment === null ? skb.fragments : fragment.next;
      this.#written = 0;
      return 0;
    }
    const count = Math.min(room, lenBytes);
    const { bytes } = fragment === null ? skb.memory : fragment.memory;
    const start = (fragment === null ? skb.data : fragment.offset) + this.#written;
    // A whole chunk needs no view of a part of it.
    bytes.set(count === chunk.length ? chunk : chunk.subarray(at, at + count), start);
    this.#written += count;
    return count;
  }
}
