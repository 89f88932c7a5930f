import type { FrameSink } from './framing.ts';
import { FRAME_LIMIT_BYTES, FrameParser } from './framing.ts';

/** Where received frames go to. */
export interface IncomingHost {
  /** A whole frame: `lenBytes` of `bytes` from `from` on, which are its until it returns. */
  frame(bytes: Uint8Array, from: number, lenBytes: number): void;
}

/**
 * What has been received of a stream: the chunk at hand, and a frame that has begun. One that lies in a chunk whole is handed on as it lies there; one
 * that is cut is put together first, in bytes that are used again: so no peer can keep packet memory by sending nothing of a frame's rest. It
 * belongs to the connection, and goes with it from one generation to the next.
 */
export class Incoming implements FrameSink {
  readonly #parser: FrameParser = new FrameParser(this);
  #chunk: Uint8Array | null = null;
  #from = 0;
  #end = 0;
  /** The frame at hand: where its bytes lie, its length, and how many of them are there. */
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #lenBytes = 0;
  #there = 0;
  #whole = false;
  /** For frames that are cut; made for the first one. */
  #scratch: Uint8Array | null = null;

  /** The length that cannot be; 0: all is well. */
  get lyingLength(): number {
    return this.#parser.lyingLength;
  }

  /** All of the chunk at hand is read. */
  get idle(): boolean {
    return this.#chunk === null;
  }

  /** A length or a frame has begun and is not there whole. */
  get midFrame(): boolean {
    return this.#parser.midFrame;
  }

  /** Keeps a chunk, until {@link read} has read it: the one before it is read. */
  take(chunk: Uint8Array, lenBytes: number): void {
    this.#chunk = chunk;
    this.#from = 0;
    this.#end = lenBytes;
  }

  /** Hands on up to `budget` frames of the chunk, and returns how many. When the host throws, that frame is lost, and nothing else. */
  read(host: IncomingHost, budget: number): number {
    let count = 0;
    while (this.#chunk !== null && count < budget) {
      this.#whole = false;
      this.#from = this.#parser.accept(this.#chunk, this.#from, this.#end);
      if (this.#from === this.#end || this.lyingLength > 0) this.#chunk = null;
      if (!this.#whole) break;
      count++;
      host.frame(this.#bytes, this.#at, this.#lenBytes);
    }
    return count;
  }

  begin(lenBytes: number): void {
    this.#lenBytes = lenBytes;
    this.#there = 0;
  }

  part(chunk: Uint8Array, from: number, lenBytes: number): void {
    if (lenBytes === this.#lenBytes) {
      this.#bytes = chunk;
      this.#at = from;
      return;
    }
    this.#scratch ??= new Uint8Array(FRAME_LIMIT_BYTES);
    this.#scratch.set(chunk.subarray(from, from + lenBytes), this.#there);
    this.#there += lenBytes;
    this.#bytes = this.#scratch;
    this.#at = 0;
  }

  /** One at a time: whoever has it may throw, and the stream goes on behind it. */
  end(): boolean {
    this.#whole = true;
    return false;
  }
}
